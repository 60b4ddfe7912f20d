"""The checks of `rolecall doctor`, and of a server that is about to be registered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg

from rolecall.app.application import Application
from rolecall.app.opening import WrongMasterKey, open_application
from rolecall.cli.context import first_line
from rolecall.cli.errors import CommandError
from rolecall.cli.exposure import exposure, tls_files
from rolecall.cli.opening import credentials, quiet_logs
from rolecall.cli.registration import face_of
from rolecall.domain.engine import EngineAddress, EngineFacts, VerifierWrite
from rolecall.domain.instances.channels import weakness
from rolecall.domain.instances.registry import Instance, NewInstance, Phase
from rolecall.domain.reasons import OutcomeUnknown, Refused
from rolecall.domain.secrets.sealing import SealBroken
from rolecall.engines.factory import ENGINES
from rolecall.settings import Settings, SettingsError, host_and_port, load_settings
from rolecall.tls import time_left

_CLOCK_TOLERANCE = 5.0
"""Seconds that this machine's clock may differ from the store server's; signatures allow 300."""

_CERTIFICATE_TOLERANCE = timedelta(days=14)
"""Remaining validity of a certificate below which it is reported."""

_UNRESOLVED_TOLERANCE = 60.0
"""Seconds that an operation may stay unresolved: longer than its execution, or recovery after a crash, takes."""

_GUARDED = "the serving role can only add records"
_UNGUARDED = "one role serves and migrates, and can change records (ROLECALL_MIGRATION_DATABASE_URL)"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check. `fix` says what to do if it is not ok."""

    check: str
    ok: bool
    detail: str
    fix: str = ""


def examine(data: Path | None) -> list[Finding]:
    """Every finding about the store and instances of `data`, or of the settings."""
    quiet_logs()
    return asyncio.run(_examine(load_settings(), data))


async def _examine(settings: Settings, data: Path | None) -> list[Finding]:
    async with AsyncExitStack() as stack:
        try:
            opening = open_application(settings, *credentials(data, settings))
            opened = await stack.enter_async_context(opening)
        except WrongMasterKey as error:
            fix = "use the key file that the store was created with"
            return [Finding("master key", ok=False, detail=str(error), fix=fix)]
        except (CommandError, SettingsError) as error:
            fix = "set what is missing, or start `rolecall up`"
            return [Finding("settings", ok=False, detail=str(error), fix=fix)]
        except (psycopg.Error, TimeoutError, OSError) as error:
            fix = "check ROLECALL_DATABASE_URL, and that its server runs and admits this user"
            return [Finding("store", ok=False, detail=first_line(error), fix=fix)]
        rates = await _rate_findings(opened.settings.rate_limit_store)
        return [*await _application_findings(opened), *rates, *await _instance_findings(opened)]


async def _application_findings(opened: Application) -> list[Finding]:
    keys = await opened.store.keys.keys()
    active = sum(key.active for key in keys)
    waiting = await opened.store.operations.still_open()
    guarded = await opened.store.audit.is_guarded()
    skew = await opened.store.clock() - time.time()
    return [
        Finding("store", ok=True, detail="reachable, schema up to date"),
        *_channel_findings("store connection", opened.store.weakness),
        *_listening_findings(opened.settings),
        Finding("master key", ok=True, detail="opens the secrets of this store"),
        Finding("audit trail", ok=True, detail=_GUARDED if guarded else _UNGUARDED),
        Finding(
            "clock",
            ok=abs(skew) <= _CLOCK_TOLERANCE,
            detail=f"{skew:+.1f} s compared with the store's server",
            fix="run a time service (chrony, systemd-timesyncd) on both machines: signatures carry a time",
        ),
        Finding(
            "access keys", ok=active > 0, detail=f"{active} active", fix="run `rolecall key create --owner`"
        ),
        Finding(
            "operations",
            ok=waiting.oldest <= _UNRESOLVED_TOLERANCE,
            detail=f"{waiting.number} unresolved, the oldest for {waiting.oldest:.0f} s, {waiting.attempts} attempts",
            fix="none if the servers are reachable: they are resolved automatically; see the instances below",
        ),
        Finding(
            "promises",
            ok=True,
            detail=f"{waiting.failed} accounts could not be created (`rolecall operation list --state refused`)",
        ),
    ]


async def _rate_findings(store: str) -> list[Finding]:
    if not store:
        return []
    from rolecall.rate_store import unreachable

    error = await unreachable(store)
    fix = "start it, or correct ROLECALL_RATE_LIMIT_STORE; until then each process counts its own calls"
    return [Finding("rate store", ok=not error, detail=error or "reachable", fix=fix)]


async def _instance_findings(opened: Application) -> list[Finding]:
    findings: list[Finding] = []
    for instance in await opened.store.instances.instances():
        findings += await _registered(opened, instance)
    return findings


