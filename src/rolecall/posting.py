"""Posts of webhooks over HTTPS: certificates are verified, redirects are not followed, and no proxy of the environment
is used. Nothing that a receiver answers is kept but its status and the pause that it asks for.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx

from rolecall import __version__, ambient
from rolecall.domain.webhooks.model import Answer, NotPosted
from rolecall.values import Secret

_MOST_READ = 64 * 1024
"""Bytes of an answer that are read, so that its connection can be used again; behind them it is closed."""

_DRAIN_SECONDS = 1.0
"""How long the rest of an answer may take."""

_CONNECTIONS = 32
_LONGEST_NOTE = 200

_HEADERS = {"user-agent": f"rolecall/{__version__}", "accept-encoding": "identity"}


class HttpPoster:
    """`authorities` is a file of certificate authorities, PEM; the system's if None. `seconds` is the time of a whole
    attempt."""

    def __init__(self, authorities: Path | None, seconds: float) -> None:
        self._seconds = seconds
        self._http = httpx.AsyncClient(
            verify=ssl.create_default_context(cafile=authorities),
            timeout=seconds,
            limits=httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS),
            headers=_HEADERS,
            follow_redirects=False,
            trust_env=False,
        )

    async def post(self, url: Secret, headers: Mapping[str, str], body: bytes) -> Answer:
        """NotPosted. What comes after the status of an answer is not waited for."""
        answer: Answer | None = None
        try:
            async with (
                asyncio.timeout(self._seconds) as deadline,
                self._http.stream("POST", url.reveal(), headers=headers, content=body) as response,
            ):
                answer = Answer(response.status_code, _retry_after(response.headers.get("retry-after", "")))
                deadline.reschedule(asyncio.get_running_loop().time() + _DRAIN_SECONDS)
                await _drain(response)
        except Exception as error:  # noqa: BLE001 - also of `idna`, for a name: no URL and no answer ends a delivery
            if answer is None:  # without the error as its cause, which holds the request, and with it the URL
                raise NotPosted(self._note(error)) from None
        assert answer is not None  # noqa: S101 - or an error was raised
        return answer

    def _note(self, error: Exception) -> str:
        if isinstance(error, httpx.TimeoutException | TimeoutError):
            return f"no answer within {self._seconds:g} seconds"
        if isinstance(error, httpx.ConnectError):  # its text is the system's or OpenSSL's, and names no URL
            return f"no connection: {(str(error).splitlines() or [''])[0][:_LONGEST_NOTE]}"
        if isinstance(error, UnicodeError):
            return "the host's name is not valid"
        return f"the connection failed: {type(error).__name__}"

    async def close(self) -> None:
        await self._http.aclose()


async def _drain(response: httpx.Response) -> None:
    read = 0
    async for piece in response.aiter_raw():
        read += len(piece)
        if read > _MOST_READ:
            return


def _retry_after(text: str) -> float | None:
    """Seconds, or the time until a date (RFC 9110 10.2.3); None for anything else."""
    if text.isascii() and text.isdecimal():
        return float(text[:10])
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - ambient.now()).total_seconds())
