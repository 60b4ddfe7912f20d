"""Tokens of an external Keystone: validated there, its answers cached for a moment.

Source: OpenStack Identity API v3, "Validate and show information for token" and "Password authentication with scoped
authorization". A token that Keystone does not know is refused, and so is every token while Keystone is unreachable.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import json
import ssl
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import httpx

from rolecall.domain.access.authenticator import Presented, Proven
from rolecall.domain.access.keys import Owner
from rolecall.domain.iam.model import SubUser
from rolecall.domain.reasons import Reason, Refused
from rolecall.settings import Settings, SettingsError
from rolecall.signing.token import OutsideTokenClaim
from rolecall.values import Caller, Secret

_CACHED = 10_000
"""Valid tokens cached at most, and as many unknown ones."""

_UNKNOWN_FOR = 5.0
"""Seconds for which a token that Keystone does not know is refused without asking again."""

_AT_ONCE = 10
"""Tokens validated at once for one client address: half of the connections."""

_MARGIN = 60.0
"""Seconds before its expiry at which our own token is renewed."""

_SUBJECT = "X-Subject-Token"

T = TypeVar("T")
Document = Mapping[str, object]
FindOwners = Callable[[], Awaitable[Sequence[Owner]]]
FindSubUser = Callable[[int, str], Awaitable[SubUser | None]]
"""By the id of the owner, and a name."""


@dataclass(frozen=True, slots=True)
class KeystoneToken:
    """What Keystone says of a token, as far as it is used here. `expires_at` is unix time in seconds."""

    user_id: str
    user_name: str
    user_domain: str
    project_id: str
    roles: frozenset[str]
    expires_at: float


@dataclass(frozen=True, slots=True)
class ServiceUser:
    """Keystone's user for validating tokens; its role must be allowed to (``service``, ``admin``).

    `domain` is the name of the domain of both user and project.
    """

    name: str
    password: Secret
    project: str
    domain: str

    def auth_request(self) -> Document:
        domain = {"name": self.domain}
        user = {"name": self.name, "password": self.password.reveal(), "domain": domain}
        scope = {"project": {"name": self.project, "domain": domain}}
        return {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}


class Keystone:
    """`url` with or without its ``/v3``; `patience` in seconds for each request. Certificates are always verified."""

    def __init__(
        self, url: str, user: ServiceUser, *, authorities: Path | None = None, patience: float = 5.0
    ) -> None:
        self._tokens = f"{url.rstrip('/').removesuffix('/v3')}/v3/auth/tokens"
        self._user = user
        trust = ssl.create_default_context(cafile=authorities)
        limits = httpx.Limits(max_connections=2 * _AT_ONCE, max_keepalive_connections=5)
        self._http = httpx.AsyncClient(verify=trust, timeout=patience, limits=limits, trust_env=False)
        self._own: Secret | None = None
        self._own_until = 0.0
        self._renewing = asyncio.Lock()

    async def close(self) -> None:
        await self._http.aclose()

    async def validate(self, token: Secret, now: float) -> KeystoneToken:
        """TOKEN_INVALID; IDENTITY_UNREACHABLE for any answer that does not decide it."""
        answer = await self._shown(token, await self._own_token(now))
        if answer.status_code == 401:  # our own token was revoked
            self._own_until = 0.0
            answer = await self._shown(token, await self._own_token(now))
        if answer.status_code == 404:
            raise Refused(Reason.TOKEN_INVALID, note="Keystone does not know the token")
        if answer.status_code != 200:
            raise _unreachable(f"Keystone answered {answer.status_code} to a token")
        return _token_of(answer)

    async def _shown(self, token: Secret, own: Secret) -> httpx.Response:
        headers = {"X-Auth-Token": own.reveal(), _SUBJECT: token.reveal()}
        return await self._send("GET", f"{self._tokens}?nocatalog", headers)

    async def _own_token(self, now: float) -> Secret:
        async with self._renewing:
            if self._own is None or now >= self._own_until:
                answer = await self._send("POST", self._tokens, {}, self._user.auth_request())
                if answer.status_code != 201 or _SUBJECT not in answer.headers:
                    raise _unreachable(f"Keystone answered {answer.status_code} to Rolecall's own user")
                self._own = Secret(answer.headers[_SUBJECT])
                self._own_until = _token_of(answer).expires_at - _MARGIN
            return self._own

    async def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: Document | None = None
    ) -> httpx.Response:
        try:
            return await self._http.request(method, url, headers=headers, json=body)
        except httpx.HTTPError as error:
            # No cause is kept: it holds the request, and with it tokens.
            raise _unreachable(f"Keystone is unreachable: {type(error).__name__}") from None


class TokenCache:
    """Caches Keystone's answer on a token for `seconds`; concurrent validations of one token are one request.

    A client with made-up tokens costs Keystone one request for each of them in a few seconds, and only some at once.
    """

    def __init__(self, ask: Callable[[Secret, float], Awaitable[KeystoneToken]], seconds: float) -> None:
        self._ask = ask
        self._seconds = seconds
        self._known: OrderedDict[bytes, tuple[KeystoneToken, float]] = OrderedDict()
        self._unknown: OrderedDict[bytes, float] = OrderedDict()
        self._asking: dict[bytes, asyncio.Task[KeystoneToken]] = {}
        self._asking_for: Counter[str] = Counter()

    async def validate(self, token: Secret, now: float, client: str = "") -> KeystoneToken:
        """As `Keystone.validate`; RATE_EXCEEDED if too many tokens of this client are being validated."""
        digest = hashlib.sha256(token.reveal().encode()).digest()
        if (known := self._known.get(digest)) is not None and now < known[1]:
            return known[0]
        if now < self._unknown.get(digest, now):
            raise Refused(Reason.TOKEN_INVALID, note="Keystone did not know the token a moment ago")
        asking = self._asking.get(digest)
        if asking is None:
            if client and self._asking_for[client] >= _AT_ONCE:
                raise Refused(Reason.RATE_EXCEEDED, note="too many tokens of one client address at once")
            asking = asyncio.ensure_future(self._answer(digest, token, now))
            self._asking[digest] = asking
            self._asking_for[client] += 1
            asking.add_done_callback(partial(self._answered, digest, client))
        return await asyncio.shield(asking)

    def _answered(self, digest: bytes, client: str, asking: asyncio.Task[KeystoneToken]) -> None:
        self._asking.pop(digest, None)
        self._asking_for[client] -= 1
        if not self._asking_for[client]:
            del self._asking_for[client]
        if not asking.cancelled():
            asking.exception()  # retrieved, also if no request waits for it any longer

    async def _answer(self, digest: bytes, token: Secret, now: float) -> KeystoneToken:
        try:
            answer = await self._ask(token, now)
        except Refused as refusal:
            if refusal.reason is Reason.TOKEN_INVALID:
                _cache(self._unknown, digest, now + _UNKNOWN_FOR)
            raise
        if self._seconds:
            _cache(self._known, digest, (answer, min(now + self._seconds, answer.expires_at)))
        return answer


def _cache(kept: OrderedDict[bytes, T], digest: bytes, answer: T) -> None:
    kept[digest] = answer
    kept.move_to_end(digest)
    if len(kept) > _CACHED:
        kept.popitem(last=False)


@dataclass(frozen=True, slots=True)
class KeystoneMapping:
    """Which caller a token is. `projects`: the owner's number by project id. `domain`: the id of the domain whose users
    are sub-users. `admin_role`: unless empty, a user with that role on the project is the owner."""

    projects: Mapping[str, int]
    domain: str
    admin_role: str


class KeystoneTokens:
    """Authenticates by tokens of Keystone."""

    def __init__(
        self,
        keystone: Keystone,
        seconds: float,
        mapping: KeystoneMapping,
        owners: FindOwners,
        sub_user: FindSubUser,
    ) -> None:
        self._keystone = keystone
        self._answers = TokenCache(keystone.validate, seconds)
        self._mapping = mapping
        self._owners = owners
        self._sub_user = sub_user
        self._known: dict[int, Owner] = {}

    async def close(self) -> None:
        await self._keystone.close()

    async def authenticate(self, presented: Presented) -> Proven | None:
        """TOKEN_INVALID, TENANT_FOREIGN, NOT_PERMITTED, IDENTITY_UNREACHABLE, RATE_EXCEEDED."""
        claim = presented.claim
        if not isinstance(claim, OutsideTokenClaim):
            return None
        token = await self._answers.validate(claim.text, presented.now, presented.client)
        if presented.now >= token.expires_at:
            raise Refused(Reason.TOKEN_INVALID, note="the token has expired")
        owner = await self._owner(token.project_id)
        if owner is None:
            raise Refused(Reason.NOT_PERMITTED, note="a project that is mapped to no owner")
        if claim.tenant and claim.tenant not in (token.project_id, str(owner.number)):
            raise Refused(Reason.TENANT_FOREIGN, facts={"value": claim.tenant})
        principal = await self._principal(owner, token)
        user = f"keystone:{token.user_id}"
        return Proven(Caller(owner.id, owner.number, owner.app_id, principal, user))

    async def _owner(self, project: str) -> Owner | None:
        number = self._mapping.projects.get(project)
        if number is None:
            return None
        if number not in self._known:  # owners are never deleted
            self._known = {owner.number: owner for owner in await self._owners()}
        return self._known.get(number)

    async def _principal(self, owner: Owner, token: KeystoneToken) -> int:
        """A sub-user of the same name takes precedence over the role."""
        if token.user_domain == self._mapping.domain:
            sub_user = await self._sub_user(owner.id, token.user_name)
            if sub_user is not None:
                return sub_user.number
        if self._mapping.admin_role and self._mapping.admin_role in token.roles:
            return owner.number
        raise Refused(Reason.NOT_PERMITTED, note="no sub-user of that name, and not the role of the owner")


def keystone_tokens(settings: Settings, owners: FindOwners, sub_user: FindSubUser) -> KeystoneTokens:
    """As the settings say, which name a Keystone. SettingsError."""
    if not is_safe(settings.keystone_url):
        raise SettingsError("ROLECALL_KEYSTONE_URL must be https://, or http:// on this machine itself")
    if not settings.keystone_username or settings.keystone_password is None:
        raise SettingsError(
            "ROLECALL_KEYSTONE_USERNAME and ROLECALL_KEYSTONE_PASSWORD: the service user of Keystone"
        )
    password = Secret(settings.keystone_password.get_secret_value())
    user = ServiceUser(
        settings.keystone_username, password, settings.keystone_project, settings.keystone_domain
    )
    try:
        keystone = Keystone(settings.keystone_url, user, authorities=settings.keystone_ca_file)
    except OSError as error:
        raise SettingsError(f"ROLECALL_KEYSTONE_CA_FILE cannot be used: {error}") from None
    mapping = KeystoneMapping(
        settings.keystone_projects, settings.keystone_caller_domain, settings.keystone_admin_role
    )
    return KeystoneTokens(keystone, settings.keystone_cache_seconds, mapping, owners, sub_user)


def is_safe(url: str) -> bool:
    """Whether tokens and passwords may travel there: by HTTPS, or without leaving this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return bool(parts.hostname)
    if parts.scheme != "http" or not parts.hostname:
        return False
    try:
        return ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return parts.hostname == "localhost"


def _unreachable(note: str) -> Refused:
    return Refused(Reason.IDENTITY_UNREACHABLE, note=note)


def _token_of(answer: httpx.Response) -> KeystoneToken:
    """A token without a project has an empty project id, which is mapped to no owner."""
    try:
        token = json.loads(answer.content)["token"]
        roles = frozenset(str(role["name"]) for role in token.get("roles", ()))
        user = token["user"]
        return KeystoneToken(
            str(user["id"]),
            str(user["name"]),
            str(user["domain"]["id"]),
            str(token.get("project", {}).get("id", "")),
            roles,
            datetime.fromisoformat(token["expires_at"]).timestamp(),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        raise _unreachable("Keystone's answer is not a token document") from None
