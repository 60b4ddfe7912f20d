"""How the workers of `rolecall up` take turns at the servers that callers create, which their parent runs.

A worker connects to a socket in the workers' directory and waits for a line, which says that the turn is its own. When
it is done it writes the numbers of the instances that it changed, and a dot, each a line. A turn that ends without the
dot was cut short: its worker ended, or it failed, and what it has written is not known. Nothing secret passes here:
what there is to do is in the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog

from rolecall.domain.instances.registry import Instance
from rolecall.domain.operations.claims import ClaimedBefore
from rolecall.domain.provisioning.ports import Turn
from rolecall.domain.provisioning.reconciler import ServerReconciler
from rolecall.domain.reasons import Refused

_log = structlog.get_logger(__name__)

_END = b"."


def turns_socket(directory: Path) -> Path:
    return directory / "turns"


@asynccontextmanager
async def giving_turns(reconciler: ServerReconciler, socket: Path) -> AsyncIterator[None]:
    """In the parent."""

    async def give(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with reconciler.turn():
                writer.write(b"\n")
                *changed, end = (await reader.read()).split() or [b""]
                if end == _END:
                    for number in changed:
                        await reconciler.schedule_changed(int(number))
                else:
                    await reconciler.pick_up()
        except Exception as error:  # noqa: BLE001 - the next worker's turn comes all the same
            _log.error("a worker's turn at the servers failed", exc_info=error)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_unix_server(give, socket)
    try:
        yield
    finally:
        server.close()


class _Turn:
    def __init__(self) -> None:
        self.changed: list[int] = []

    def schedule(self, instance: Instance) -> None:
        self.changed.append(instance.id)


def _tell(writer: asyncio.StreamWriter, turn: _Turn) -> None:
    writer.writelines(b"%d\n" % number for number in turn.changed)
    writer.write(_END + b"\n")


class TurnsOfParent:
    """In a worker. OSError if the parent is gone."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Turn]:
        reader, writer = await asyncio.open_unix_connection(self._socket)
        turn = _Turn()
        try:
            if await reader.readline() != b"\n":
                raise ConnectionError("the parent ends")
            try:
                yield turn
            except (Refused, ClaimedBefore):
                _tell(writer, turn)  # what was changed before is carried out
                raise
            _tell(writer, turn)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
