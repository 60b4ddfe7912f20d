"""Changes for the owner, of what is removed while their pages are made."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from rolecall.console.owners import Changed, OwnersChange, OwnersChangeRefused, OwnersChanges
from rolecall.values import Request
from rolecall.web.forms import Fields


async def gone(*_: object) -> Any:
    raise OwnersChangeRefused("it is gone")


async def facts(_: object) -> dict[str, str]:
    return {"name": "it"}


async def work(_: object) -> Changed:
    raise AssertionError("nothing is changed")


def visit(**posted: str) -> Any:
    request = Request("GET", "/console/x", "", (), b"", "127.0.0.1", secure=False, received=0.0)
    caller = SimpleNamespace(is_owner=True)
    return SimpleNamespace(
        request=request,
        visitor=SimpleNamespace(caller=caller),
        posted=Fields(list(posted.items())),
        path={},
        text=lambda key, **_: key,
    )


@pytest.mark.parametrize("part", ["inputs", "shows"])
async def test_what_goes_while_its_page_is_made_is_not_found(part: str) -> None:
    audit: Any = None
    steps: dict[str, Any] = {part: gone}
    change = OwnersChange(
        "/console/x", "instances", "instance_remove", "x", work, facts, lambda _: "/", **steps
    )
    (page,) = OwnersChanges(audit, (change,)).pages
    assert page.show is not None
    assert page.submit is not None
    assert (await page.show(visit())).status == 404
    assert (await page.submit(visit(sent="1"))).status == 404
