"""Webhooks: URLs and names that may be added, signatures, pauses that receivers ask for, and TLS."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from tests.receiver import Receiver, receiving

from rolecall.app.outbox import background
from rolecall.cli.examination import _webhook_finding
from rolecall.cli.running.authority import own_certificate
from rolecall.domain.webhooks.model import Answer, NotPosted, Standing
from rolecall.domain.webhooks.outbox import Outbox
from rolecall.domain.webhooks.signatures import new_secret, parse_secret, signed_headers
from rolecall.domain.webhooks.targets import UrlRefused, is_name, origin_of
from rolecall.posting import HttpPoster, _retry_after
from rolecall.settings import Settings
from rolecall.values import Secret


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://siem.example/hooks?key=1", "https://siem.example"),
        ("https://SIEM.example:8443", "https://siem.example:8443"),
        ("https://[2001:db8::1]:443/", "https://[2001:db8::1]:443"),
        ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080"),
        ("http://[::1]/", "http://[::1]"),
        ("http://localhost/", "http://localhost"),
    ],
)
def test_records_are_posted_by_https_and_on_this_machine_by_http(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "url",
    [
        "", "siem.example", "//siem.example", "http://siem.example/", "ftp://siem.example/", "https://", "https:///x",
        "https://user@siem.example/", "https://user:password@siem.example/", "https://siem.example/#part",
        "https://siem.example:99999/", "https://siem.example:x/", "https://siem .example/", "https://siem.example/\n",
        "https://ümlaut.example/", "https://[::1/", "https://a%2eb/", "http://127.0.0.1@siem.example/",
        f"https://siem.example/{'x' * 2000}",
    ],
)  # fmt: skip
def test_other_urls_are_refused_without_showing_them(url: str) -> None:
    with pytest.raises(UrlRefused) as refused:
        origin_of(url)
    assert "password@" not in str(refused.value)


def test_names_are_fit_for_labels() -> None:
    assert all(map(is_name, ("siem", "a", "siem-2.eu_west", "0" * 63)))
    assert not any(map(is_name, ("", "-a", "Siem", "a b", 'a"', "0" * 64, "a\n")))


def test_a_signature_is_that_of_the_specifications_example() -> None:
    """The values of the test of the reference libraries (standard-webhooks/standard-webhooks, `libraries/`)."""
    secret = parse_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signed_headers([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize(
    "text", ["", "whsec_", "whsec_!", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ="]
)
def test_a_secret_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="24 to 64 bytes"):
        parse_secret(text)


@pytest.mark.parametrize(
    ("paused", "lag", "ok"),
    [
        ("", 299.0, True),
        ("", 301.0, False),
        ("operator", 9999.0, True),
        ("gone", 0.0, False),
        ("restored", 0.0, False),
    ],
)
def test_the_doctor_reports_a_webhook_that_is_behind_or_that_no_operator_paused(
    paused: str, lag: float, *, ok: bool
) -> None:
    now = datetime.now(UTC)
    standing = Standing("siem", "https://siem.example", paused, 1, 2, lag, 3, "why", now, None, now, None)
    found = _webhook_finding(standing)
    assert (found.check, found.ok) == ("webhook siem", ok)
    assert ("paused" if paused else "why") in found.detail


def test_new_secrets_differ_and_are_of_the_form() -> None:
    made = {parse_secret(new_secret().reveal()).reveal() for _ in range(3)}
    assert len(made) == 3


def test_a_pause_is_asked_for_in_seconds_or_by_a_date() -> None:
    assert (_retry_after("120"), _retry_after(""), _retry_after("soon"), _retry_after("-1")) == (
        120.0, None, None, None,
    )  # fmt: skip
    later = _retry_after(format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True))
    assert later is not None
    assert 500 < later <= 600
    assert _retry_after(format_datetime(datetime.now(UTC) - timedelta(minutes=10), usegmt=True)) == 0


@pytest.mark.parametrize(
    "text",
    ["Mon, 01 Jan 99999999999 00:00:00 GMT", "Mon, 01 Jan 2024 00:00:00 +99999999999999999999", "9e9", ","],
)
def test_a_pause_that_no_date_can_be_is_not_heeded(text: str) -> None:
    assert _retry_after(text) is None


async def test_a_confirmation_with_a_hostile_pause_is_a_confirmation() -> None:
    async with receiving() as receiver:
        receiver.answers.append((204, {"Retry-After": "Mon, 01 Jan 99999999999 00:00:00 GMT"}))
        assert (await _posted(receiver, None)).status == 204


async def test_a_name_that_cannot_be_looked_up_is_a_failed_attempt() -> None:
    poster = HttpPoster(None, 10)
    with pytest.raises(NotPosted, match=r"^the host's name is not valid$"):
        await poster.post(Secret("https://xn--a/hooks/credential"), {}, b"{}")
    await poster.close()


def test_pauses_double_to_a_bound_and_are_not_shorter_than_a_receiver_asks_for() -> None:
    nothing: Any = None
    outbox = Outbox(nothing, nothing, nothing, nothing, nothing)
    for failures, longest in ((0, 1), (1, 2), (5, 32), (9, 300), (10_000, 300)):
        assert longest / 2 <= outbox._pause(failures, None) <= longest
    assert outbox._pause(0, 7.0) == 7
    assert 150 <= outbox._pause(20, 7.0) <= 300
    assert outbox._pause(0, 1e9) == 3600


def test_an_operator_may_turn_delivery_off_in_a_process() -> None:
    nothing: Any = None
    assert background(Settings(webhooks=False), nothing, nothing, nothing) == ()


async def test_the_certificate_of_a_receiver_is_verified_and_no_proxy_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
    made = own_certificate(tmp_path / "tls", [])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.server)
    async with receiving(tls=context) as receiver:
        assert (await _posted(receiver, made.authority)).status == 204
        with pytest.raises(NotPosted, match="CERTIFICATE_VERIFY_FAILED"):
            await _posted(receiver, None)
    assert len(receiver.received) == 1


async def _posted(receiver: Receiver, authority: Path | None) -> Answer:
    poster = HttpPoster(authority, 30)
    try:
        return await poster.post(Secret(receiver.url), {}, b"{}")
    finally:
        await poster.close()
