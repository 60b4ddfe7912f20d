"""Progress bars on standard error, for work that may take long: only on a terminal, and not with `--quiet`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)


def progress(*columns: ProgressColumn, quiet: bool = False) -> Progress:
    console = Console(stderr=True)
    return Progress(*columns, console=console, disable=quiet or not console.is_terminal)


@contextmanager
def bar(what: str, total: int | None, *, quiet: bool = False) -> Iterator[Callable[[int], None]]:
    """Yields what is called with the number of things that were done since. `total` None: it is not known."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with progress(*columns, quiet=quiet) as shown:
        task = shown.add_task(what, total=total)
        yield lambda count: shown.advance(task, count)
