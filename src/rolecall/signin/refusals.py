"""Refusals as OAuth 2.0 and OpenID Connect name them."""

from __future__ import annotations

from rolecall.values import Reply
from rolecall.web import replies

ERRORS = frozenset(
    {
        "access_denied",
        "insufficient_scope",
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "invalid_token",
        "login_required",
        "registration_not_supported",
        "request_not_supported",
        "request_uri_not_supported",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_grant_type",
        "unsupported_response_type",
        "unsupported_token_type",
        "account_selection_required",
        "consent_required",
        "interaction_required",
    }
)
"""The error codes of RFC 6749, 6750, 7009 and OpenID Connect Core 3.1.2.6 that may be answered."""


class OAuthRefused(Exception):
    """Answered with `error` and `description` (RFC 6749 5.2), which never quote what was sent."""

    def __init__(
        self, error: str, description: str, status: int = 400, headers: replies.Headers = ()
    ) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status
        self.headers = headers

    def reply(self) -> Reply:
        return replies.error(self.status, self.error, self.description, self.headers)


def invalid_request(description: str) -> OAuthRefused:
    return OAuthRefused("invalid_request", description)


def invalid_grant(description: str) -> OAuthRefused:
    return OAuthRefused("invalid_grant", description)
