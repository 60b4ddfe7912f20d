"""Chromium without a window, driven over its debugging pipe (Chrome DevTools Protocol: JSON, each ended by NUL)."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import time
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_PATIENCE = 120.0


class Chromium:
    """One page. `profile` is an empty directory."""

    def __init__(self, profile: Path) -> None:
        asked, self._send = os.pipe()
        self._receive, told = os.pipe()
        # Chromium reads at 3 and writes at 4; bash puts them there from where they cannot be in the way.
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in (asked, told)]
        options = (
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--no-proxy-server", "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank",
        )  # fmt: skip
        with (profile / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    "bash",
                    "-c",
                    'exec "${@:3}" 3<&"$1" 4>&"$2"',
                    "bash",
                    *map(str, ends),
                    str(PROGRAM),
                    *options,
                ],
                pass_fds=ends,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        for end in (asked, told, *ends):
            os.close(end)
        self._ids = count(1)
        self._read = b""
        self._session = ""

    def __enter__(self) -> Self:
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session = ""
        try:
            self._write({"id": next(self._ids), "method": "Browser.close"})
            self._process.wait(_PATIENCE)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        os.close(self._send)
        os.close(self._receive)

    def open(self, url: str) -> None:
        self._ask("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        return self._ask("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def until(self, script: str) -> None:
        """Wait until an expression is true in the page, which may change meanwhile."""
        deadline = time.monotonic() + _PATIENCE
        while not self.run(script):
            assert time.monotonic() < deadline, (script, self.run("location.href + document.body.innerText"))
            time.sleep(0.05)

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._ids)
        session = {"sessionId": self._session} if self._session else {}
        self._write({"id": number, "method": method, "params": params, **session})
        while (answer := self._next()).get("id") != number:
            pass  # events, and answers that nobody waits for
        assert "error" not in answer or "context" in answer["error"]["message"], answer
        return dict(answer.get("result", {"result": {}}))

    def _write(self, message: dict[str, Any]) -> None:
        os.write(self._send, json.dumps(message).encode() + b"\0")

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._read:
            more = os.read(self._receive, 1 << 16)
            assert more, "Chromium ended"
            self._read += more
        message, _, self._read = self._read.partition(b"\0")
        return dict(json.loads(message))
