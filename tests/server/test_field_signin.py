"""OpenID clients as public reports have them, on a live server."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx
import pytest
from tests.conftest import Rolecall


@pytest.mark.parametrize("prefix", ["oauth-authorization-server", "openid-configuration"])
def test_metadata_is_where_rfc_8414_looks_for_it(rolecall: Rolecall, prefix: str) -> None:
    """MCP clients try this address first, and stop at any answer but 404."""
    issuer = rolecall.tencent["oidc_issuer"]
    place = f"{rolecall.endpoint}/.well-known/{prefix}"
    found = httpx.get(place + urlsplit(issuer).path, trust_env=False)
    assert (found.status_code, found.json()["issuer"]) == (200, issuer)
    for stray in (place, f"{place}/oidc/{'0' * 32}", f"{rolecall.endpoint}/.well-known/security.txt"):
        assert httpx.get(stray, trust_env=False).status_code == 404
