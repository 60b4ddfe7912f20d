"""A captured call over the wire: it can be sent again, and made nothing else of."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.conftest import Rolecall
from tests.server.wire import Wire


def keys(rolecall: Rolecall) -> int:
    listed = rolecall.call("ListAccessKeys", {}, service="cam", version="2019-01-16", region="")
    return len(listed["AccessKeys"])


@pytest.mark.parametrize("scope", ["postgres", "127"], ids=["named", "node-and-java"])
def test_a_captured_call_mints_no_key(rolecall: Rolecall, scope: str) -> None:
    """A5: neither service, nor version, nor action was bound by a TC3 signature."""
    before = keys(rolecall)
    with httpx.Client(base_url=rolecall.endpoint) as client:
        wire = Wire(rolecall, client)
        captured = wire.headers(b"{}", service=scope, action="DescribeRegions")

        def send(**changes: str) -> dict[str, Any]:
            answer: dict[str, Any] = wire.post(b"{}", captured | changes).json()["Response"]
            return answer

        assert "RegionSet" in send()
        assert "RegionSet" in send(), "an SDK may repeat itself"
        minted = send(**{"X-TC-Action": "CreateAccessKey", "X-TC-Version": "2019-01-16"})
        assert minted["Error"]["Code"] == "AuthFailure.SignatureFailure"
    assert keys(rolecall) == before
