"""Why a signature is wrong: each common error of a client is named."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from tests.unit.explorer_calls import call_of, every_call

from rolecall.console.explorer.inputs import inputs_of
from rolecall.console.explorer.signature import Explanation, NotARequest, explain, key_named, read_request
from rolecall.console.explorer.wire import signed_request
from rolecall.console.texts import TEXTS
from rolecall.services import SERVICES
from rolecall.signing import acs1, tc3
from rolecall.values import Secret

KEY = Secret("the-key")
NOW = 1_800_000_000
HOST = "127.0.0.1:7653"


def tencent(**changes: Any) -> str:
    """A signed request as text. `changes`: what was signed; `sent_...`: what is sent instead."""
    sent = {name.removeprefix("sent_"): changes.pop(name) for name in [*changes] if name.startswith("sent_")}
    key = changes.pop("key", KEY)
    signed = {"service": "cam", "timestamp": NOW, "host": HOST, "payload": b'{"Name": "a"}'} | changes
    proof = tc3.authorization("AKIDx", key, **signed)
    headers = {
        "Host": sent.get("host", signed["host"]),
        "Content-Type": sent.get("content_type", signed.get("content_type", "application/json")),
        "X-TC-Action": "GetUser",
        "X-TC-Timestamp": str(sent.get("timestamp", signed["timestamp"])),
        "Authorization": sent.get("authorization", proof),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST / HTTP/1.1\r\n{lines}\r\n{sent.get('body', signed['payload'].decode())}\r\n"


def reason(text: str, key: Secret | None = KEY, now: float = NOW, **more: Any) -> str:
    found = explain(read_request(text), key, now, here=HOST, **more)
    for finding in found.findings:
        texts = [text.format(**finding.facts) for text in TEXTS[finding.key]]
        assert all(texts)
        assert KEY.reveal() not in "".join(texts)
    return "" if found.reason is None else found.reason.key


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({}, ""),
        ({"key": Secret("other")}, "why_secret"),
        ({"host": "cam.tencentcloudapi.com", "sent_host": HOST}, "why_secret"),
        ({"host": HOST, "sent_host": "proxy.example"}, "why_host"),
        ({"timestamp": NOW - 4000}, "why_skew"),
        ({"sent_timestamp": NOW + 86400 * 40}, "why_skew"),
        ({"payload": b'{"Name": "a"}\n', "sent_body": '{"Name": "a"}'}, "why_body"),
        ({"payload": b"", "sent_body": '{"Name": "a"}'}, "why_body"),
        ({"sent_content_type": "application/json; charset=utf-8"}, "why_content_type"),
        ({"method": "GET"}, "why_method"),
        ({"sent_authorization": "TC3-HMAC-SHA256 Credential=AKIDx"}, "why_malformed"),
    ],
)
def test_a_tencent_signature(changes: dict[str, Any], key: str) -> None:
    assert reason(tencent(**changes)) == key


def test_the_date_of_the_scope_is_compared_with_the_timestamp() -> None:
    now = NOW - NOW % 86400 + 10  # ten seconds into a day
    text = tencent(timestamp=now - 20, sent_timestamp=now)
    assert reason(text, now=now) == "why_date"


def test_a_canonical_request_of_ones_own_is_compared_line_by_line() -> None:
    found = explain(read_request(tencent()), None, NOW)
    canonical = next(step.text for step in found.steps if step.title == "canonical_request")
    assert reason(tencent(), None, own=canonical.replace("\n", "\r\n")) == ""
    for wrong, part in (
        (canonical.replace("POST", "GET"), "line_method"),
        (canonical.replace("host:127.0.0.1", "host:localhost"), "line_header"),
        (canonical[:-1] + ("0" if canonical[-1] != "0" else "1"), "line_hash"),
        (canonical.replace("content-type;host", "host"), "line_names"),
        (canonical.replace("\n\n", "\n"), ""),
    ):
        compared = explain(read_request(tencent()), None, NOW, own=wrong)
        assert compared.reason is not None
        assert compared.reason.key == "why_line"
        assert part in ("", compared.reason.facts["part"])


def aliyun(method: str = "POST", key: Secret = KEY, text: str | None = None, **changes: str) -> str:
    params = {
        "Action": "DescribeAccounts", "Version": "2016-01-01", "AccessKeyId": "AKIDx", "SignatureNonce": "n1",
        "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0", "Timestamp": "2027-01-15T08:00:00Z",
        "InstanceId": "a b*~", "NewPassword": "pass word&1",
    } | changes  # fmt: skip
    signed = acs1.string_to_sign("POST", params.items()) if text is None else text
    body = urlencode({**params, "Signature": acs1.signature(key, signed)})
    return f"{method} / HTTP/1.1\nHost: {HOST}\n\n{body}\n"


def params_of(text: str) -> dict[str, str]:
    return dict(pair for pair in _pairs(text) if pair[0] != "Signature")


def _pairs(text: str) -> list[tuple[str, str]]:
    from urllib.parse import parse_qsl

    return parse_qsl(text.partition("\n\n")[2].strip())


def test_an_alibaba_signature() -> None:
    assert reason(aliyun()) == ""
    assert reason(aliyun(key=Secret("other"))) == "why_secret"
    assert reason(aliyun(Timestamp="2027-01-15T09:00:00Z")) == "why_skew"
    assert reason(aliyun(Timestamp="yesterday")) == "why_timestamp_form"
    assert reason(aliyun(SignatureNonce="")) == "why_no_parameter"
    assert reason(aliyun(SignatureMethod="MD5")) == "why_algorithm"
    params = params_of(aliyun())
    plus = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in sorted(params.items()))
    unsorted = "&".join(
        f"{acs1.percent_encode(name)}={acs1.percent_encode(value)}" for name, value in params.items()
    )
    for text, key in (
        (acs1.string_to_sign("GET", params.items()), "why_method"),
        (f"POST&%2F&{acs1.percent_encode(plus)}", "why_plus"),
        (f"POST&%2F&{acs1.percent_encode(unsorted)}", "why_unsorted"),
        (f"POST&%2F&{acs1.canonical_query(params.items())}", "why_encoded"),
    ):
        assert reason(aliyun(text=text)) == key, key


def test_values_of_secret_parameters_are_not_shown() -> None:
    hidden = frozenset({"NewPassword"})
    text = acs1.string_to_sign("POST", params_of(aliyun()).items())
    for own in ("", text.replace("pass", "puss"), text):
        found = explain(read_request(aliyun()), KEY, NOW, own=own, secret_names=hidden)
        shown = repr((found.steps, found.findings))
        assert "pass" not in shown.lower().replace("newpassword", "")
        assert "puss" not in shown


def test_the_signature_that_would_be_right_is_not_told() -> None:
    other = tencent(key=Secret("other"))
    right = tencent().partition("Signature=")[2][:64]
    found: Explanation = explain(read_request(other), KEY, NOW)
    assert right not in repr(found)


@pytest.mark.parametrize("text", ["", "hello", "POST /\nno colon", "\0", "GET"])
def test_what_is_not_a_request_is_refused(text: str) -> None:
    with pytest.raises(NotARequest):
        read_request(text)


def test_the_explorers_own_requests_are_right() -> None:
    for call in every_call():
        if call.dialect != "openstack":
            text = signed_request(call, "AKIDx", KEY, NOW, "nonce").text
            assert key_named(read_request(text)) == "AKIDx"
            assert reason(text) == "", call.action


def test_a_placeholder_stands_for_a_password_in_the_request() -> None:
    assert "$PASSWORD" in signed_request(call_of("postgres", "ResetAccountPassword"), "i", KEY, NOW, "n").text


def test_no_parameter_has_the_name_of_another_field_of_the_form() -> None:
    reserved = {"csrf", "sent", "do", "confirm", "region", "sign_id", "secret_sign_key"}
    for service in SERVICES:
        for action in service.contract.actions.values():
            names = [each.name for each in inputs_of(action)]
            assert len(set(names)) == len(names)
            assert not reserved & set(names), action.name
