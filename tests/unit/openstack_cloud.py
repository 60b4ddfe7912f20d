"""A small cloud behind the OpenStack dialect: real dialect, contracts, verbs and keys over servers made of dicts."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import UUID, uuid4

from rolecall.admission import Admission
from rolecall.contracts.check import check
from rolecall.contracts.openstack.databases import contract as databases
from rolecall.contracts.openstack.identity import contract as identity
from rolecall.dialects.openstack import OpenStack
from rolecall.domain.access.authenticator import AccessKeys, AuthenticationMethod, Authenticator, Proven
from rolecall.domain.access.keys import AccessKey, Keys, Owner, secret_purpose
from rolecall.domain.access.rates import Rates
from rolecall.domain.access.revocations import Revocations
from rolecall.domain.access.tokens import Tokens
from rolecall.domain.accounts import commands
from rolecall.domain.accounts.views import AccountView, AccountViews
from rolecall.domain.bus import Bus
from rolecall.domain.engine import Access, AccountKind, DatabaseFacts, DatabaseGrant
from rolecall.domain.instances import commands as instance_commands
from rolecall.domain.instances.views import InstanceView
from rolecall.domain.provisioning import commands as provisioning_commands
from rolecall.domain.reasons import Reason, Refused
from rolecall.domain.secrets.sealing import Sealer
from rolecall.engines.memory_grants import MemoryGrantsEngine
from rolecall.pipeline import ANONYMOUS, origin_of
from rolecall.signing.token import TokenClaim
from rolecall.values import Call, Caller, Claim, Mark, Reply, Request, Secret
from rolecall.verbs import IssuingVerb, StaticVerb
from rolecall.verbs.databases import verbs as databases_verbs
from rolecall.verbs.identity import verbs as identity_verbs

KEY_ID, KEY_SECRET = "AKIDopenstack", "the-secret-of-the-key"
TENANT = 100000000001
INSTANCE = "9cccb45e-e15d-4bcc-aedc-61a4bf3e4ad9"
BUILDING = "dcc5c518-73c7-4471-83e1-15fae67a98eb"
FOREIGN = "00000000-0000-4000-8000-000000000001"
BORN = datetime(2024, 5, 6, 13, 0, 12, tzinfo=UTC)

CONTRACTS = (databases.CONTRACT, identity.V3, identity.V2)
VERBS = {
    ("database", "v1.0"): databases_verbs.VERBS,
    ("identity", "v3"): identity_verbs.V3_VERBS,
    ("identity", "v2.0"): identity_verbs.V2_VERBS,
}
_CONTRACTS = {(one.service, one.version): one for one in CONTRACTS}


def canonical(host: str) -> str:
    """As the engine of the family spells it."""
    return MemoryGrantsEngine().canonical_host(host)


class KeyRepository:
    """Two owners, with a key each; the second one's key id and secret end in ``2``."""

    def __init__(self, sealer: Sealer) -> None:
        self.known = {
            one.id: one
            for number, suffix in ((TENANT, ""), (TENANT + 1, "2"))
            for one in [_key(sealer, number, suffix)]
        }

    async def key(self, key_id: str) -> AccessKey | None:
        return self.known.get(key_id)


def _key(sealer: Sealer, number: int, suffix: str) -> AccessKey:
    key_id = KEY_ID + suffix
    sealed = sealer.seal(Secret(KEY_SECRET + suffix), secret_purpose(key_id))
    return AccessKey(key_id, Owner(number, number, 1250000001), number, sealed, True, BORN)


@dataclass
class FakeServer:
    accounts: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    passwords: dict[tuple[str, str], str] = field(default_factory=dict)
    databases: list[str] = field(default_factory=lambda: ["mysql", "sys"])
    root: bool = False


