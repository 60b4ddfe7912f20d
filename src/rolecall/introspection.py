"""Callers that an outside Keystone vouches for: their tokens are shown to it, and its word is believed for a moment.

Source: OpenStack Identity API v3, "Validate and show information for token" and "Password authentication with scoped
authorization". A token that Keystone does not know is refused, and so is everybody while it cannot be asked.
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

from rolecall.domain.access.authenticator import Owner
from rolecall.domain.reasons import Reason, Refused
from rolecall.settings import Settings, SettingsError
from rolecall.signing.token import OutsideTokenClaim
from rolecall.values import Caller, Claim, Secret

_REMEMBERED = 10_000
"""Tokens whose last answer is kept at most, and as many again that are not known."""

_UNKNOWN_FOR = 5.0
"""Seconds that a token which Keystone does not know is refused without asking again."""

_AT_ONCE = 10
"""Tokens that are asked about at once for one client address: half of the connections."""

_MARGIN = 60.0
"""Seconds before its end at which our own token is renewed."""

_SUBJECT = "X-Subject-Token"

T = TypeVar("T")
Document = Mapping[str, object]
FindOwners = Callable[[], Awaitable[Sequence[Owner]]]
FindSubUser = Callable[[int, str], Awaitable[int | None]]
"""By an owner's id and a name; a sub-user's number."""


@dataclass(frozen=True, slots=True)
class Vouched:
    """What Keystone says of a token, as far as it matters here. `expires_at` is unix time in seconds."""

    user_id: str
    user_name: str
    user_domain: str
    project_id: str
    roles: frozenset[str]
    expires_at: float


@dataclass(frozen=True, slots=True)
class ServiceUser:
    """The user of Keystone as which Rolecall asks; it needs a role that may validate tokens (``service``, ``admin``).

    `domain` is the name of the domain of both, user and project.
    """

    name: str
    password: Secret
    project: str
    domain: str

    def asking(self) -> Document:
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

    async def validate(self, token: Secret, now: float) -> Vouched:
        """TOKEN_INVALID; IDENTITY_UNREACHABLE for any answer that is neither yes nor no."""
        answer = await self._shown(token, await self._own_token(now))
        if answer.status_code == 401:  # our own token was ended before its time
            self._own_until = 0.0
            answer = await self._shown(token, await self._own_token(now))
        if answer.status_code == 404:
            raise Refused(Reason.TOKEN_INVALID, note="Keystone does not know the token")
        if answer.status_code != 200:
            raise _unreachable(f"Keystone answered {answer.status_code} to a token")
        return _vouched(answer)

    async def _shown(self, token: Secret, own: Secret) -> httpx.Response:
        headers = {"X-Auth-Token": own.reveal(), _SUBJECT: token.reveal()}
        return await self._send("GET", f"{self._tokens}?nocatalog", headers)

    async def _own_token(self, now: float) -> Secret:
        async with self._renewing:
            if self._own is None or now >= self._own_until:
                answer = await self._send("POST", self._tokens, {}, self._user.asking())
                if answer.status_code != 201 or _SUBJECT not in answer.headers:
                    raise _unreachable(f"Keystone answered {answer.status_code} to Rolecall's own user")
                self._own = Secret(answer.headers[_SUBJECT])
                self._own_until = _vouched(answer).expires_at - _MARGIN
            return self._own

    async def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: Document | None = None
    ) -> httpx.Response:
        try:
            return await self._http.request(method, url, headers=headers, json=body)
        except httpx.HTTPError as error:
            # No cause is kept: it holds the request, and with it tokens.
            raise _unreachable(f"Keystone cannot be asked: {type(error).__name__}") from None


class RememberedAnswers:
    """Keystone's word on a token, believed for `seconds`; a token that is asked about twice at once is asked once.

    Whoever shows tokens that nobody issued costs Keystone no more than one question for each of them in a few seconds,
    and a client address no more than some at once.
    """

    def __init__(self, ask: Callable[[Secret, float], Awaitable[Vouched]], seconds: float) -> None:
        self._ask = ask
        self._seconds = seconds
        self._known: OrderedDict[bytes, tuple[Vouched, float]] = OrderedDict()
        self._unknown: OrderedDict[bytes, float] = OrderedDict()
        self._asking: dict[bytes, asyncio.Task[Vouched]] = {}
        self._asking_for: Counter[str] = Counter()

    async def validate(self, token: Secret, now: float, client: str = "") -> Vouched:
        """As `Keystone.validate`; RATE_EXCEEDED if too many are asked about for this client already."""
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

    def _answered(self, digest: bytes, client: str, asking: asyncio.Task[Vouched]) -> None:
        self._asking.pop(digest, None)
        self._asking_for[client] -= 1
        if not self._asking_for[client]:
            del self._asking_for[client]
        if not asking.cancelled():
            asking.exception()  # looked at, also if everybody who waited for it has gone

    async def _answer(self, digest: bytes, token: Secret, now: float) -> Vouched:
        try:
            vouched = await self._ask(token, now)
        except Refused as refusal:
            if refusal.reason is Reason.TOKEN_INVALID:
                _remember(self._unknown, digest, now + _UNKNOWN_FOR)
            raise
        if self._seconds:
            _remember(self._known, digest, (vouched, min(now + self._seconds, vouched.expires_at)))
        return vouched


def _remember(kept: OrderedDict[bytes, T], digest: bytes, answer: T) -> None:
    kept[digest] = answer
    kept.move_to_end(digest)
    if len(kept) > _REMEMBERED:
        kept.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Who:
    """Who is who. `projects`: owner's number by project id. `domain` is the id of the domain whose users come here;
    `admin_role`, where it is not empty, makes the owner of whoever has it on the project."""

    projects: Mapping[str, int]
    domain: str
    admin_role: str


class OutsideCallers:
    """`domain.access.authenticator.Introspection`. `sub_user` finds a sub-user's number by its owner and name."""

    def __init__(
        self, keystone: Keystone, seconds: float, rules: Who, owners: FindOwners, sub_user: FindSubUser
    ) -> None:
        self._keystone = keystone
        self._answers = RememberedAnswers(keystone.validate, seconds)
        self._rules = rules
        self._owners = owners
        self._sub_user = sub_user
        self._known: dict[int, Owner] = {}

    async def close(self) -> None:
        await self._keystone.close()

    async def caller(self, claim: Claim, now: float, client: str = "") -> Caller | None:
        """TOKEN_INVALID, TENANT_FOREIGN, NOT_PERMITTED, IDENTITY_UNREACHABLE, RATE_EXCEEDED."""
        if not isinstance(claim, OutsideTokenClaim):
            return None
        vouched = await self._answers.validate(claim.text, now, client)
        if now >= vouched.expires_at:
            raise Refused(Reason.TOKEN_INVALID, note="the token has expired")
        owner = await self._owner(vouched.project_id)
        if owner is None:
            raise Refused(Reason.NOT_PERMITTED, note="a project that is mapped to no owner")
        if claim.tenant and claim.tenant not in (vouched.project_id, str(owner.number)):
            raise Refused(Reason.TENANT_FOREIGN, facts={"value": claim.tenant})
        principal = await self._principal(owner, vouched)
        return Caller(owner.id, owner.number, owner.app_id, principal, f"keystone:{vouched.user_id}")

    async def _owner(self, project: str) -> Owner | None:
        number = self._rules.projects.get(project)
        if number is None:
            return None
        if number not in self._known:  # owners come and never go
            self._known = {owner.number: owner for owner in await self._owners()}
        return self._known.get(number)

    async def _principal(self, owner: Owner, vouched: Vouched) -> int:
        """A sub-user of the same name goes before the role: whoever is one has the rights of one."""
        if vouched.user_domain == self._rules.domain:
            sub_user = await self._sub_user(owner.id, vouched.user_name)
            if sub_user is not None:
                return sub_user
        if self._rules.admin_role and self._rules.admin_role in vouched.roles:
            return owner.number
        raise Refused(
            Reason.NOT_PERMITTED, note="no sub-user of that name, and not the role that makes the owner"
        )


