"""The sender of a request: the token in its header, or the credentials in the body of a request for a token.

An access key is every kind of user: its id is the user's name (or id, or the application credential's id) and its
secret the password, the API key or the application credential's secret.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rolecall.domain.reasons import Reason, Refused
from rolecall.signing.token import CredentialsClaim, OutsideTokenClaim, TokenClaim
from rolecall.values import Request, Secret

API_KEY = "RAX-KSKEY:apiKeyCredentials"

Document = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for a token: its credentials, and the tenant (empty for the caller's own)."""

    claim: CredentialsClaim | TokenClaim
    tenant: str


def token_claim(
    request: Request, tenant: str, lifetime: int, *, outside: bool
) -> TokenClaim | OutsideTokenClaim:
    """TOKEN_INVALID if there is no token, or what there is cannot be one.

    With `outside`, a token that has not the form of ours belongs to the outside Keystone.
    """
    text = request.header("x-auth-token")
    if not text:
        raise Refused(Reason.TOKEN_INVALID, note="no token")
    try:
        return TokenClaim(Secret(text), tenant, lifetime)
    except Refused:
        if not outside:
            raise
        return OutsideTokenClaim(Secret(text), tenant)


def asked_v2(body: Document, lifetime: int) -> Asked:
    """``{"auth": {...}}`` of v2.0. PARAMETER_MISSING, PARAMETER_TYPE, TOKEN_INVALID."""
    auth = _object(body, "auth", "")
    for kind, read in _V2_KINDS.items():
        if kind in auth:
            given = _object(auth, kind, "auth.")
            # reddwarfclient 0.1.2 puts the tenant beside the API key.
            tenant = next((text for each in (auth, given) if (text := _tenant(each))), "")
            return Asked(read(given, f"auth.{kind}.", lifetime), tenant)
    raise Refused(Reason.PARAMETER_MISSING, "auth.passwordCredentials")


def asked_v3(body: Document, lifetime: int) -> Asked:
    """``{"auth": {"identity": {...}, "scope": {...}}}`` of v3. As `asked_v2`, and CREDENTIALS_INVALID."""
    auth = _object(body, "auth", "")
    identity = _object(auth, "identity", "auth.")
    methods = identity.get("methods")
    if not isinstance(methods, list):
        raise Refused(Reason.PARAMETER_MISSING, "auth.identity.methods")
    for method, read in _V3_METHODS.items():
        if method in methods:
            given = _object(identity, method, "auth.identity.")
            return Asked(read(given, f"auth.identity.{method}.", lifetime), _project(auth))
    raise Refused(Reason.CREDENTIALS_INVALID, note="no method of authentication that is known here")


def _api_key(given: Document, path: str, lifetime: int) -> CredentialsClaim:
    return CredentialsClaim(
        _text(given, "username", path), _secret(given, "apiKey", path), "apikey", lifetime
    )


def _password_v2(given: Document, path: str, lifetime: int) -> CredentialsClaim:
    name = "username" if "username" in given else "userId"
    return CredentialsClaim(_text(given, name, path), _secret(given, "password", path), "password", lifetime)


def _password_v3(given: Document, path: str, lifetime: int) -> CredentialsClaim:
    user = _object(given, "user", path)
    _require_domain(user)
    name = "id" if "id" in user else "name"
    path += "user."
    return CredentialsClaim(_text(user, name, path), _secret(user, "password", path), "password", lifetime)


def _application_credential(given: Document, path: str, lifetime: int) -> CredentialsClaim:
    name = "id" if "id" in given else "name"
    secret = _secret(given, "secret", path)
    return CredentialsClaim(_text(given, name, path), secret, "application_credential", lifetime)


def _token(given: Document, path: str, lifetime: int) -> TokenClaim:
    return TokenClaim(_secret(given, "id", path), "", lifetime)


_Reader = Callable[[Document, str, int], CredentialsClaim | TokenClaim]

_V2_KINDS: Mapping[str, _Reader] = {API_KEY: _api_key, "passwordCredentials": _password_v2, "token": _token}
_V3_METHODS: Mapping[str, _Reader] = {
    "application_credential": _application_credential,
    "password": _password_v3,
    "token": _token,
}


def _tenant(given: Document) -> str:
    """The tenant's id or name: both are the owner's number here."""
    return next((str(given[name]) for name in ("tenantId", "tenantName") if given.get(name)), "")


def _project(auth: Document) -> str:
    """The project of a scope; without one (``unscoped``, application credentials) the caller's own."""
    scope = auth.get("scope")
    if scope is None or scope == "unscoped":
        return ""
    project = _object(auth, "scope", "auth.").get("project")
    if not isinstance(project, Mapping):
        raise Refused(Reason.CREDENTIALS_INVALID, note="the scope is not a project")
    if "id" not in project:
        _require_domain(project)
    return _text(project, "id" if "id" in project else "name", "auth.scope.project.")


def _require_domain(given: Document) -> None:
    """There is one domain, the default one; pkgcloud calls it by its name, others by its id."""
    domain = given.get("domain")
    if isinstance(domain, Mapping):
        words = (str(domain.get(key, "default")).lower() for key in ("id", "name"))
        if any(word != "default" for word in words):
            raise Refused(Reason.CREDENTIALS_INVALID, note="an unknown domain")


def _object(given: Document, name: str, path: str) -> Document:
    value = given.get(name)
    if value is None:
        raise Refused(Reason.PARAMETER_MISSING, path + name)
    if not isinstance(value, Mapping):
        raise Refused(Reason.PARAMETER_TYPE, path + name, facts={"expected": "object"})
    return value


def _text(given: Document, name: str, path: str) -> str:
    value = given.get(name)
    if value is None:
        raise Refused(Reason.PARAMETER_MISSING, path + name)
    if not isinstance(value, str):
        raise Refused(Reason.PARAMETER_TYPE, path + name, facts={"expected": "string"})
    return value


def _secret(given: Document, name: str, path: str) -> Secret:
    return Secret(_text(given, name, path))