class FakeControl:
    """Carries out what the verbs command, with the reasons that the domain would give."""

    def __init__(self) -> None:
        self.servers = {INSTANCE: FakeServer()}
        self.names = {INSTANCE: "shop"}
        self.done: list[object] = []

    def carry_out(self, command: object, caller: Caller) -> object:
        if caller.owner_number != TENANT:
            raise Refused(Reason.INSTANCE_FORBIDDEN, facts={"value": FOREIGN})
        outcome = getattr(self, f"_{type(command).__name__}")(command)
        self.done.append(command)
        return outcome

    def _server(self, command: object) -> FakeServer:
        public_id = command.instance.public_id  # type: ignore[attr-defined]
        if public_id == BUILDING:
            raise Refused(Reason.INSTANCE_RESTARTING, facts={"value": public_id})
        if public_id not in self.servers:
            raise Refused(Reason.INSTANCE_MISSING, facts={"value": public_id})
        return self.servers[public_id]

    def _account(self, server: FakeServer, name: str, host: str) -> set[str]:
        if (name, host) not in server.accounts:
            raise Refused(Reason.ACCOUNT_MISSING, facts={"value": f"{name}@{host}"})
        return server.accounts[name, host]

    def _CreateAccountsLater(self, command: commands.CreateAccountsLater) -> None:
        server = self._server(command)
        accounts = [replace(one, host=canonical(one.host)) for one in command.accounts]
        for one in accounts:
            if (one.name, one.host) in server.accounts:
                raise Refused(Reason.ACCOUNT_TAKEN, facts={"value": one.name})
        for one in accounts:
            server.accounts[one.name, one.host] = {grant.database for grant in one.grants}
            server.passwords[one.name, one.host] = one.password.reveal()

    def _PageAccounts(self, command: commands.PageAccounts) -> AccountViews:
        accounts = self._server(command).accounts
        views = [view(*key, grants) for key, grants in accounts.items() if key[0] not in command.hidden]
        more = replace(command.asked, limit=command.asked.limit + 1)
        found = more.cut(views, lambda account: (account.name, account.host))
        shown = tuple(found[: command.asked.limit])
        return AccountViews(shown, len(found) > len(shown), len(accounts), len(found))

    def _ShowAccount(self, command: commands.ShowAccount) -> AccountView:
        server, (name, host) = self._server(command), (command.name, command.host)
        if command.otherwise is not None and (name, host or "%") not in server.accounts:
            name, host = command.otherwise
        return view(name, host or "%", self._account(server, name, host or "%"))

    def _ResetPasswords(self, command: commands.ResetPasswords) -> None:
        server = self._server(command)
        for one in command.accounts:
            self._account(server, one.name, one.host)
        for one in command.accounts:
            server.passwords[one.name, one.host] = one.password.reveal()

    def _MoveAccount(self, command: commands.MoveAccount) -> None:
        server = self._server(command)
        grants = self._account(server, command.name, command.host)
        host = canonical(command.new_host) if command.new_host else command.host
        target = (command.new_name or command.name, host)
        if target != (command.name, command.host) and target in server.accounts:
            raise Refused(Reason.ACCOUNT_TAKEN, facts={"value": target[0]})
        del server.accounts[command.name, command.host]
        server.accounts[target] = grants
        if command.password is not None:
            server.passwords[target] = command.password.reveal()

    def _DeleteAccount(self, command: commands.DeleteAccount) -> None:
        server = self._server(command)
        self._account(server, command.name, command.host)
        del server.accounts[command.name, command.host]

    def _ChangeGrants(self, command: commands.ChangeGrants) -> None:
        held = self._account(self._server(command), command.name, command.host)
        for name in command.revoke:
            if command.must_exist and name not in held:
                raise Refused(Reason.GRANT_MISSING, facts={"value": name})
            held.discard(name)
        held.update(grant.database for grant in command.grant)

    def _AllDatabases(self, command: commands.AllDatabases) -> Sequence[DatabaseFacts]:
        names = sorted(self._server(command).databases)
        return tuple(DatabaseFacts(name, "", "utf8", "", "", True, -1, "") for name in names)

    def _CreateDatabases(self, command: commands.CreateDatabases) -> None:
        server = self._server(command)
        for one in command.databases:
            if one.name in server.databases:
                raise Refused(Reason.DATABASE_TAKEN, facts={"value": one.name})
        server.databases += [one.name for one in command.databases]

    def _DeleteDatabase(self, command: commands.DeleteDatabase) -> None:
        server = self._server(command)
        if command.name not in server.databases:
            raise Refused(Reason.DATABASE_MISSING, facts={"value": command.name})
        server.databases.remove(command.name)

    def _SuperuserState(self, command: commands.SuperuserState) -> bool:
        return self._server(command).root

    def _EnableSuperuser(self, command: commands.EnableSuperuser) -> Secret:
        self._server(command).root = True
        return command.password or Secret(f"made-{len(self.done)}")

    def _DisableSuperuser(self, command: commands.DisableSuperuser) -> None:
        self._server(command).root = False

    def _ListInstances(self, command: instance_commands.ListInstances) -> Sequence[InstanceView]:
        return [self._view(one) for one in self.servers]

    def _ShowInstance(self, command: instance_commands.ShowInstance) -> InstanceView:
        self._server(command)
        return self._view(command.instance.public_id)

    def _RenameInstance(self, command: instance_commands.RenameInstance) -> None:
        self._server(command)
        self.names[command.instance.public_id] = command.name

    def _RestartInstance(self, command: provisioning_commands.RestartInstance) -> None:
        self._server(command)

    def _ProvisionInstance(self, command: provisioning_commands.ProvisionInstance) -> InstanceView:
        public_id = str(uuid4())
        self.servers[public_id] = FakeServer()
        self.servers[public_id].databases += [one.name for one in command.databases]
        self.names[public_id] = command.name
        return self._view(public_id)

    def _DeprovisionInstance(self, command: provisioning_commands.DeprovisionInstance) -> None:
        self._server(command)
        raise Refused(Reason.PROVISIONER_MISSING)

    def _view(self, public_id: str) -> InstanceView:
        return InstanceView(
            public_id,
            self.names[public_id],
            "RegionOne",
            "",
            "running",
            (10, 11),
            "10.11.6-MariaDB",
            "127.0.0.1",
            3306,
            "utf8mb4",
            BORN,
            1250000001,
            TENANT,
        )


