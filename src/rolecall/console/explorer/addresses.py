"""Where the explorer's pages are."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from rolecall.console.actions import ActionName
from rolecall.console.paths import PREFIX

HOME = f"{PREFIX}/explorer"


def address_of(name: ActionName, params: Mapping[str, object] | None = None) -> str:
    """The page of an action; `name` has a version. Texts and numbers of `params` are filled in; they hold no secret."""
    parts = (name.dialect, name.service, name.version, name.action)
    address = "/".join((HOME, *(quote(part, safe="") for part in parts)))
    given = {
        key: str(value).lower() if isinstance(value, bool) else value
        for key, value in (params or {}).items()
        if isinstance(value, str | int) and value != ""
    }
    return f"{address}?{urlencode(given)}" if given else address
