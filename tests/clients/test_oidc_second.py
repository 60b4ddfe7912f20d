"""A second relying party of another make, idpyoidc: it learns everything from the issuer, and has a secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from idpyoidc.client.rp_handler import RPHandler
from tests.conftest import Rolecall
from tests.server.ciam import Ciam
from tests.server.signin_browser import Browser, query_of

PASSWORD = "Right-Horse-42"


@pytest.fixture
def handler(rolecall: Rolecall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RPHandler:
    monkeypatch.chdir(tmp_path)  # it keeps its keys where it stands
    ready = rolecall.tencent
    uri = "http://127.0.0.1:7655/cb"
    store = ("--store", ready["user_store_id"])
    added = json.loads(rolecall.cli("application", "add", *store, "--redirect-uri", uri, "--json").stdout)[0]
    configuration = {
        "issuer": ready["oidc_issuer"],
        "client_id": added["client_id"],
        "client_secret": added["client_secret"],
        "client_type": "oidc",
        "redirect_uris": [uri],
        "response_types_supported": ["code"],
        "scopes_supported": ["openid", "profile", "email", "phone"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "client_authn_methods": ["client_secret_basic", "bearer_header"],
        "add_ons": {
            "pkce": {
                "function": "idpyoidc.client.oauth2.add_on.pkce.add_support",
                "kwargs": {"code_challenge_length": 64, "code_challenge_method": "S256"},
            }
        },
        "services": {
            name: {"class": f"idpyoidc.client.oidc.{module}"}
            for name, module in {
                "discovery": "provider_info_discovery.ProviderInfoDiscovery",
                "authorization": "authorization.Authorization",
                "accesstoken": "access_token.AccessToken",
                "refresh": "refresh_access_token.RefreshAccessToken",
                "userinfo": "userinfo.UserInfo",
            }.items()
        },
    }
    return RPHandler(
        base_url="http://127.0.0.1:7655",
        client_configs={ready["oidc_issuer"]: configuration},
        httpc_params={"timeout": 60},
    )


def signed_in(handler: RPHandler, issuer: str, name: str) -> tuple[dict[str, Any], str]:
    """What the relying party knows after a browser went to the provider and came back, and under which state."""
    url = handler.begin(issuer)
    url = url if isinstance(url, str) else url["url"]
    with Browser() as browser:
        answer = query_of(browser.sign_in(url, name, PASSWORD))
    return dict(handler.finalize(issuer, answer)), answer["state"]


def test_a_user_signs_in_refreshes_and_is_refused_after_deleteusers(
    rolecall: Rolecall, handler: RPHandler
) -> None:
    ciam, issuer = Ciam(rolecall), rolecall.tencent["oidc_issuer"]
    user = ciam.create(Nickname="Bea")
    known, state = signed_in(handler, issuer, user["UserName"])
    assert "error" not in known, known
    assert known["userinfo"]["sub"] == user["UserId"]
    assert known["userinfo"]["nickname"] == "Bea"
    assert known["id_token"]["sub"] == user["UserId"]
    assert known["id_token"]["iss"] == issuer
    fresh = handler.refresh_access_token(state)
    assert fresh["access_token"] != known["token"]
    assert handler.get_user_info(state, access_token=fresh["access_token"])["sub"] == user["UserId"]
    ciam.ok("DeleteUsers", UserIds=[user["UserId"]])
    with pytest.raises(Exception, match="invalid_grant"):
        handler.refresh_access_token(state)