def view(name: str, host: str, grants: set[str]) -> AccountView:
    return AccountView(
        oid=0,
        name=name,
        kind=AccountKind.NORMAL,
        locked=False,
        remark="",
        managed_password=False,
        created_at=BORN,
        updated_at=BORN,
        password_updated_at=BORN,
        standing="managed",
        operation=UUID(int=0),
        host=host,
        grants=tuple(DatabaseGrant(one, Access.ALL) for one in sorted(grants)),
    )


class Cloud:
    """`answer` is the pipeline without admission and policies: an action that is public takes nobody's call."""

    def __init__(self, *methods: AuthenticationMethod, lifetime: int = 3600) -> None:
        sealer = Sealer([bytes(32)])
        self.repository = KeyRepository(sealer)
        self.dialect = OpenStack(CONTRACTS, lifetime=lifetime)
        self.control = FakeControl()
        self.revoked: set[bytes] = set()
        self.revocations = Revocations(self)
        rates = Rates(Admission(None))
        keys = AccessKeys(Keys(self.repository, sealer), lambda _key_id, _now: None)  # type: ignore[arg-type]
        self.authenticator = Authenticator((keys, *methods), self.revocations)
        tokens = Tokens(self.authenticator, self.revocations, TokenClaim, self.time)
        self.bus = Bus(tokens.handlers, rates.handlers)
        self.now: float | None = None
        self.seen: list[Request] = []

    @property
    def server(self) -> FakeServer:
        return self.control.servers[INSTANCE]

    def answer(self, request: Request) -> Reply:
        self.seen.append(request)
        envelope = self.dialect.open(request)
        call: Call | None = None
        try:
            call = self.dialect.parse(envelope)
            return self.dialect.render(call, self._carry_out(call))
        except Refused as refusal:
            return self.dialect.refuse(envelope, refusal, call)

    def _carry_out(self, call: Call) -> Mapping[str, object]:
        action = _CONTRACTS[call.service, call.version].actions[call.action]
        proven = ANONYMOUS if action.public else asyncio.run(self._prove(call.claim))
        checked = check(call, proven.caller, action)
        verb = VERBS[call.service, call.version][call.action]
        if isinstance(verb, StaticVerb):
            return verb.static(checked)
        if isinstance(verb, IssuingVerb):
            assert proven.issuer is not None
            return verb.issue(checked, proven.issuer)
        command = verb.command(checked, lambda cipher: cipher)
        if type(command) in self.bus.commands:
            origin = origin_of(checked.call, checked.caller, "openstack")
            return verb.answer(checked, asyncio.run(self.bus.execute(command, origin)))
        return verb.answer(checked, self.control.carry_out(command, proven.caller))

    async def _prove(self, claim: Claim) -> Proven:
        return await self.authenticator.authenticate(claim, self.time())

    async def is_revoked(self, token_id: bytes) -> bool:
        return token_id in self.revoked

    async def revoke(self, token_id: bytes, expires_at: int) -> None:
        assert expires_at > self.time()
        self.revoked.add(token_id)

    def time(self) -> float:
        return time.time() if self.now is None else self.now

    def send(
        self,
        method: str,
        target: str,
        body: bytes | str = b"",
        *,
        headers: Mapping[str, str] | None = None,
        secure: bool = False,
    ) -> Reply:
        """One request, without a socket. Header names in any case."""
        path, _, query = target.partition("?")
        sent = {"host": "cloud.test:8779", **(headers or {})}
        listed = tuple((name.lower(), value) for name, value in sent.items())
        raw = body.encode() if isinstance(body, str) else body
        return self.answer(Request(method, path, query, listed, raw, "127.0.0.1", secure, self.time()))

    def token(self, suffix: str = "") -> str:
        credentials = {"username": KEY_ID + suffix, "apiKey": KEY_SECRET + suffix}
        body = json.dumps({"auth": {"RAX-KSKEY:apiKeyCredentials": credentials}})
        reply = self.send("POST", "/v2.0/tokens", body, headers={"content-type": "application/json"})
        token: str = json.loads(reply.body)["access"]["token"]["id"]
        return token


@contextmanager
def listening(cloud: Cloud) -> Iterator[str]:
    """The cloud on a loopback port of its own: its base URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = tuple((name.lower(), value) for name, value in self.headers.items())
            request = Request(self.command, path, query, headers, body, "127.0.0.1", False, cloud.time())
            assert cloud.dialect.mark(request) is not Mark.NONE, request
            reply = cloud.answer(request)
            self.send_response(reply.status)
            for name, value in (*reply.headers, ("content-length", str(len(reply.body)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _serve  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
