"""What commands share: the open store or application, its owner and instances, and tables.

A command's module is imported for its help alone, too. What a command needs to run is imported here, when it runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from rolecall.cli.errors import CommandError
from rolecall.cli.importing import large_imports
from rolecall.cli.printing import Output, Paging, Row

if TYPE_CHECKING:
    from rolecall.app.application import Application
    from rolecall.cli.opening import OpenStore
    from rolecall.cli.servers import OpenServers
    from rolecall.domain.access.keys import Owner
    from rolecall.domain.instances.registry import Instance

    HasStore: TypeAlias = Application | OpenStore

T = TypeVar("T")


def with_store(data: Path | None, work: Callable[[OpenStore], Awaitable[T]]) -> T:
    """Run `work` on the open store."""
    with large_imports():
        from rolecall.cli.opening import open_store, quiet_logs

    async def run() -> T:
        async with open_store(data) as opened:
            return await work(opened)

    quiet_logs()
    return asyncio.run(run())


def with_application(data: Path | None, work: Callable[[Application], Awaitable[T]]) -> T:
    """Run `work` on the open application. It serves no calls and resolves no operations."""
    with large_imports():
        from rolecall.app.opening import open_application
        from rolecall.cli.opening import credentials, quiet_logs
        from rolecall.settings import load_settings

    async def run() -> T:
        settings = load_settings()
        async with open_application(settings, *credentials(data, settings)) as opened:
            return await work(opened)

    quiet_logs()
    return asyncio.run(run())


def with_operations(data: Path | None, work: Callable[[Application], Awaitable[T]]) -> T:
    """As `with_application`, for work that changes accounts on servers.

    The process is a replica meanwhile: others leave its operations to it for as long as it runs, and resolve what it
    leaves open if it is killed.
    """

    async def joined(opened: Application) -> T:
        await opened.store.join()
        return await work(opened)

    return with_application(data, joined)


def with_servers(data: Path | None, work: Callable[[OpenServers], Awaitable[T]]) -> T:
    """Run `work` on the open store and the registered servers."""
    with large_imports():
        from rolecall.cli.opening import quiet_logs
        from rolecall.cli.servers import open_servers

    async def run() -> T:
        async with open_servers(data) as opened:
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


async def find_instance(opened: HasStore, named: str) -> Instance:
    """The instance of that public id, in any dialect, or else of that name. Raises `CommandError`."""
    instances = await opened.store.instances.instances()
    for instance in instances:
        if named in instance.faces.values():
            return instance
    found = [instance for instance in instances if instance.name == named]
    if len(found) > 1:
        raise CommandError(
            f"several instances are named `{named}`; use the id that `rolecall instance list` shows"
        )
    if not found:
        raise CommandError(f"there is no instance `{named}`; `rolecall instance list` shows them")
    return found[0]


def report(row: Row, text: str, *, as_json: bool) -> None:
    """Print what was done: as an array of one object, or as a sentence."""
    if as_json:
        show([row], as_json=True, columns=())
    else:
        print(text)


def show(
    rows: Iterable[Row],
    *,
    as_json: bool,
    columns: Sequence[str],
    empty: str = "nothing yet",
    paging: Paging | None = None,
) -> None:
    """Print rows as JSON or as a table of the named columns."""
    with Output(as_json=as_json, columns=columns, empty=empty) as output:
        output.add(rows if paging is None else paging.of(rows))
