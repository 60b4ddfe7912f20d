"""What a provider says of a user (OpenID Connect Core 5.1), by the scopes that were granted.

With `openid` alone it says who the user is, name, nickname, mail address, time zone and language included: that is
what the vendor's own userinfo answers. Phone number, postal address and groups need their scopes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from rolecall.domain.directories.model import User, UserGroup
from rolecall.signin.scopes import holds

CLAIMS = (
    "sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "name", "preferred_username", "nickname",
    "email", "email_verified", "zoneinfo", "locale", "gender", "birthdate", "updated_at", "phone_number",
    "phone_number_verified", "address", "groups",
)  # fmt: skip

_GENDERS = {"MALE": "male", "FEMALE": "female"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def userinfo(user: User, scope: str, groups: Sequence[UserGroup]) -> Mapping[str, object]:
    """Members that are not known are left out, ``email_verified`` too unless the address was marked as verified.

    An explicit ``false`` is a statement that was never made, and clients refuse users for it (oauth2-proxy, Metabase).
    """
    said: dict[str, object | None] = {
        "sub": user.id.hex,
        "name": _text(user, "name") or user.name or user.nickname,
        "preferred_username": user.name,
        "nickname": user.nickname,
        "email": user.email,
        "email_verified": True if user.email_verified else None,
        "zoneinfo": _text(user, "zone"),
        "locale": _text(user, "locale"),
        "updated_at": int(user.modified_at.timestamp()),
    }
    if holds(scope, "profile"):
        said["gender"] = _GENDERS.get(_text(user, "gender") or "")
        said["birthdate"] = _birthdate(user.birthdate)
    if holds(scope, "phone") and user.phone is not None:
        said |= {"phone_number": user.phone, "phone_number_verified": False}
    if holds(scope, "address") and user.address:
        said["address"] = {"formatted": user.address}
    if holds(scope, "groups"):
        said["groups"] = [group.name for group in groups]
    return {claim: value for claim, value in said.items() if value is not None}


def _text(user: User, name: str) -> str | None:
    value = user.profile.get(name)
    return value if isinstance(value, str) and value else None


def _birthdate(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    try:
        return (_EPOCH + timedelta(milliseconds=milliseconds)).date().isoformat()
    except OverflowError:
        return None
