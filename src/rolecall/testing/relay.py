"""In a container: passes connections on to the database servers of `rolecall up`, which listen on loopback there.

``python -m rolecall.testing.relay READY-FILE postgres=0.0.0.0:5432``. The ready file is read for each connection: it
is not there while Rolecall is stopped, and ports of the servers may change.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

_CHUNK = 64 * 1024


async def serve(ready: Path, listens: Mapping[str, str]) -> None:
    """Until SIGTERM. `listens`: host and port to listen on, by the server's name in the ready file."""
    for name, address in listens.items():
        host, _, port = address.rpartition(":")
        await asyncio.start_server(partial(_relay, ready, name), host, int(port))
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()


async def _relay(ready: Path, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A connection whose server does not run is closed, as one to a server that stops is."""
    with suppress(OSError, ValueError, KeyError):  # no file, a file that is being written, no such server
        server = json.loads(ready.read_text("utf-8"))["engines"][name]  # noqa: ASYNC240 - a small file in memory
        there, back = await asyncio.open_connection(server["host"], server["port"])
        await asyncio.gather(_copy(reader, back), _copy(there, writer))
    writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    writer.close()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), dict(argument.split("=") for argument in sys.argv[2:])))