async def _registered(opened: Application, instance: Instance) -> Sequence[Finding]:
    name = f"instance {face_of(instance)}"
    if instance.provision is not None and instance.provision.phase is not Phase.RUNNING:
        fix = "delete it through the API; `rolecall operation list` says why it could not be created"
        phase = instance.provision.phase
        return [Finding(name, ok=phase is not Phase.FAILED, detail=f"not checked: {phase.value}", fix=fix)]
    try:
        found = await _probe(name, opened.instances.engines.address(instance), opened.settings)
        return [*found, *_channel_findings(f"{name} connection", weakness(instance.host, instance.options))]
    except SealBroken as error:
        return [Finding(name, ok=False, detail=str(error), fix="remove the instance and add it again")]


def _listening_findings(settings: Settings) -> list[Finding]:
    """Whether `rolecall serve` with these settings is exposed, and its certificate."""
    findings: list[Finding] = []
    if found := exposure(settings, host_and_port(settings.listen)[0]):
        fix = "set a certificate (ROLECALL_TLS_CERT, ROLECALL_TLS_KEY), or list the proxy that terminates TLS"
        findings.append(Finding("listening", ok=False, detail=found, fix=fix))
    try:
        files = tls_files(settings)
        left = None if files is None else time_left(files[0])
    except SettingsError as error:
        fix = "correct ROLECALL_TLS_CERT and ROLECALL_TLS_KEY"
        return [*findings, Finding("certificate", ok=False, detail=str(error), fix=fix)]
    if left is not None:
        ok, days = left > _CERTIFICATE_TOLERANCE, left.days
        fix = "renew it, then send SIGHUP to the server"
        findings.append(Finding("certificate", ok=ok, detail=f"expires in {days} days", fix=fix))
    return findings


def _channel_findings(what: str, weak: str) -> Sequence[Finding]:
    fix = "connect with sslmode verify-full and, if need be, sslrootcert (`rolecall instance set`, or the store's URL)"
    return [Finding(what, ok=False, detail=weak, fix=fix)] if weak else []


async def engine_findings(opened: Application, new: NewInstance) -> Sequence[Finding]:
    """Whether Rolecall could administer a server that is about to be registered."""
    address = EngineAddress(
        new.engine, new.host, new.port, new.administrator, new.password, new.database, new.options
    )
    return await _probe("server", address, opened.settings)


async def _probe(name: str, address: EngineAddress, settings: Settings) -> Sequence[Finding]:
    try:
        facts = await engine_facts(address, settings)
    except (Refused, OutcomeUnknown) as refusal:
        fix = (
            "check that the server runs, its address and the administrator's password (`instance add` again)"
        )
        return [Finding(name, ok=False, detail=str(refusal), fix=fix)]
    return _permissions(name, address.kind, facts, settings)


async def engine_facts(address: EngineAddress, settings: Settings) -> EngineFacts:
    """What a server reports of itself on a connection of its own. `Refused`, `OutcomeUnknown`."""
    engine = ENGINES[address.kind](
        address, super_min_version=settings.super_min_version, deadlines=settings.engine_deadlines()
    )
    try:
        return await engine.facts()
    finally:
        await engine.close()


def _verifier_write(name: str, facts: EngineFacts) -> Finding:
    if facts.verifier_write is VerifierWrite.CATALOG:
        return Finding(name, ok=True, detail="stored by an update of pg_authid (catalog)")
    detail = "stored by CREATE and ALTER ROLE (statement)"
    if not facts.catalog_withheld:
        return Finding(name, ok=True, detail=detail)
    return Finding(
        name,
        ok=False,
        detail=f"{detail}, not in pg_authid itself as the instance wants it: {facts.catalog_withheld}",
        fix="`rolecall instance set ID --verifier-write statement`, or change the server",
    )


def _permissions(name: str, kind: str, facts: EngineFacts, settings: Settings) -> Sequence[Finding]:
    administrator = facts.administrator
    rank = "is a superuser" if facts.is_superuser else "is not a superuser"
    findings = [Finding(name, ok=True, detail=f"{kind} {facts.version_text}, {administrator} {rank}")]
    if kind == "postgresql" and not facts.can_read_verifiers:
        findings.append(
            Finding(
                f"{name} permissions",
                ok=False,
                detail=f"{administrator} cannot read pg_authid, so Rolecall cannot verify a new password",
                fix=f'as a superuser: GRANT SELECT ON pg_catalog.pg_authid TO "{administrator}"',
            )
        )
    if kind == "postgresql":
        findings.append(_verifier_write(f"{name} verifiers", facts))
    if facts.refuses_verifiers:
        findings.append(
            Finding(
                f"{name} passwords",
                ok=False,
                detail=f"the server refuses hashed passwords: {facts.refuses_verifiers}",
                fix="SET GLOBAL strict_password_validation=OFF (and in the configuration), or uninstall the plugin",
            )
        )
    if kind == "postgresql" and facts.version[0] < settings.super_min_version:
        found = f"super accounts need PostgreSQL {settings.super_min_version} or later"
        findings.append(Finding(f"{name} super accounts", ok=True, detail=found))
    return findings
