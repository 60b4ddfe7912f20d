"""Contexts for TLS are made beside the event loop, and once."""

from __future__ import annotations

import asyncio
import os
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest

from rolecall.domain.engine import EngineAddress
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines.mysql import tls
from rolecall.values import Secret


def contexts(**options: str) -> tls.TlsContexts:
    return tls.TlsContexts(EngineAddress("mysql", "127.0.0.1", 1, "root", Secret("x"), "", options))


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """In which threads contexts were made."""
    threads: list[str] = []

    def make(**_: Any) -> ssl.SSLContext:
        threads.append(threading.current_thread().name)
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    monkeypatch.setattr(tls.ssl, "create_default_context", make)
    return threads


async def test_a_context_is_made_once_beside_the_loop_though_many_ask(made: list[str]) -> None:
    wanted = contexts(sslmode="require")
    found = await asyncio.gather(*(wanted.context() for _ in range(10)))
    assert len(set(map(id, found))) == 1
    assert len(made) == 1
    assert made[0] != threading.main_thread().name


async def test_a_renewed_certificate_makes_another(made: list[str], tmp_path: Path) -> None:
    authorities = tmp_path / "ca.pem"
    authorities.write_text("one")
    wanted = contexts(sslmode="verify-ca", sslrootcert=str(authorities))
    first = await wanted.context()
    assert await wanted.context() is first
    os.utime(authorities, ns=(1, 1))
    assert await wanted.context() is not first
    assert len(made) == 2


async def test_nothing_is_made_where_nothing_is_encrypted_and_an_unknown_word_is_refused(
    made: list[str],
) -> None:
    assert await contexts().context() is None
    with pytest.raises(Refused) as caught:
        await contexts(sslmode="perhaps").context()
    assert caught.value.reason is Reason.ENGINE_UNREACHABLE
    assert made == []
