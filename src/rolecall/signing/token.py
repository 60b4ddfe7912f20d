"""Tokens that carry their own proof, and the claims made with a token or with the credentials that buy one.

A token belongs to one access key. It is base64url without padding of::

    version   1 byte, 2
    method    1 byte, the kind of credential that bought it: its place in `METHODS`, from 1
    issued    8 bytes, unix time in seconds, big endian, as the next two
    expires   8 bytes
    tenant    8 bytes, the owner's number
    id        16 random bytes
    key id    the access key's id, ASCII
    mac       32 bytes, HMAC-SHA256 of all before it

under a key derived from the access key's secret. Nothing is stored: every replica can verify a token, and a token
dies with its key. Only one that is revoked is written down, by its id, until it would have expired.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import struct
from dataclasses import dataclass

from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Secret

LIFETIME = 12 * 60 * 60
"""Seconds for which a token is good, if nothing else is set."""

METHODS = ("password", "apikey", "application_credential", "token")
"""The kinds of credential, in the vendors' words. The order is part of what a token says."""

_CONTEXT = b"rolecall token\x00"
_VERSION = 2
_HEAD = struct.Struct(">BBQQQ16s")
_MAC = hashlib.sha256().digest_size
_LONGEST = 512
_TEXT = re.compile(rf"[A-Za-z0-9_-]{{1,{_LONGEST}}}", re.ASCII)
_OUTSIDE = re.compile(r"[!-~]{1,8192}", re.ASCII)
_KEY_ID = re.compile(rb"[!-~]{1,128}")


@dataclass(frozen=True, slots=True)
class Token:
    """What a token says. Times are unix seconds; `tenant` is the owner's number; `id` is 16 bytes."""

    access_key_id: str
    tenant: int
    issued_at: int
    expires_at: int
    id: bytes
    method: str

    @property
    def audit_id(self) -> str:
        """The token's id as Keystone shows one: base64url without padding, 22 characters."""
        return _encode(self.id)

    def packed(self) -> bytes:
        method = METHODS.index(self.method) + 1
        head = _HEAD.pack(_VERSION, method, self.issued_at, self.expires_at, self.tenant, self.id)
        return head + self.access_key_id.encode("ascii")


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token: its text, and what it says."""

    text: Secret
    token: Token


def derived_key(key: Secret) -> bytes:
    """The MAC key of an access key's tokens, 32 bytes; it tells nothing of the access key's secret."""
    return hmac.digest(key.reveal().encode(), _CONTEXT, "sha256")


def seal(token: Token, key: Secret) -> Secret:
    """A token's text."""
    packed = token.packed()
    return Secret(_encode(packed + hmac.digest(derived_key(key), packed, "sha256")))


def read(text: Secret) -> Token:
    """What a token says, unproven. Refuses with TOKEN_INVALID."""
    packed, _ = _parts(text)
    version, method, issued, expires, tenant, id_ = _HEAD.unpack_from(packed)
    key_id = packed[_HEAD.size :]
    if version != _VERSION or not 0 < method <= len(METHODS) or _KEY_ID.fullmatch(key_id) is None:
        raise Refused(Reason.TOKEN_INVALID, note="not a token of this server")
    return Token(key_id.decode("ascii"), tenant, issued, expires, id_, METHODS[method - 1])


def verify(text: Secret, key: Secret, now: float) -> None:
    """Refuses with TOKEN_INVALID unless `key` sealed the token and it is still good at unix time `now`."""
    packed, mac = _parts(text)
    if not hmac.compare_digest(mac, hmac.digest(derived_key(key), packed, "sha256")):
        raise Refused(Reason.TOKEN_INVALID, note="the token was not sealed with this key")
    if now >= read(text).expires_at:
        raise Refused(Reason.TOKEN_INVALID, note="the token has expired")


@dataclass(frozen=True, slots=True)
class Credential:
    """A proven credential that can be exchanged for tokens (`values.TokenIssuer`).

    Tokens name `key_id` and are sealed with `key`. `ends`, in unix seconds: they expire no later.
    """

    key_id: str
    key: Secret
    method: str
    lifetime: int
    ends: int | None = None

    def issue(self, now: float, tenant: int) -> IssuedToken:
        """A new token for a tenant that the caller was seen to belong to."""
        issued = int(now)
        expires = issued + self.lifetime if self.ends is None else min(issued + self.lifetime, self.ends)
        token = Token(self.key_id, tenant, issued, expires, secrets.token_bytes(16), self.method)
        return IssuedToken(seal(token, self.key), token)


