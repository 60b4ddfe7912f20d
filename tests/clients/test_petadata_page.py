"""The example of the vendor's CreateAccount page, as printed, over a bare socket: GET, and an answer in XML.

Source: PetaData API reference, CreateAccount: "Sample requests" and "Sample responses". `<[Common request
parameters]>` stands for those of signature version 1.0 ("Common parameters").
"""

from __future__ import annotations

import re
import socket
from urllib.parse import urlsplit

from tests.clients.petadata_cloud import Cloud

from rolecall.signing import acs1
from rolecall.signing.acs1 import percent_encode

HOST = "petadata.aliyuncs.com"
NAME, PASSWORD = "testacc02", "Pw123456"
ID = "[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}"
SAMPLE = f"<CreateAccountResponse><RequestId>{ID}</RequestId></CreateAccountResponse>"
DECLARATION = re.escape('<?xml version="1.0" encoding="UTF-8"?>')


def printed(cloud: Cloud, form: str = "") -> tuple[str, dict[str, str], str]:
    """The page's request: status line, headers and body of the answer."""
    shape = {"InstanceId": cloud.instance, "AccountName": NAME, "AccountPassword": PASSWORD}
    signed = cloud.signed("CreateAccount", shape, Format=form or "XML")
    if not form:  # Format is left out: sign anew without it
        signed = _without_format(cloud, shape)
    order = ("Action", "InstanceId", "AccountName", "AccountPassword")
    rest = [name for name in signed if name not in order]
    query = "&".join(f"{name}={percent_encode(signed[name])}" for name in (*order, *rest))
    return exchange(cloud, f"GET /?{query} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n")


def _without_format(cloud: Cloud, shape: dict[str, str]) -> dict[str, str]:
    signed = cloud.signed("CreateAccount", shape)
    kept = {name: value for name, value in signed.items() if name not in ("Format", "Signature")}
    return {**kept, "Signature": acs1.sign("GET", tuple(kept.items()), cloud.key)}


def exchange(cloud: Cloud, text: str) -> tuple[str, dict[str, str], str]:
    address = urlsplit(cloud.endpoint)
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        connection.sendall(text.encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    head, _, body = answer.partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    return status, {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}, body


def test_the_sample_request_makes_the_account_and_is_answered_in_xml(cloud: Cloud) -> None:
    status, headers, body = printed(cloud)
    assert status.startswith("HTTP/1.1 200")
    assert headers["content-type"] == "text/xml;charset=utf-8"
    assert re.fullmatch(DECLARATION + SAMPLE, body)
    assert headers["x-acs-request-id"] in body
    assert len(headers["etag"]) == 24
    assert cloud.server.users() == [(NAME, "%")]
    assert cloud.server.can_log_in(NAME, PASSWORD)


def test_the_sample_answer_in_json(cloud: Cloud) -> None:
    _, headers, body = printed(cloud, "JSON")
    assert headers["content-type"] == "application/json;charset=utf-8"
    assert re.fullmatch(f'{{"RequestId":"{ID}"}}', body)


def test_a_refusal_in_xml_has_the_vendors_elements(cloud: Cloud) -> None:
    printed(cloud)
    status, headers, body = printed(cloud)
    assert status.startswith("HTTP/1.1 400")
    assert headers["content-type"] == "text/xml;charset=utf-8"
    wanted = (
        f"<Error><RequestId>{ID}</RequestId><HostId>{HOST}</HostId><Code>InvalidAccountName.Duplicate</Code>"
        "<Message>The specified AccountName already exists.</Message><Recommend>[^<]+</Recommend></Error>"
    )
    assert re.fullmatch(DECLARATION + wanted, body)
    assert "etag" not in headers
