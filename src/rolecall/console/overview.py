"""The console's home: what there is, and how it goes."""

from __future__ import annotations

from rolecall.console import pages
from rolecall.console.pages import PREFIX
from rolecall.console.visits import Page, Visit
from rolecall.values import Reply


class Overview:
    def __init__(self) -> None:
        self.pages = (Page(PREFIX, self._show),)

    async def _show(self, visit: Visit) -> Reply:
        return pages.page(visit, "overview.html", section="overview")
