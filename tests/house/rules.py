"""A rule for each of many files, as a single test: as tests of their own they would be a third of the whole run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Case = TypeVar("Case")


def for_each(
    cases: Sequence[Case], name: Callable[[Case], str] = str
) -> Callable[[Callable[[Case], None]], Callable[[], None]]:
    """Makes a test of a rule; it fails with the name of every case that breaks the rule, and how."""

    def decorate(rule: Callable[[Case], None]) -> Callable[[], None]:
        def test() -> None:
            assert cases
            broken = []
            for case in cases:
                try:
                    rule(case)
                except AssertionError as error:
                    broken.append(f"{name(case)}: {error}")
            assert not broken, "\n".join(broken)

        test.__name__, test.__qualname__, test.__doc__ = rule.__name__, rule.__qualname__, rule.__doc__
        test.__module__ = rule.__module__
        return test

    return decorate
