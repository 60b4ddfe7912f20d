"""Whether Rolecall can administer a server: what was found, and what to do about it.

A finding is a member of a closed vocabulary with facts, so that it can be said in any language. `WORDS` has it in
English.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from rolecall.domain.engine import EngineAddress
from rolecall.domain.instances.channels import is_loopback, sslmode, weakness
from rolecall.domain.instances.registry import Instance, NewInstance, Phase, engine_address
from rolecall.domain.reasons import OutcomeUnknown, Refused
from rolecall.domain.secrets.sealing import SealBroken, Sealer

LONGEST = 15
"""Seconds for the examination of a server, however slowly it answers."""

SOON = 7
"""Days before the end of an account's password in which it is counted."""


@dataclass(frozen=True, slots=True)
class Expiries:
    """Accounts that may log in but for the age of their password: how many have expired, how many do `SOON`."""

    expired: int
    soon: int


class Says(StrEnum):
    SUPERUSER = "superuser"
    ADMINISTRATOR = "administrator"
    UNUSABLE = "unusable"
    """The server is out of reach, refuses the administrator, or cannot prove who it is."""
    NOT_CHECKED = "not_checked"
    NOT_CREATED = "not_created"
    UNSEALED = "unsealed"
    VERIFIERS_UNREADABLE = "verifiers_unreadable"
    BY_CATALOG = "by_catalog"
    BY_STATEMENT = "by_statement"
    CATALOG_WITHHELD = "catalog_withheld"
    HASHES_REFUSED = "hashes_refused"
    NO_SUPER_ACCOUNTS = "no_super_accounts"
    EXPIRIES = "expiries"
    CHANNEL_LOCAL = "channel_local"
    CHANNEL_VERIFIED = "channel_verified"
    CHANNEL_WEAK = "channel_weak"


@dataclass(frozen=True, slots=True)
class Words:
    """In English: what was checked beside the server itself, what was found, and what to do if it is not as it should
    be. Braces are filled with the finding's facts."""

    about: str
    detail: str
    fix: str = ""


WORDS: Mapping[Says, Words] = {
    Says.SUPERUSER: Words("", "{engine} {version}, {administrator} is a superuser"),
    Says.ADMINISTRATOR: Words("", "{engine} {version}, {administrator} is not a superuser"),
    Says.UNUSABLE: Words(
        "",
        "{why}",
        "check that the server runs, its address, the administrator's name and password, and TLS",
    ),
    Says.NOT_CHECKED: Words("", "not checked: {phase}"),
    Says.NOT_CREATED: Words(
        "",
        "not checked: {phase}",
        "delete it through the API; `rolecall operation list` says why it could not be created",
    ),
    Says.UNSEALED: Words("", "{why}", "remove the instance and add it again"),
    Says.VERIFIERS_UNREADABLE: Words(
        "permissions",
        "{administrator} cannot read pg_authid, so Rolecall cannot verify a new password",
        'as a superuser: GRANT SELECT ON pg_catalog.pg_authid TO "{administrator}"',
    ),
    Says.BY_CATALOG: Words("verifiers", "stored by an update of pg_authid (catalog)"),
    Says.BY_STATEMENT: Words("verifiers", "stored by CREATE and ALTER ROLE (statement)"),
    Says.CATALOG_WITHHELD: Words(
        "verifiers",
        "stored by CREATE and ALTER ROLE (statement), not in pg_authid itself as the instance wants it: {why}",
        "`rolecall instance set ID --verifier-write statement`, or change the server",
    ),
    Says.HASHES_REFUSED: Words(
        "passwords",
        "the server refuses hashed passwords: {why}",
        "SET GLOBAL strict_password_validation=OFF (and in the configuration), or uninstall the plugin",
    ),
    Says.NO_SUPER_ACCOUNTS: Words("super accounts", "super accounts need PostgreSQL {least} or later"),
    Says.EXPIRIES: Words("expiry", "{expired} accounts have expired, {soon} expire within {days} days"),
    Says.CHANNEL_LOCAL: Words("connection", "on this machine"),
    Says.CHANNEL_VERIFIED: Words("connection", "sslmode verify-full: the server's certificate is verified"),
    Says.CHANNEL_WEAK: Words(
        "connection",
        "{weakness}",
        "connect with sslmode verify-full and, if need be, sslrootcert (`rolecall instance set`)",
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check of a server. `is_fatal`: Rolecall could not administer the server."""

    says: Says
    ok: bool = True
    facts: Mapping[str, str] = field(default_factory=dict)
    is_fatal: bool = False

    @property
    def about(self) -> str:
        return WORDS[self.says].about

    @property
    def detail(self) -> str:
        return WORDS[self.says].detail.format_map(self.facts)

    @property
    def fix(self) -> str:
        """Empty if there is nothing to do."""
        return "" if self.ok else WORDS[self.says].fix.format_map(self.facts)


Probe = Callable[[EngineAddress], Awaitable[Sequence[Finding]]]
"""What a server says of itself and its administrator, asked on a connection of its own within the deadlines of engines.
`Refused`, `OutcomeUnknown`."""


class Examiner:
    def __init__(self, probe: Probe, sealer: Sealer) -> None:
        self._probe = probe
        self._sealer = sealer

    async def of_new(self, new: NewInstance) -> Sequence[Finding]:
        """Of a server that is about to be registered."""
        address = EngineAddress(
            new.engine, new.host, new.port, new.administrator, new.password, new.database, new.options
        )
        return await self.of_address(address)

    async def of_instance(self, instance: Instance) -> Sequence[Finding]:
        provision = instance.provision
        if provision is not None and provision.phase is not Phase.RUNNING:
            if provision.phase is Phase.FAILED:
                return [fatal(Says.NOT_CREATED, phase=provision.phase.value)]
            return [Finding(Says.NOT_CHECKED, facts={"phase": provision.phase.value})]
        try:
            address = engine_address(self._sealer, instance)
        except SealBroken as error:
            return [fatal(Says.UNSEALED, why=str(error))]
        return await self.of_address(address)

    async def of_address(self, address: EngineAddress) -> Sequence[Finding]:
        try:
            async with asyncio.timeout(LONGEST):
                found = await self._probe(address)
        except Refused as refusal:
            found = [fatal(Says.UNUSABLE, why=refusal.note or refusal.reason.value)]
        except OutcomeUnknown:
            found = [fatal(Says.UNUSABLE, why="the connection was lost")]
        except TimeoutError:
            found = [fatal(Says.UNUSABLE, why=f"the server did not answer within {LONGEST} seconds")]
        return [*found, _channel(address)]


def fatal(says: Says, **facts: str) -> Finding:
    return Finding(says, ok=False, facts=facts, is_fatal=True)


def _channel(address: EngineAddress) -> Finding:
    if weak := weakness(address.host, address.options):
        mode = sslmode(address.host, address.options)
        return Finding(Says.CHANNEL_WEAK, ok=False, facts={"weakness": weak, "mode": mode})
    return Finding(Says.CHANNEL_LOCAL if is_loopback(address.host) else Says.CHANNEL_VERIFIED)
