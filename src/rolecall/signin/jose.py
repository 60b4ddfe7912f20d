"""ID tokens: signed (RS256), verified, and the keys for them published (RFC 7515, 7517, 7519)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

from rolecall.domain.directories.provider import SigningKey
from rolecall.domain.directories.signing_keys import SigningKeys
from rolecall.values import Secret

ALGORITHM = "RS256"
ID_TOKEN_LASTS = timedelta(hours=1)
_MOST_OPENED = 1000
_LONGEST_HINT = 8192


class Jose:
    """Opened keys are cached by their ids: unsealing and parsing one takes longer than signing with it."""

    def __init__(self, keys: SigningKeys) -> None:
        self._keys = keys
        self._opened: dict[str, RSAKey] = {}

    async def published(self, store_id: UUID, now: datetime) -> Mapping[str, object]:
        """The store's JWK set."""
        keys = await self._keys.published(store_id, now)
        return {"keys": [self._open(key).as_dict(private=False) for key in keys]}

    async def id_token(
        self,
        store_id: UUID,
        *,
        issuer: str,
        subject: UUID,
        audience: str,
        access_token: Secret,
        nonce: str,
        authenticated_at: datetime,
        now: datetime,
    ) -> Secret:
        """OpenID Connect Core 2 and 3.1.3.6."""
        half = hashlib.sha256(access_token.reveal().encode("ascii")).digest()[:16]
        claims: dict[str, Any] = {
            "iss": issuer,
            "sub": subject.hex,
            "aud": audience,
            "exp": int((now + ID_TOKEN_LASTS).timestamp()),
            "iat": int(now.timestamp()),
            "auth_time": int(authenticated_at.timestamp()),
            "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
        }
        if nonce:
            claims["nonce"] = nonce
        key = (await self._keys.published(store_id, now))[0]
        header = {"alg": ALGORITHM, "kid": key.id, "typ": "JWT"}
        return Secret(jwt.encode(header, claims, self._open(key), algorithms=[ALGORITHM]))

    async def hinted(
        self, store_id: UUID, token: Secret, issuer: str, now: datetime
    ) -> tuple[UUID, str] | None:
        """Subject and audience of an ID token of ours that is shown as a hint; it may have expired."""
        text = token.reveal()
        if not text.isascii() or len(text) > _LONGEST_HINT:
            return None
        keys = KeySet([self._open(key) for key in await self._keys.published(store_id, now)])
        try:
            claims = jwt.decode(text, keys, algorithms=[ALGORITHM]).claims
            if claims["iss"] != issuer:
                return None
            return UUID(hex=claims["sub"]), str(claims["aud"])
        except (JoseError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def _open(self, key: SigningKey) -> RSAKey:
        if key.id not in self._opened:
            if len(self._opened) >= _MOST_OPENED:
                self._opened.clear()
            pem = self._keys.open(key).reveal()
            parameters = {"kid": key.id, "use": "sig", "alg": ALGORITHM}
            self._opened[key.id] = RSAKey.import_key(pem, parameters)  # type: ignore[arg-type]
        return self._opened[key.id]
