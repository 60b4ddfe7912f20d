"""What every command that reads or changes the store needs: an open house, and ways to print."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import structlog
import typer
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from rich.console import Console
from rich.table import Table

from rolecall.assembly import House
from rolecall.cli.data import credentials
from rolecall.domain.access.keys import Owner
from rolecall.domain.instances.registry import Instance
from rolecall.settings import Settings, SettingsError

T = TypeVar("T")
Rows = Sequence[Mapping[str, object]]

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
_PIPE_WIDTH = 1000


def load_settings() -> Settings:
    try:
        return Settings()
    except ValidationError as trouble:
        raise SettingsError("; ".join(map(_said, trouble.errors()))) from None


def _said(error: ErrorDetails) -> str:
    what = error["msg"].removeprefix("Value error, ")
    return f"ROLECALL_{str(error['loc'][0]).upper()}: {what}"


def with_house(data: Path | None, work: Callable[[House], Awaitable[T]]) -> T:
    """Run `work` on an open house, which is no replica: it serves nothing and resolves nothing."""
    quiet_logs()

    async def run() -> T:
        settings = load_settings()
        house = House(settings, *credentials(data, settings))
        try:
            await house.open()
            return await work(house)
        finally:
            await house.close()

    return asyncio.run(run())


def quiet_logs() -> None:
    """A command that prints a table logs only what went wrong."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))


def first_line(error: BaseException) -> str:
    """What an error says, in one line; its kind if it says nothing."""
    return (str(error) or type(error).__name__).splitlines()[0]


async def only_owner(house: House) -> Owner:
    owners = await house.store.keys.owners()
    if not owners:
        raise SettingsError("this store has no owner yet; make one with `rolecall key create --owner`")
    return owners[0]


async def find_instance(house: House, public_id: str) -> Instance:
    for instance in await house.store.instances.instances():
        if public_id in instance.faces.values():
            return instance
    raise SettingsError(f"there is no instance `{public_id}`; `rolecall instance list` shows them")


def show(rows: Rows, *, as_json: bool, columns: Sequence[str], empty: str = "nothing yet") -> None:
    """Print rows as JSON or as a table of the named columns."""
    if as_json:
        print(json.dumps([dict(row) for row in rows], default=_plain, indent=2, ensure_ascii=False))
        return
    if not rows:
        print(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    # A terminal folds what is too wide; a pipe gets every row on one line.
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
