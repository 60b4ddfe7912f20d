"""What every kind of local server does: `class TestServer(EveryServer)` in a module with a fixture `server`."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.waiting import until

from rolecall.local import LocalServerError
from rolecall.local.account import current_account
from rolecall.local.cluster import processes_in
from rolecall.local.server import LocalServer
from rolecall.values import Secret

PASSWORD = Secret("it's \\ a secret ☂")

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to run the server as somebody else")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux shows them")

_OWNER = """
import sys, signal
from pathlib import Path
import rolecall.local
from rolecall.values import Secret
server = getattr(rolecall.local, sys.argv[1])(Path(sys.argv[2]), password=Secret(sys.argv[3]))
server.start()
print(server.port, flush=True)
signal.pause()
"""


def refuses(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@contextmanager
def owner_of(server: LocalServer) -> Iterator[subprocess.Popen[str]]:
    """Another process that runs the server."""
    command = [sys.executable, "-c", _OWNER, type(server).__name__, str(server.directory), PASSWORD.reveal()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == str(server.port)
        yield process
        process.kill()


class EveryServer:
    program: str
    """The name of its processes."""

    def test_a_port_that_was_taken_meanwhile_is_replaced(self, server: LocalServer) -> None:
        server.start()
        server.stop()
        with socket.create_server(("127.0.0.1", server.port)) as taker:
            server.start()
            assert server.port != taker.getsockname()[1]
            assert not refuses(server.port)

    def test_a_directory_serves_one_at_a_time(self, server: LocalServer) -> None:
        server.start()
        with pytest.raises(LocalServerError, match="another process"):
            type(server)(server.directory, password=PASSWORD).start()
        assert not refuses(server.port)

    @on_linux
    def test_it_ends_when_its_owner_is_killed(self, server: LocalServer) -> None:
        with owner_of(server) as owner:
            assert not refuses(server.port)
            owner.kill()
            until(lambda: refuses(server.port) and not processes_in(server.cluster, self.program))

    @as_root
    def test_root_runs_it_as_another_account_and_opens_no_directory_for_that(
        self, server: LocalServer
    ) -> None:
        server.start()
        cluster = server.cluster.resolve()
        assert server.cluster.is_symlink()
        assert not cluster.is_relative_to(server.directory)
        assert cluster.stat().st_uid == current_account().uid != 0
        assert server.directory.stat().st_mode & 0o777 == 0o700
