"""A sign-in room over books in memory, and a browser with cookies that asks it. Time is what the test says."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID, uuid4

from rolecall.console import paths as console_paths
from rolecall.console.me import OwnPage
from rolecall.console.router import ConsoleRouter
from rolecall.console.sessions import VisitorSessions
from rolecall.console.sign_in import SignInPages
from rolecall.console.visits import Page
from rolecall.domain.access.browser_sessions import BrowserSession, BrowserSessions
from rolecall.domain.access.keys import AccessKey, Keys, Owner
from rolecall.domain.access.sign_in_links import SignInLinks
from rolecall.domain.access.sign_ins import AddressLimit, Failures, SignInSource
from rolecall.domain.bus import Bus
from rolecall.domain.directories.login import LockRules
from rolecall.domain.directories.model import User, UserGroup, UserStatus, UserStore
from rolecall.domain.directories.provider import Application, Code, Grant, SigningKey, Token, TokenWithGrant
from rolecall.domain.iam.model import SubUser
from rolecall.domain.iam.sign_in import SignedIn, Subject
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason, Refused
from rolecall.domain.secrets.passwords import Passwords
from rolecall.domain.secrets.sealing import Sealer, new_master_key, parse_master_keys
from rolecall.signin.router import SignInRouter
from rolecall.signin.wiring import SignInEndpoints
from rolecall.store.memory_audit import MemoryAudit
from rolecall.values import Origin, Reply, Request, Secret

HOST = "sign.example"
START = 1_800_000_000.0
FORM = "application/x-www-form-urlencoded"


class MemoryUsers:
    """`UserSignInRepository`."""

    def __init__(self) -> None:
        self.stores: dict[UUID, UserStore] = {}
        self.users: dict[UUID, User] = {}
        self.groups: list[UserGroup] = []
        self.signed_in_from: list[str] = []
        self.failed: list[UUID] = []
        self.records: list[Record] = []

    async def store(self, store_id: UUID) -> UserStore | None:
        return self.stores.get(store_id)

    async def user(self, store_id: UUID, user_id: UUID) -> User | None:
        user = self.users.get(user_id)
        return user if user is not None and user.store_id == store_id else None

    async def user_by_login(self, store_id: UUID, login: str) -> User | None:
        for user in self.users.values():
            if user.store_id == store_id and login in (user.name, user.phone, user.email):
                return user
        return None

    async def groups_of(self, user_id: UUID) -> Sequence[UserGroup]:
        return self.groups

    async def signed_in(
        self, user_id: UUID, at: datetime, proven_hash: str | None, renewed_hash: str | None, client: str
    ) -> bool:
        user = self.users[user_id]
        if user.status is not UserStatus.NORMAL or (user.locked_until is not None and user.locked_until > at):
            return False
        self.signed_in_from.append(client)
        self.users[user_id] = replace(
            user,
            password_hash=renewed_hash or user.password_hash,
            last_sign_in_at=at,
            signed_in_before=True,
            failed_sign_ins=0,
        )
        return True

    async def sign_in_failed(self, user_id: UUID, at: datetime, most: int, seconds: int) -> None:
        user = self.users[user_id]
        self.failed.append(user_id)
        count = user.failed_sign_ins + 1
        until = at + timedelta(seconds=seconds) if count >= most else None
        self.users[user_id] = replace(user, failed_sign_ins=0 if until else count, locked_until=until)

    async def set_password(self, user_id: UUID, proven_hash: str, password_hash: str, record: Record) -> bool:
        user = self.users[user_id]
        if user.status is not UserStatus.NORMAL or user.password_hash != proven_hash:
            return False
        self.records.append(record)
        self.users[user_id] = replace(user, password_hash=password_hash, must_reset=False)
        return True


class MemoryProvider:
    """`ProviderRepository`."""

    def __init__(self, users: MemoryUsers) -> None:
        self._users = users
        self.by_id: dict[str, Application] = {}
        self.keys: list[SigningKey] = []
        self.codes: dict[bytes, Code] = {}
        self.grants: dict[UUID, Grant] = {}
        self.tokens: dict[bytes, tuple[UUID, Token]] = {}

    async def application(self, client_id: str) -> Application | None:
        return self.by_id.get(client_id)

    async def applications(self, store_id: UUID | None = None) -> Sequence[Application]:
        return [one for one in self.by_id.values() if store_id in (None, one.store_id)]

    async def add_application(self, application: Application) -> bool:
        self.by_id[application.id] = application
        return True

    async def set_password_grant(self, client_id: str, *, allowed: bool) -> bool:
        self.by_id[client_id] = replace(self.by_id[client_id], password_grant=allowed)
        return True

    async def delete_application(self, client_id: str) -> bool:
        return self.by_id.pop(client_id, None) is not None

    async def signing_keys(self, store_id: UUID) -> Sequence[SigningKey]:
        return [key for key in reversed(self.keys) if key.store_id == store_id]

    async def add_signing_key(self, key: SigningKey) -> bool:
        self.keys.append(key)
        return True

    async def replace_signing_key(self, key: SigningKey) -> None:
        self.keys = [
            replace(one, retired_at=key.created_at)
            if one.store_id == key.store_id and one.retired_at is None
            else one
            for one in self.keys
        ] + [key]

    def _is_there(self, user_id: UUID | None) -> bool:
        return user_id is None or user_id in self._users.users

    async def add_code(self, code: Code) -> bool:
        self.codes[code.digest] = code
        return self._is_there(code.user_id)

    async def code(self, digest: bytes) -> Code | None:
        code = self.codes.get(digest)
        return code if code is not None and self._is_there(code.user_id) else None

    async def redeem(self, code: Code, grant: Grant, tokens: Sequence[Token], at: datetime) -> bool:
        if self.codes[code.digest].used:
            return False
        self.codes[code.digest] = replace(code, used=True)
        return await self.add_grant(grant, tokens)

    async def add_grant(self, grant: Grant, tokens: Sequence[Token]) -> bool:
        self.grants[grant.id] = grant
        self.tokens |= {token.digest: (grant.id, token) for token in tokens}
        return self._is_there(grant.user_id)

    async def held(self, digest: bytes) -> TokenWithGrant | None:
        if digest not in self.tokens:
            return None
        grant_id, token = self.tokens[digest]
        grant = self.grants.get(grant_id)
        return TokenWithGrant(token, grant) if grant is not None and self._is_there(grant.user_id) else None

    async def rotate(
        self, used: TokenWithGrant, tokens: Sequence[Token], expires_at: datetime, at: datetime
    ) -> bool:
        if self.tokens[used.token.digest][1].used:
            return False
        self.tokens[used.token.digest] = (used.grant.id, replace(used.token, used=True))
        self.grants[used.grant.id] = replace(used.grant, expires_at=expires_at)
        self.tokens |= {token.digest: (used.grant.id, token) for token in tokens}
        return True

    async def revoke_grant(self, grant_id: UUID) -> None:
        self.grants.pop(grant_id, None)

    async def revoke_token(self, digest: bytes) -> None:
        self.tokens.pop(digest, None)

    async def purge(self, at: datetime, keys_retired_before: datetime) -> None: ...


class MemorySessions:
    """`SessionRepository` and `FailureRepository`."""

    def __init__(self) -> None:
        self.sessions: dict[bytes, BrowserSession] = {}
        self.counts: dict[str, Failures] = {}

    async def add_session(self, session: BrowserSession) -> bool:
        self.sessions[session.digest] = session
        return True

    async def session(self, digest: bytes) -> BrowserSession | None:
        return self.sessions.get(digest)

    async def touch_session(self, digest: bytes, at: datetime) -> None:
        self.sessions[digest] = replace(self.sessions[digest], seen_at=at)

    async def end_session(self, digest: bytes) -> None:
        self.sessions.pop(digest, None)

    async def end_sessions_of(self, user_id: UUID | None, sub_user: int | None, owner_id: int | None) -> None:
        mine = (user_id, sub_user, owner_id)
        self.sessions = {
            d: s for d, s in self.sessions.items() if (s.user_id, s.sub_user, s.owner_id) != mine
        }

    async def purge_sessions(self, seen_before: datetime) -> None: ...

    async def failures(self, subject: str) -> Failures | None:
        return self.counts.get(subject)

    async def add_failure(self, subject: str, at: datetime, forgotten_before: datetime) -> Failures:
        known = self.counts.get(subject)
        if known is None or known.since < forgotten_before:
            known = Failures(0, at)
        self.counts[subject] = counted = Failures(known.number + 1, known.since)
        return counted

    async def purge_failures(self, began_before: datetime) -> None: ...


OWNER = Owner(1, 100000000001, 1250000001)


class MemoryPeople:
    """One sub-user, as the console asks for it: `ConsoleDoor`, `SubjectRepository`, and the commands it sends."""

    def __init__(self) -> None:
        moment = datetime.fromtimestamp(START, UTC)
        self.user = SubUser(
            700000000001, 5000001, 1, "ann", "<b>remark</b>", True, "hash of Right_1", None, False, "", "", "",
            None, "", moment,
        )  # fmt: skip
        self.gone = False
        self.answers: dict[str, Any] = {}
        self.origins: list[Origin] = []

    async def at_console(self, owner_number: int, name: str, password: Secret, client: str) -> SignedIn:
        if (
            self.gone
            or owner_number != OWNER.number
            or name != self.user.name
            or f"hash of {password.reveal()}" != self.user.password_hash
        ):
            raise Refused(Reason.CREDENTIALS_INVALID)
        return SignedIn(self.user, OWNER, self.user.must_reset_password)

    async def change_password(
        self,
        user: SubUser,
        old: Secret,
        new: Secret,
        origin: Origin,
        require_admitted: Callable[[], Awaitable[None]],
    ) -> None:
        await self.at_console(OWNER.number, user.name, old, origin.client)
        await require_admitted()
        if len(new.reveal()) < 8:
            raise Refused(Reason.PASSWORD_BREAKS_RULES)
        self.user = replace(self.user, password_hash=f"hash of {new.reveal()}", must_reset_password=False)

    async def subject(self, number: int) -> Subject | None:
        return None if self.gone or number != self.user.number else Subject(self.user, OWNER)

    async def execute(self, command: object, origin: Origin) -> Any:
        self.origins.append(origin)
        if type(command).__name__ == "FindSubUsers":
            return (self.user,)
        return self.answers[type(command).__name__]


class MemoryKeys:
    """`KeyRepository` with the keys that a test adds."""

    def __init__(self) -> None:
        self.by_id: dict[str, AccessKey] = {}

    async def key(self, key_id: str) -> AccessKey | None:
        return self.by_id.get(key_id)

    async def keys(self) -> Sequence[AccessKey]:
        return tuple(self.by_id.values())

    async def add_key(self, key_id: str, owner: Owner, principal: int, sealed: bytes) -> None:
        moment = datetime.fromtimestamp(START, UTC)
        self.by_id[key_id] = AccessKey(key_id, owner, principal, sealed, True, moment)

    async def set_key_active(self, key_id: str, *, active: bool) -> bool:
        self.by_id[key_id] = replace(self.by_id[key_id], active=active)
        return True

    async def owners(self) -> Sequence[Owner]:
        return (OWNER,)

    async def add_owner(self, number: int, app_id: int) -> Owner:
        raise NotImplementedError


class MemoryLinks:
    """`SignInLinkRepository`."""

    def __init__(self) -> None:
        self.kept: dict[bytes, datetime] = {}

    async def add_link(self, digest: bytes, owner_id: int, expires_at: datetime) -> None:
        assert owner_id == OWNER.id
        self.kept[digest] = expires_at

    async def take_link(self, digest: bytes, now: datetime) -> Owner | None:
        expires_at = self.kept.pop(digest, now)
        return OWNER if expires_at > now else None


@dataclass
class Desk:
    """The room with one user store, and a browser."""

    now: float = START
    failures: int = 3
    address_failures: int = 50
    secure: bool = True
    require_tls: bool = False
    client: str = "192.0.2.1"
    public_url: str = f"https://{HOST}"
    cookies: dict[str, str] = field(default_factory=dict)
    reports: list[tuple[str, str, str, str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        moment = datetime.fromtimestamp(START, UTC)
        self.users = MemoryUsers()
        self.provider = MemoryProvider(self.users)
        self.kept = MemorySessions()
        self.people = MemoryPeople()
        self.passwords = Passwords(2, 64)
        self.store = UserStore(uuid4(), 1, "Shop <customers>", "", "", True, moment, moment)
        self.users.stores[self.store.id] = self.store
        self.audit = MemoryAudit()
        self.addresses = AddressLimit(self.kept, self.audit, self.address_failures, 900)
        repositories: Any = SimpleNamespace(
            directories=self.users,
            provider=self.provider,
            browser_sessions=self.kept,
            sign_ins=self.people,
        )
        sealer, bus = Sealer(parse_master_keys(new_master_key())), cast("Bus", self.people)
        locks = LockRules(self.failures, 900)
        self.sign_in = SignInEndpoints(repositories, self.addresses, self.passwords, sealer, locks)
        self.signing_keys = self.sign_in.keys
        self.router = self.sign_in.router(self, self.public_url, require_tls=self.require_tls)
        self.keys, self.links = Keys(MemoryKeys(), sealer), MemoryLinks()
        sessions = VisitorSessions(
            self.people,
            self.people,
            self.keys,
            SignInLinks(self.links),
            BrowserSessions(self.kept),
            self.addresses,
            bus,
        )
        home = Page("/console", OwnPage(bus).pages[0].show)
        pages = SignInPages(sessions, self.people, self.addresses)
        self.console = ConsoleRouter(sessions, pages, (home,), self, require_tls=self.require_tls)

    def expect(self, dialect: str, actions: object, codes: object) -> None:
        """`CallMetrics`: every label is taken."""

    def call(self, *report: Any) -> None:
        self.reports.append(report)

    @property
    def base(self) -> str:
        return f"/oidc/{self.store.id.hex}"

    @property
    def issuer(self) -> str:
        return f"https://{HOST}{self.base}"

    async def add_user(self, password: str = "Right_password1", **changes: Any) -> User:
        moment = datetime.fromtimestamp(START, UTC)
        name = f"user-{secrets.token_hex(4)}"
        user = User(
            id=uuid4(), store_id=self.store.id, name=name, phone=f"1{secrets.randbelow(10**10):010}",
            email=f"{name}@example.com", password_hash=await self.passwords.hash(Secret(password)), must_reset=False,
            status=UserStatus.NORMAL, source="admin", nickname="Nick", address="Shenzhen", birthdate=631152000000,
            custom=(), indexed=(None,) * 5, profile={"zone": "Asia/Shanghai", "locale": "zh-CN", "gender": "FEMALE"},
            is_primary=True, groups=(), last_sign_in_at=None, signed_in_before=False, failed_sign_ins=0,
            locked_until=None, locked_at=None, version=0, created_at=moment, modified_at=moment,
        )  # fmt: skip
        self.users.users[user.id] = user = replace(user, **changes)
        return user

    def add_application(self, *, secret: str | None = None, **changes: Any) -> Application:
        digest = None if secret is None else hashlib.sha256(secret.encode()).digest()
        application = Application(
            secrets.token_hex(8), self.store.id, "Till & more", ("https://shop.example/cb?shop=1",),
            ("https://shop.example/bye",), digest, datetime.fromtimestamp(START, UTC), True,
        )  # fmt: skip
        application = replace(application, **changes)
        self.provider.by_id[application.id] = application
        return application

    async def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | str = "",
        form: Mapping[str, str] | Sequence[tuple[str, str]] | bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """One request with the browser's cookies; it keeps those that come back."""
        body = b"" if form is None else form if isinstance(form, bytes) else urlencode(form).encode()
        sent = {"host": HOST} | ({} if form is None else {"content-type": FORM}) | dict(headers or {})
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        text = query if isinstance(query, str) else urlencode(query)
        reply = await self.router_of(path).answer(
            Request(method, path, text, tuple(sent.items()), body, self.client, self.secure, self.now)
        )
        for name, value in reply.headers:
            if name == "set-cookie":
                pair, _, attributes = value.partition(";")
                cookie, _, content = pair.partition("=")
                if "max-age=0" in attributes.lower():
                    self.cookies.pop(cookie, None)
                else:
                    self.cookies[cookie] = content
        return reply

    def router_of(self, path: str) -> ConsoleRouter | SignInRouter:
        return self.console if console_paths.concerns(path) else self.router

    async def get(self, path: str, query: Mapping[str, str] | str = "", **headers: str) -> Reply:
        return await self.ask("GET", self.base + path, query, headers=headers)

    async def post(self, path: str, form: Any, query: Mapping[str, str] | str = "", **headers: str) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.ask("POST", self.base + path, query, form, named)

    async def token(self, application: Application, secret: str | None = None, /, **form: str) -> Reply:
        own = {"client_id": application.id} | ({} if secret is None else {"client_secret": secret})
        return await self.post("/oauth2/token", own | form)

    def request_of(self, application: Application, verifier: str = "", **changes: str) -> dict[str, str]:
        """A good authorization request, with these changes; an empty value takes a parameter out."""
        asked = {
            "client_id": application.id,
            "redirect_uri": application.redirect_uris[0],
            "response_type": "code",
            "scope": "openid",
            "state": "st&te=1",
        }
        if verifier:
            asked |= {"code_challenge": challenge(verifier), "code_challenge_method": "S256"}
        return {name: value for name, value in (asked | changes).items() if value}

    async def sign_in_with(
        self, asked: Mapping[str, str], login: str, password: str = "Right_password1"
    ) -> Reply:
        """Open the page and send its form."""
        shown = await self.get("/oauth2/authorize", asked)
        assert shown.status == 200, shown
        return await self.send(shown, login=login, password=password)

    async def send(self, shown: Reply, **filled: str) -> Reply:
        """Send a page's form, filled in."""
        action, hidden = form_of(shown)
        path, _, query = action.partition("?")
        return await self.ask("POST", path, query, {**hidden, **filled})


