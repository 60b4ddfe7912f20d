"""Client authentication (RFC 6749 2.3 and 3.2.1)."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import unquote_plus
from uuid import UUID

from rolecall.domain.directories.applications import knows
from rolecall.domain.directories.provider import Application, ApplicationRepository
from rolecall.signin.refusals import OAuthRefused, invalid_request
from rolecall.values import Request, Secret
from rolecall.web.forms import Fields

_SCHEME = "basic"


async def authenticated(
    repository: ApplicationRepository, store_id: UUID, request: Request, form: Fields
) -> Application:
    """By HTTP Basic, by the secret in the form, or, if it is public, by its id alone. Raises `OAuthRefused`."""
    header = request.header("authorization")
    client_id, secret = form["client_id"], form.secret("client_secret") if "client_secret" in form else None
    if header:
        if secret is not None:
            raise invalid_request("the application authenticates in two ways at once")
        named, secret = _basic(header)
        if client_id and client_id != named:
            raise invalid_request("client_id is not the one of the Authorization header")
        client_id = named
    if not client_id:
        raise _unknown(header)
    application = await repository.application(client_id)
    if application is None or application.store_id != store_id:
        raise _unknown(header)
    if application.public:
        if secret is not None:
            raise _unknown(header)
    elif secret is None or not knows(application, secret):
        raise _unknown(header)
    return application


def _basic(header: str) -> tuple[str, Secret]:
    """Id and secret, each form-encoded within (RFC 6749 2.3.1)."""
    scheme, _, text = header.partition(" ")
    try:
        plain = base64.b64decode(text.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise _unknown(header) from None
    name, colon, secret = plain.partition(":")
    if scheme.lower() != _SCHEME or not colon or "\0" in plain:
        raise _unknown(header)
    return unquote_plus(name), Secret(unquote_plus(secret))


def _unknown(header: str) -> OAuthRefused:
    """Without saying what is wrong; the answer to HTTP authentication names the scheme."""
    challenge = (("www-authenticate", 'Basic realm="applications", charset="UTF-8"'),) if header else ()
    return OAuthRefused(
        "invalid_client", "the application is not known, or its secret is wrong", 401, challenge
    )
