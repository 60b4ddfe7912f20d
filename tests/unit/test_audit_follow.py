"""`rolecall audit --follow` says when records that it was to print were pruned."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from rolecall.cli.audit import _follow
from rolecall.cli.errors import CommandError
from rolecall.domain.operations.audit import Head, Page, Wanted


class _Audit:
    """A chain whose first places were pruned: only 6 and 7 are left."""

    async def checkpoint(self) -> Head:
        return Head(5, b"")

    async def after(self, _wanted: Wanted, position: int, _limit: int) -> Page | None:
        if position >= 7:
            raise EOFError  # it would wait here
        return Page(6, 7, ())


def _opened() -> Any:
    async def chain() -> None: ...

    auditing = SimpleNamespace(chain=chain)
    return SimpleNamespace(
        store=SimpleNamespace(audit=_Audit()), operations=SimpleNamespace(auditing=auditing)
    )


async def test_what_was_pruned_behind_a_position_is_named() -> None:
    with pytest.raises(CommandError, match=r"from position 4 to 5 were pruned; --after 5 begins"):
        await _follow(_opened(), Wanted(), 3, 10, as_json=True)


@pytest.mark.parametrize("after", [0, 5])
async def test_the_oldest_record_is_the_first_that_is_left(after: int) -> None:
    with pytest.raises(EOFError):
        await _follow(_opened(), Wanted(), after, 10, as_json=True)
