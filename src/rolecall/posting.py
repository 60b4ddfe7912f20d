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
        """NotPosted."""
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._http.stream("POST", url.reveal(), headers=headers, content=body) as response,
            ):
                await _drain(response)
                return Answer(response.status_code, _retry_after(response.headers.get("retry-after", "")))
        except (httpx.TimeoutException, TimeoutError):
            raise NotPosted(f"no answer within {self._seconds:g} seconds") from None
        except httpx.ConnectError as error:  # its text is the system's or OpenSSL's, and names no URL
            note = (str(error).splitlines() or [""])[0][:_LONGEST_NOTE]
            raise NotPosted(f"no connection: {note}") from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            # No cause is kept: it holds the request, and with it the URL.
            raise NotPosted(f"the connection failed: {type(error).__name__}") from None

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
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - ambient.now()).total_seconds())