def outside_callers(settings: Settings, owners: FindOwners, sub_user: FindSubUser) -> OutsideCallers | None:
    """What the settings say, None if they name no Keystone. SettingsError."""
    if not settings.keystone_url:
        return None
    if not is_safe(settings.keystone_url):
        raise SettingsError("ROLECALL_KEYSTONE_URL must be https://, or http:// on this machine itself")
    if not settings.keystone_username or settings.keystone_password is None:
        raise SettingsError(
            "ROLECALL_KEYSTONE_USERNAME and ROLECALL_KEYSTONE_PASSWORD: as whom to ask Keystone"
        )
    password = Secret(settings.keystone_password.get_secret_value())
    user = ServiceUser(
        settings.keystone_username, password, settings.keystone_project, settings.keystone_domain
    )
    try:
        keystone = Keystone(settings.keystone_url, user, authorities=settings.keystone_ca_file)
    except OSError as error:
        raise SettingsError(f"ROLECALL_KEYSTONE_CA_FILE cannot be used: {error}") from None
    who = Who(settings.keystone_projects, settings.keystone_caller_domain, settings.keystone_admin_role)
    return OutsideCallers(keystone, settings.keystone_cache_seconds, who, owners, sub_user)


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


def _vouched(answer: httpx.Response) -> Vouched:
    """Without a project it is a token for something else; its project is empty then, which no owner has."""
    try:
        token = json.loads(answer.content)["token"]
        roles = frozenset(str(role["name"]) for role in token.get("roles", ()))
        user = token["user"]
        return Vouched(
            str(user["id"]),
            str(user["name"]),
            str(user["domain"]["id"]),
            str(token.get("project", {}).get("id", "")),
            roles,
            datetime.fromisoformat(token["expires_at"]).timestamp(),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        raise _unreachable("Keystone's answer is no token document") from None
