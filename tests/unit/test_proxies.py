"""Whose word on where a request came from is taken, and the headers of every answer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from rolecall import server
from rolecall.proxies import Proxies
from rolecall.response_headers import completed
from rolecall.settings import Settings, networks
from rolecall.values import Reply, Request

PROXIES = networks(["10.0.0.0/8", "192.0.2.9", "2001:db8::/32"])


def settled(peer: str, *headers: tuple[str, str], trusted: Any = PROXIES) -> tuple[str, str, list[str]]:
    """Client, scheme and names of the headers that are left."""
    scope: dict[str, Any] = {
        "client": (peer, 1) if peer else None,
        "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }
    Proxies(trusted).settle(scope)
    client = scope["client"][0] if scope["client"] else ""
    return client, scope["scheme"], [name.decode() for name, _ in scope["headers"]]


LIES = (
    ("x-forwarded-for", "9.9.9.9"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "evil"),
    ("forwarded", "for=9.9.9.9;proto=https"),
    ("x-real-ip", "9.9.9.9"),
)


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "192.0.2.8", "", "testclient"])
def test_nobody_but_a_trusted_proxy_is_believed_and_nothing_of_it_is_passed_on(peer: str) -> None:
    assert settled(peer, *LIES, ("host", "h")) == (peer, "http", ["host"])
    assert settled(peer, *LIES, trusted=()) == (peer, "http", [])


@pytest.mark.parametrize(
    ("passed", "client"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("9.9.9.9, 203.0.113.7", "203.0.113.7"),  # what the client itself wrote stands first
        ("9.9.9.9, 203.0.113.7, 10.1.1.1", "203.0.113.7"),
        ("203.0.113.7:4711", "203.0.113.7"),
        ("[2001:db9::7]:4711", "2001:db9::7"),
        ("10.1.1.1, 10.1.1.2", "10.1.1.1"),
        ("not an address", "10.0.0.1"),
        ("203.0.113.7, not an address", "10.0.0.1"),
        ("", "10.0.0.1"),
    ],
)
def test_the_client_is_the_last_address_that_no_proxy_has(passed: str, client: str) -> None:
    assert settled("10.0.0.1", ("x-forwarded-for", passed)) == (client, "http", [])


def test_several_headers_are_one_list() -> None:
    headers = (("x-forwarded-for", "9.9.9.9"), ("x-forwarded-for", "203.0.113.7"))
    assert settled("10.0.0.1", *headers)[0] == "203.0.113.7"


@pytest.mark.parametrize(
    ("protocols", "scheme"),
    [(["https"], "https"), (["HTTPS"], "https"), (["http"], "http"), (["https", "http"], "http"), (["wss"], "http"),
     (["https,http"], "http"), ([], "http")],
)  # fmt: skip
def test_https_is_what_the_proxy_says_once_and_clearly(protocols: list[str], scheme: str) -> None:
    headers = [("x-forwarded-proto", one) for one in protocols]
    assert settled("10.0.0.1", ("x-forwarded-for", "203.0.113.7"), *headers)[1] == scheme


def test_a_mapped_address_of_a_proxy_is_the_proxys() -> None:
    assert settled("::ffff:10.0.0.1", ("x-forwarded-for", "203.0.113.7"))[0] == "203.0.113.7"


def test_it_is_logged_once() -> None:
    proxies = Proxies(())
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            proxies.settle({"client": ("127.0.0.1", 1), "headers": [(b"x-forwarded-for", b"9.9.9.9")]})
    assert [(one["peer"], one["setting"]) for one in logs] == [("127.0.0.1", "ROLECALL_TRUSTED_PROXIES")]


@pytest.mark.parametrize("wrong", ["proxy.example", "*", "10.0.0.1/8"])
def test_only_addresses_and_networks_are_taken(wrong: str) -> None:
    with pytest.raises(ValueError, match="trusted_proxies"):
        Settings(trusted_proxies=(wrong,))


class Recorder:
    """A pipeline that keeps the request."""

    def largest_body(self, _head: Request) -> int:
        return 1000

    async def answer(self, request: Request) -> Reply:
        self.request = request
        return Reply(200, (("content-type", "application/json"),), b"{}")


async def asked(trusted: tuple[str, ...]) -> tuple[Request, dict[str, str]]:
    """What the river gets of a request by a neighbour on this machine that says it is somebody's proxy."""
    pipeline = Recorder()
    application: Any = SimpleNamespace(
        settings=Settings(trusted_proxies=trusted), deciphering=None, metrics=None
    )
    scope = {
        "type": "http", "method": "POST", "path": "/", "raw_path": b"/", "query_string": b"", "scheme": "http",
        "client": ("127.0.0.1", 1),
        "headers": [(b"host", b"h"), (b"x-forwarded-for", b"9.9.9.9"), (b"x-forwarded-proto", b"https")],
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "entry", lambda *_, **__: SimpleNamespace(pipeline=pipeline))
        await server.AsgiApp(application)(scope, receive, send)
    return pipeline.request, {name.decode(): value.decode() for name, value in sent[0]["headers"]}


async def test_a_neighbour_on_this_machine_is_no_proxy_unless_it_is_named() -> None:
    request, headers = await asked(())
    assert (request.client, request.secure) == ("127.0.0.1", False)
    assert "strict-transport-security" not in headers
    request, headers = await asked(("127.0.0.1",))
    assert (request.client, request.secure) == ("9.9.9.9", True)
    assert headers["strict-transport-security"] == "max-age=31536000"


async def test_every_answer_says_that_it_is_no_page_and_not_to_be_kept() -> None:
    _, headers = await asked(())
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_an_answers_own_headers_stay() -> None:
    own = (("Cache-Control", "max-age=60"), ("content-security-policy", "default-src 'self'"))
    assert completed(own, strict_transport=False) == [*own, ("x-content-type-options", "nosniff")]
