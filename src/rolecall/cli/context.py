"""What commands share: the open store or application, its owner and instances, and tables.

A command's module is imported for its help alone, too. What a command needs to run is imported here, when it runs.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from rolecall.cli.errors import CommandError

if TYPE_CHECKING:
    from rolecall.app.application import Application
    from rolecall.cli.opening import OpenStore
    from rolecall.domain.access.keys import Owner
    from rolecall.domain.instances.registry import Instance

    HasStore: TypeAlias = Application | OpenStore

T = TypeVar("T")
Rows = Sequence[Mapping[str, object]]

_PIPE_WIDTH = 1000


def with_store(data: Path | None, work: Callable[[OpenStore], Awaitable[T]]) -> T:
    """Run `work` on the open store."""
    from rolecall.cli.opening import open_store, quiet_logs

    async def run() -> T:
        async with open_store(data) as opened:
            return await work(opened)

    quiet_logs()
    return asyncio.run(run())


def with_application(data: Path | None, work: Callable[[Application], Awaitable[T]]) -> T:
    """Run `work` on the open application. It serves no calls and resolves no operations."""
    from rolecall.app.opening import open_application
    from rolecall.cli.opening import credentials, quiet_logs
    from rolecall.settings import load_settings

    async def run() -> T:
        settings = load_settings()
        async with open_application(settings, *credentials(data, settings)) as opened:
            return await work(opened)

    quiet_logs()
    return asyncio.run(run())


def first_line(error: BaseException) -> str:
    """The first line of an error's text, or the name of its class if it has no text."""
    return (str(error) or type(error).__name__).splitlines()[0]


async def only_owner(opened: HasStore) -> Owner:
    owners = await opened.store.keys.owners()
    if not owners:
        raise CommandError("this store has no owner yet; make one with `rolecall key create --owner`")
    return owners[0]


async def find_instance(opened: HasStore, public_id: str) -> Instance:
    for instance in await opened.store.instances.instances():
        if public_id in instance.faces.values():
            return instance
    raise CommandError(f"there is no instance `{public_id}`; `rolecall instance list` shows them")


def show(rows: Rows, *, as_json: bool, columns: Sequence[str], empty: str = "nothing yet") -> None:
    """Print rows as JSON or as a table of the named columns."""
    if as_json:
        print(json.dumps([dict(row) for row in rows], default=_plain, indent=2, ensure_ascii=False))
    elif not rows:
        print(empty)
    else:
        _print_table(rows, columns)


def _print_table(rows: Rows, columns: Sequence[str]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    # On a terminal wide cells are folded; in a pipe every row is one line.
    Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH).print(table)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return str(value)


def _plain(value: Any) -> object:
    return value.isoformat() if isinstance(value, datetime) else str(value)
