"""Requests as wrong as a test likes, and the one shape that every answer must have."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import httpx
from tests.conftest import Rolecall
from tests.waiting import PATIENCE

from rolecall.signing import tc1, tc3
from rolecall.values import Secret

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


class Wire:
    """Requests as wrong as one likes, over one kept connection."""

    def __init__(self, rolecall: Rolecall, client: httpx.Client) -> None:
        self.rolecall = rolecall
        self.client = client
        self.key = Secret(rolecall.tencent["secret_key"])

    def headers(self, body: bytes = b"{}", key_id: str = "", **changes: Any) -> dict[str, str]:
        """Every header of a rightly signed CreateAccount with this body, or of a call that differs in `changes`."""
        return tc3.post_headers(
            key_id or self.rolecall.tencent["secret_id"],
            changes.pop("key", self.key),
            **{
                "service": "postgres",
                "version": "2017-03-12",
                "action": "CreateAccount",
                "region": "ap-guangzhou",
                "timestamp": int(time.time()),
                "host": self.rolecall.netloc,
                "payload": body,
            }
            | changes,
        )

    def post(
        self, body: bytes, headers: Mapping[str, str] | None = None, path: str = "/", **changes: Any
    ) -> Any:
        return self.client.post(path, content=body, headers=headers or self.headers(body, **changes))

    def create(self, **params: Any) -> Any:
        """CreateAccount with these parameters over those of a good call."""
        good = {"DBInstanceId": self.rolecall.instance_id, "UserName": "somebody", "Type": "normal"}
        return self.post(json.dumps(good | params).encode())

    def post_as(self, kind: str, body: bytes) -> Any:
        """A call rightly signed with another content type."""
        headers = self.headers(body)
        proof = tc3.authorization(
            self.rolecall.tencent["secret_id"], self.key, service="postgres",
            timestamp=int(headers["X-TC-Timestamp"]), host=self.rolecall.netloc, payload=body, content_type=kind,
        )  # fmt: skip
        return self.post(body, headers | {"Content-Type": kind, "Authorization": proof})

    def query(self, text: str) -> Any:
        """A rightly signed GET with this very query."""
        proof = tc3.authorization(
            self.rolecall.tencent["secret_id"], self.key, service="postgres", timestamp=int(time.time()),
            host=self.rolecall.netloc, method="GET", query=text, content_type=FORM,
        )  # fmt: skip
        headers = self.headers() | {"Authorization": proof, "Content-Type": FORM}
        return self.client.get(httpx.URL(self.rolecall.endpoint + "/", query=text.encode()), headers=headers)

    def v1(self, action: str = "CreateAccount", without: str = "", **params: str) -> dict[str, str]:
        """The parameters of a rightly signed v1 form."""
        common = {
            "Action": action,
            "Version": "2017-03-12",
            "Region": "ap-guangzhou",
            "Timestamp": str(int(time.time())),
            "Nonce": "11886",
            "SecretId": self.rolecall.tencent["secret_id"],
            "SignatureMethod": "HmacSHA256",
        }
        own = {"DBInstanceId": self.rolecall.instance_id, "UserName": "somebody", "Type": "normal"}
        named = {k: v for k, v in (common | own | params).items() if k != without}
        signed = tc1.Signed("POST", self.rolecall.netloc, "/", tuple(named.items()))
        signature = tc1.sign(signed, self.key, "HmacSHA256")
        return named | ({} if without == "Signature" else {"Signature": signature})

    def form(self, text: str | bytes) -> Any:
        return self.client.post("/", content=text, headers={"Content-Type": FORM})

    def raw(self, data: bytes) -> bytes:
        """What comes back for these very bytes, up to the end of the first answer."""
        with self.connect() as connection:
            connection.sendall(data)
            return receive(connection)

    def connect(self) -> socket.socket:
        host, port = self.rolecall.netloc.split(":")
        return socket.create_connection((host, int(port)), timeout=PATIENCE)


def receive(connection: socket.socket) -> bytes:
    """One HTTP answer with a Content-Length."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return data
        data += chunk
    head, _, rest = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    while len(rest) < length:
        rest += connection.recv(65536)
    return head + b"\r\n\r\n" + rest


def error(answer: httpx.Response) -> dict[str, str]:
    """The error in an answer whose envelope is without fault."""
    assert answer.status_code == 200
    assert answer.headers["content-type"] == JSON
    response = answer.json()["Response"]
    assert response.keys() == {"Error", "RequestId"}, response
    assert UUID(response["RequestId"]).version == 4
    assert response["Error"].keys() == {"Code", "Message"}
    assert response["Error"]["Code"] != "InternalError"
    assert response["Error"]["Message"]
    return dict(response["Error"])


def code(answer: httpx.Response) -> str:
    return error(answer)["Code"]
