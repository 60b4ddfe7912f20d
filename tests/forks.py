"""Runs of programs whose modules were imported once: each run is a fork of a process that has them.

A start of `rolecall` or of a vendor's client takes a second, nearly all of it imports, and the tests make hundreds. A
fork has what a process of its own has: arguments, environment, working directory, standard streams, signals and an exit
status. Only /proc shows the environment and the command line of the process that it was forked from.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import IO, Any, NoReturn

ROOT = Path(__file__).parents[1]
_LONGEST = 1 << 18
"""Bytes of a message: arguments and environment."""


class Forked:
    """A run: what tests use of `subprocess.Popen`."""

    def __init__(self, arguments: Sequence[str], told: int) -> None:
        self.args = arguments
        self.returncode: int | None = None
        self._told = os.fdopen(told)
        number = self._told.readline()
        if not number:
            self._told.close()
            raise ChildProcessError("the process that forks has ended: its standard error says why")
        self.pid = int(number)

    def poll(self) -> int | None:
        return self._await(0)

    def wait(self, timeout: float | None = None) -> int:
        status = self._await(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # it has ended, and the word of it is on its way
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _await(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            with selectors.DefaultSelector() as selector:
                selector.register(self._told, selectors.EVENT_READ)
                if selector.select(timeout):
                    self.returncode = int(self._told.readline())
                    self._told.close()
        return self.returncode


class Forks:
    """The process that forks: `python -m MODULE DESCRIPTOR`, a module that ends in `serve()`."""

    def __init__(self, module: str, env: Mapping[str, str]) -> None:
        self._asks, served = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with served:
            self._server = subprocess.Popen(
                [sys.executable, "-m", module, str(served.fileno())],
                cwd=ROOT,
                env=env,
                stdin=subprocess.DEVNULL,
                pass_fds=[served.fileno()],
            )

    def close(self) -> None:
        self._asks.close()
        assert self._server.wait() == 0

    def start(
        self,
        program: str | Path,
        arguments: Sequence[object],
        env: Mapping[str, str],
        *,
        cwd: str | Path | None = None,
        stdin: int | IO[bytes] = subprocess.DEVNULL,
        stdout: int | IO[bytes] | None = None,
        stderr: int | IO[bytes] | None = None,
    ) -> Forked:
        """`program` is a script, or a function as `module:function`; streams are as in `subprocess.Popen`."""
        command = [str(program), *map(str, arguments)]
        ask = {"command": command, "env": dict(env), "cwd": str(cwd or Path.cwd())}
        reading, told = os.pipe()
        nowhere = os.open(os.devnull, os.O_RDWR)
        streams = [told]
        for stream, default in ((stderr, 2), (stdout, 1), (stdin, 0)):
            if stream is None:
                streams.insert(0, default)
            elif isinstance(stream, int):
                streams.insert(0, nowhere if stream == subprocess.DEVNULL else stream)
            else:
                streams.insert(0, stream.fileno())
        socket.send_fds(self._asks, [json.dumps(ask).encode()], streams)
        os.close(nowhere)
        os.close(told)
        return Forked(command, reading)

    def run(
        self,
        program: str | Path,
        arguments: Sequence[object],
        env: Mapping[str, str],
        *,
        cwd: str | Path | None = None,
        timeout: float | None = None,
        check: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        """One run to its end, without input."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            forked = self.start(program, arguments, env, cwd=cwd, stdout=out, stderr=err)
            try:
                status = forked.wait(timeout)
            except subprocess.TimeoutExpired:
                forked.kill()
                raise
            out.seek(0)
            err.seek(0)
            done = subprocess.CompletedProcess(forked.args, status, out.read().decode(), err.read().decode())
        if check:
            done.check_returncode()
        return done


def serve() -> None:
    """Fork on request until the last client has closed its end; then end this process and all its forks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, _reap)
    gc.freeze()  # a collection would copy the pages that forks share
    with socket.socket(fileno=int(sys.argv[1])) as asks:
        while True:
            message, descriptors, _, _ = socket.recv_fds(asks, _LONGEST, 4)
            if not message:
                sys.exit()
            if os.fork() == 0:
                break
            for descriptor in descriptors:
                os.close(descriptor)
    _fork(json.loads(message), *descriptors)


def _reap(*_: object) -> None:
    """Children are waited for, so that what they cost is in what `time` shows of the tests."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _fork(ask: Mapping[str, Any], *descriptors: int) -> NoReturn:
    """Fork again: this process tells the number of the other, and waits for its status."""
    *streams, told = descriptors
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child == 0:
        os.close(told)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        _run(ask)
    for stream in streams:
        os.close(stream)
    os.write(told, f"{child}\n".encode())
    _, status = os.waitpid(child, 0)
    os.write(told, f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _run(ask: Mapping[str, Any]) -> NoReturn:
    """The program, and what an interpreter does at its end but for freeing all modules, which takes 0.1 s."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    status: object = 1
    try:
        os.environ.clear()
        os.environ.update(ask["env"])
        os.chdir(ask["cwd"])
        time.tzset()
        tempfile.tempdir = None
        sys.argv = ask["command"]
        status = _program(sys.argv[0])()
    except SystemExit as end:
        status = end.code
    except BaseException:
        traceback.print_exc()
    if isinstance(status, str):
        print(status, file=sys.stderr)
        status = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(status or 0))  # type: ignore[call-overload]


def _program(name: str) -> Callable[[], object]:
    if name.endswith(".py"):
        return lambda: runpy.run_path(name, run_name="__main__") and None
    module, _, function = name.partition(":")
    program: Callable[[], object] = getattr(import_module(module), function)
    return program
