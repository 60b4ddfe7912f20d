"""Refusals as OAuth 2.0 and OpenID Connect name them."""

from __future__ import annotations

from rolecall.signin import replies
from rolecall.values import Reply


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