@dataclass(frozen=True, eq=False)
class CredentialsClaim:
    """An access key shown whole: its id as the user's name, and its secret as the password or API key.

    `method` is the kind of credential in the vendor's word: ``password``, ``apikey``, ``application_credential``.
    """

    access_key_id: str
    shown: Secret
    method: str
    lifetime: int = LIFETIME

    @property
    def token(self) -> Secret | None:
        """None: this is not a temporary key."""
        return None

    def verified(self, key_id: str, key: Secret) -> Credential:
        """The password of a sub-user was right; tokens name `key_id`."""
        return Credential(key_id, key, self.method, self.lifetime)

    def prove(self, key: Secret, now: float) -> Credential:  # noqa: ARG002 - a password is good at any time
        """CREDENTIALS_INVALID. The comparison takes the same time wherever the two differ."""
        if self.shown != key:
            raise Refused(Reason.CREDENTIALS_INVALID)
        return self.verified(self.access_key_id, key)


class TokenClaim:
    """A token, shown for a tenant; `tenant` is the text in the request's URL, empty where there is none.

    Refuses with TOKEN_INVALID when made of a text that is not a token.
    """

    __slots__ = ("_lifetime", "access_key_id", "facts", "tenant", "text")

    token: Secret | None = None

    def __init__(self, text: Secret, tenant: str = "", lifetime: int = LIFETIME) -> None:
        self.text = text
        self.facts = read(text)
        self.access_key_id = self.facts.access_key_id
        self.tenant = tenant
        self._lifetime = lifetime

    @property
    def token_id(self) -> bytes:
        return self.facts.id

    @property
    def expires_at(self) -> int:
        return self.facts.expires_at

    def prove(self, key: Secret, now: float) -> Credential:
        """TOKEN_INVALID, and only then TENANT_FOREIGN: tenants are not revealed to an unknown client.

        A token bought with a token expires when that one would have (Keystone: rescoping keeps ``expires_at``).
        """
        verify(self.text, key, now)
        if self.tenant and self.tenant != str(self.facts.tenant):
            raise Refused(Reason.TENANT_FOREIGN, facts={"value": self.tenant})
        return Credential(self.access_key_id, key, "token", self._lifetime, self.facts.expires_at)


class OutsideTokenClaim:
    """A token of another identity service, shown for a tenant. Only that service can tell whether it is good.

    Refuses with TOKEN_INVALID when made of a text that could not stand in a header.
    """

    __slots__ = ("tenant", "text")

    access_key_id = ""
    token: Secret | None = None

    def __init__(self, text: Secret, tenant: str = "") -> None:
        if _OUTSIDE.fullmatch(text.reveal()) is None:
            raise Refused(Reason.TOKEN_INVALID, note="not a token")
        self.text = text
        self.tenant = tenant

    def prove(self, key: Secret, now: float) -> None:  # noqa: ARG002 - no key of ours sealed it
        raise Refused(Reason.TOKEN_INVALID, note="tokens of another service are not accepted")


class AnonymousClaim:
    """Without credentials, for the few actions that are public; it can never be proven."""

    __slots__ = ()
    access_key_id = ""
    token: Secret | None = None

    def prove(self, key: Secret, now: float) -> None:  # noqa: ARG002 - nothing is asked of either
        raise Refused(Reason.TOKEN_INVALID, note="no credentials were sent")


def _parts(text: Secret) -> tuple[bytes, bytes]:
    """The packed token and its MAC."""
    plain = text.reveal()
    if _TEXT.fullmatch(plain) is None:
        raise Refused(Reason.TOKEN_INVALID, note="not a token of this server")
    try:
        raw = base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
    except (ValueError, binascii.Error):
        raise Refused(Reason.TOKEN_INVALID, note="not a token of this server") from None
    if len(raw) <= _HEAD.size + _MAC or _encode(raw) != plain:
        raise Refused(Reason.TOKEN_INVALID, note="not a token of this server")
    return raw[:-_MAC], raw[-_MAC:]


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
