"""The metadata of a provider (OpenID Connect Discovery 3, RFC 8414)."""

from __future__ import annotations

from collections.abc import Mapping

from rolecall.signin.claims import CLAIMS
from rolecall.signin.jose import ALGORITHM
from rolecall.signin.paths import DISCOVERY
from rolecall.signin.scopes import SCOPES

AUTHORIZE = "/oauth2/authorize"
SIGN_IN = "/sign-in"
CONTINUE = "/continue"
PASSWORD = "/password"
TOKEN = "/oauth2/token"
REVOKE = "/oauth2/revoke"
INTROSPECT = "/oauth2/introspect"
JWKS = "/oauth2/jwks"
USERINFO = "/userinfo"
LOGOUT = "/oauth2/logout"

PATHS = frozenset(
    {
        DISCOVERY,
        AUTHORIZE,
        SIGN_IN,
        CONTINUE,
        PASSWORD,
        TOKEN,
        REVOKE,
        INTROSPECT,
        JWKS,
        USERINFO,
        LOGOUT,
    }
)
"""Below an issuer."""

PUBLIC = frozenset({DISCOVERY, JWKS})
"""Readable without credentials."""

FOR_PROGRAMS = frozenset({TOKEN, REVOKE, INTROSPECT, USERINFO})
"""Answered in JSON; the rest are pages."""

GRANT_TYPES = ("authorization_code", "refresh_token", "password", "client_credentials")
_METHODS = ("client_secret_basic", "client_secret_post")


def discovery(issuer: str) -> Mapping[str, object]:
    return {
        "issuer": issuer,
        "authorization_endpoint": issuer + AUTHORIZE,
        "token_endpoint": issuer + TOKEN,
        "userinfo_endpoint": issuer + USERINFO,
        "jwks_uri": issuer + JWKS,
        "revocation_endpoint": issuer + REVOKE,
        "introspection_endpoint": issuer + INTROSPECT,
        "end_session_endpoint": issuer + LOGOUT,
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(GRANT_TYPES),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "token_endpoint_auth_methods_supported": [*_METHODS, "none"],
        "revocation_endpoint_auth_methods_supported": [*_METHODS, "none"],
        "introspection_endpoint_auth_methods_supported": list(_METHODS),
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "claims_supported": list(CLAIMS),
        "ui_locales_supported": ["en", "zh"],
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "authorization_response_iss_parameter_supported": True,
    }