async def failed(addresses: AddressLimit, client: str, at: datetime) -> None:
    """Count a wrong password."""
    with suppress(Refused):
        async with addresses.guarded(client, at, SignInSource()):
            raise Refused(Reason.CREDENTIALS_INVALID)


def form_of(page: Reply) -> tuple[str, dict[str, str]]:
    """Where a page's first form goes, and its hidden fields; the form that chooses the language is in every page."""
    text = page.body.decode()
    forms = re.findall(r'<form method="post" action="([^"]+)"[^>]*>(.*?)</form>', text, re.DOTALL)
    action, content = next(form for form in forms if form[0] != "/console/language")
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', content)
    return unescaped(action), {name: unescaped(value) for name, value in hidden}


def unescaped(text: str) -> str:
    import html

    return html.unescape(text)


def challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def header(reply: Reply, name: str) -> str:
    return next((value for key, value in reply.headers if key == name), "")


def location(reply: Reply) -> tuple[str, dict[str, str]]:
    """Where a redirect goes: the URI without its query, and the query."""
    assert reply.status == 303, (reply.status, reply.body)
    parts = urlsplit(header(reply, "location"))
    return f"{parts.scheme}://{parts.netloc}{parts.path}", {k: v[0] for k, v in parse_qs(parts.query).items()}


def content(reply: Reply) -> dict[str, Any]:
    """The JSON of an answer whose headers are as they must be."""
    assert header(reply, "content-type") == "application/json;charset=UTF-8"
    assert header(reply, "cache-control") == "no-store"
    return dict(json.loads(reply.body))
