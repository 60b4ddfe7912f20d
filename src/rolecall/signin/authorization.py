"""Authorization requests, parsed and validated (RFC 6749 4.1.1, RFC 7636 4.3, OpenID Connect Core 3.1.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from rolecall.domain.directories.provider import Application, ApplicationRepository
from rolecall.signin import scopes
from rolecall.signin.refusals import OAuthRefused
from rolecall.web.forms import Fields

PROMPTS = frozenset({"none", "login", "consent", "select_account"})

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_LONGEST_TEXT = 1024
"""Characters of `nonce`, which is stored, and of `login_hint`. `state` is only returned, so it may be as
long as a request can be: brokers keep what they need to resume in it."""
_LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(:[0-9]{1,5})?((?:[/?].*)?)")
_LONGEST_AGE = 9
"""Digits of `max_age`."""

_KEPT = (
    "client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "code_challenge",
    "code_challenge_method", "prompt", "max_age", "login_hint", "ui_locales", "id_token_hint",
)  # fmt: skip


class InvalidClientRedirect(Exception):
    """Application or redirect URI are unknown: shown on a page, never sent by a redirect (RFC 6749 4.1.2.1).

    `key` is a key of `messages`.
    """

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True)
class RedirectTarget:
    """Where the answer goes."""

    application: Application
    redirect_uri: str
    state: str


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    target: RedirectTarget
    scope: str
    nonce: str
    challenge: str
    prompt: frozenset[str]
    max_age: int | None
    login_hint: str
    ui_locales: str
    id_token_hint: str
    query: str
    """The request's own parameters, to repeat it with."""

    @property
    def application(self) -> Application:
        return self.target.application


async def redirect_target(repository: ApplicationRepository, store_id: UUID, asked: Fields) -> RedirectTarget:
    """The redirect URI must be one of the registered ones. Raises `InvalidClientRedirect`."""
    application = await repository.application(asked["client_id"]) if "client_id" in asked else None
    if application is None or application.store_id != store_id:
        raise InvalidClientRedirect("unknown_client")
    if not any(_is_registered(asked["redirect_uri"], uri) for uri in application.redirect_uris):
        raise InvalidClientRedirect("wrong_redirect")
    return RedirectTarget(application, asked["redirect_uri"], asked["state"])


def _is_registered(uri: str, registered: str) -> bool:
    """Compared character by character, but for the port of a loopback address: a native application listens on one
    that is free at the time (RFC 8252 7.3, RFC 9700 2.1). The name ``localhost`` has no such exception."""
    if uri == registered:
        return True
    asked, known = _LOOPBACK.fullmatch(uri), _LOOPBACK.fullmatch(registered)
    return asked is not None and known is not None and asked.group(1, 3) == known.group(1, 3)


def read(target: RedirectTarget, asked: Fields) -> AuthorizationRequest:
    """Raises `OAuthRefused`, which is sent by a redirect."""
    for name, error in (
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "registration_not_supported"),
    ):
        if name in asked:
            raise OAuthRefused(error, f"{name} is not supported")
    if len(asked["nonce"]) > _LONGEST_TEXT:
        raise _invalid(f"nonce is longer than {_LONGEST_TEXT} characters")
    if "response_type" not in asked:
        raise _invalid("response_type is missing")
    if asked["response_type"] != "code":
        raise OAuthRefused("unsupported_response_type", "the only response_type is code")
    if asked["response_mode"] not in ("", "query"):
        raise _invalid("the only response_mode is query")
    return AuthorizationRequest(
        target,
        scopes.granted(asked["scope"]),
        asked["nonce"],
        _challenge(target.application, asked),
        _prompt(asked["prompt"]),
        _max_age(asked["max_age"]),
        asked["login_hint"][:_LONGEST_TEXT],
        asked["ui_locales"],
        asked["id_token_hint"],
        urlencode([(name, asked[name]) for name in _KEPT if name in asked]),
    )


def _challenge(application: Application, asked: Fields) -> str:
    challenge, method = asked["code_challenge"], asked["code_challenge_method"]
    if not challenge:
        if method:
            raise _invalid("code_challenge_method was sent without a code_challenge")
        if application.public:
            raise _invalid("code_challenge is missing: a public application uses PKCE")
        return ""
    if method != "S256":
        raise _invalid("the only code_challenge_method is S256")
    if not _CHALLENGE.fullmatch(challenge):
        raise _invalid("code_challenge is not the base64url of a SHA-256 digest")
    return challenge


def _prompt(text: str) -> frozenset[str]:
    asked = frozenset(text.split())
    if not asked <= PROMPTS:
        raise _invalid("prompt holds an unknown value")
    if "none" in asked and len(asked) > 1:
        raise _invalid("prompt is none together with another value")
    return asked


def _max_age(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_AGE):
        raise _invalid("max_age is not a number of seconds")
    return int(text)


def _invalid(description: str) -> OAuthRefused:
    return OAuthRefused("invalid_request", description)
