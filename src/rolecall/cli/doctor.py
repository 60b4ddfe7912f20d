"""`rolecall doctor`: look at everything that must work, and say how to mend what does not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg
import typer

from rolecall.admission import unreachable
from rolecall.assembly import ENGINES, House
from rolecall.cli.context import JsonOption, first_line, load_settings, quiet_logs, show
from rolecall.cli.data import DataOption, credentials
from rolecall.cli.exposure import exposure, tls_files
from rolecall.cli.registration import face_of
from rolecall.domain.engine import EngineAddress, EngineFacts
from rolecall.domain.instances.channels import weakness
from rolecall.domain.instances.registry import Instance, NewInstance, Phase
from rolecall.domain.reasons import OutcomeUnknown, Refused
from rolecall.domain.secrets.sealing import SealBroken
from rolecall.settings import Settings, SettingsError, host_and_port
from rolecall.tls import time_left

_CLOCK_TOLERANCE = 5.0
"""Seconds between this machine's clock and a server's that are worth a word; signatures allow 300."""

_CERTIFICATE_TOLERANCE = timedelta(days=14)
"""Of its life that is left, below which it is worth a word."""


_UNRESOLVED_TOLERANCE = 60.0
"""Seconds that an operation may be unresolved: longer than carrying it out takes, or recovery after a crash."""


_GUARDED = "the role that serves can only add records"
_UNGUARDED = "one role serves and migrates, and could change records (ROLECALL_MIGRATION_DATABASE_URL)"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `mend` says what to do when it is not well."""

    what: str
    well: bool
    found: str
    mend: str = ""


def doctor(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Check the store, the master key, the clock, and every instance's server and permissions."""
    quiet_logs()
    findings = asyncio.run(_examine(load_settings(), data))
    rows = [
        {"check": one.what, "well": one.well, "found": one.found, "mend": "" if one.well else one.mend}
        for one in findings
    ]
    show(rows, as_json=as_json, columns=("check", "well", "found", "mend"))
    if not all(one.well for one in findings):
        raise typer.Exit(1)


async def _examine(settings: Settings, data: Path | None) -> list[Finding]:
    try:
        house = House(settings, *credentials(data, settings))
    except SettingsError as trouble:
        return [
            Finding(
                "settings", well=False, found=str(trouble), mend="set what is missing, or start `rolecall up`"
            )
        ]
    try:
        await house.open()
    except SettingsError as trouble:
        await house.close()
        return [
            Finding(
                "master key", well=False, found=str(trouble), mend="use the key file this store was made with"
            )
        ]
    except (psycopg.Error, TimeoutError, OSError) as trouble:
        await house.close()
        mend = "check ROLECALL_DATABASE_URL, and that its server runs and lets this user in"
        return [Finding("store", well=False, found=first_line(trouble), mend=mend)]
    try:
        rates = await _rate_findings(house.settings.rate_limit_store)
        return [*await _house_findings(house), *rates, *await _instance_findings(house)]
    finally:
        await house.close()


async def _house_findings(house: House) -> list[Finding]:
    keys = await house.store.keys.keys()
    active = sum(key.active for key in keys)
    waiting = await house.store.operations.still_open()
    guarded = await house.store.audit.is_guarded()
    skew = await house.store.clock() - time.time()
    return [
        Finding("store", well=True, found="reachable, schema up to date"),
        *_channel_findings("store connection", house.store.weakness),
        *_listening_findings(house.settings),
        Finding("master key", well=True, found="opens this store"),
        Finding("audit trail", well=True, found=_GUARDED if guarded else _UNGUARDED),
        Finding(
            "clock",
            well=abs(skew) <= _CLOCK_TOLERANCE,
            found=f"{skew:+.1f} s from the store's server",
            mend="run a time service (chrony, systemd-timesyncd) on both machines: signatures carry a time",
        ),
        Finding(
            "access keys", well=active > 0, found=f"{active} active", mend="run `rolecall key create --owner`"
        ),
        Finding(
            "operations",
            well=waiting.oldest <= _UNRESOLVED_TOLERANCE,
            found=f"{waiting.number} unresolved, the oldest for {waiting.oldest:.0f} s, tried {waiting.attempts} times",
            mend="they finish by themselves once their servers are reachable; see the instances below",
        ),
        Finding(
            "promises",
            well=True,
            found=f"{waiting.failed} accounts could not be made (`rolecall operation list --state refused`)",
        ),
    ]


async def _rate_findings(store: str) -> list[Finding]:
    if not store:
        return []
    error = await unreachable(store)
    mend = "start it, or correct ROLECALL_RATE_LIMIT_STORE; until then each process counts rates for itself"
    return [Finding("rate store", well=not error, found=error or "reachable", mend=mend)]


async def _instance_findings(house: House) -> list[Finding]:
    findings: list[Finding] = []
    for instance in await house.store.instances.instances():
        findings += await _registered(house, instance)
    return findings


async def _registered(house: House, instance: Instance) -> Sequence[Finding]:
    name = f"instance {face_of(instance)}"
    if instance.provision is not None and instance.provision.phase is not Phase.RUNNING:
        mend = "delete it through the API; `rolecall operation list` says why it could not be made"
        phase = instance.provision.phase
        return [Finding(name, well=phase is not Phase.FAILED, found=f"not asked: {phase.value}", mend=mend)]
    try:
        found = await _probe(name, house.attachments.address(instance), house.settings)
        return [*found, *_channel_findings(f"{name} connection", weakness(instance.host, instance.options))]
    except SealBroken as trouble:
        return [Finding(name, well=False, found=str(trouble), mend="remove the instance and add it again")]


def _listening_findings(settings: Settings) -> list[Finding]:
    """How `rolecall serve` with these settings would be reached."""
    findings: list[Finding] = []
    if found := exposure(settings, host_and_port(settings.listen)[0]):
        mend = "give a certificate (ROLECALL_TLS_CERT, ROLECALL_TLS_KEY), or name the proxy that speaks TLS"
        findings.append(Finding("listening", well=False, found=found, mend=mend))
    try:
        files = tls_files(settings)
        left = None if files is None else time_left(files[0])
    except SettingsError as error:
        mend = "correct ROLECALL_TLS_CERT and ROLECALL_TLS_KEY"
        return [*findings, Finding("certificate", well=False, found=str(error), mend=mend)]
    if left is not None:
        well, days = left > _CERTIFICATE_TOLERANCE, left.days
        mend = "renew it, and send SIGHUP to the server"
        findings.append(Finding("certificate", well=well, found=f"ends in {days} days", mend=mend))
    return findings


def _channel_findings(what: str, weak: str) -> Sequence[Finding]:
    mend = "connect with sslmode verify-full and, if need be, sslrootcert (`rolecall instance set`, or the store's URL)"
    return [Finding(what, well=False, found=weak, mend=mend)] if weak else []


async def engine_findings(house: House, new: NewInstance) -> Sequence[Finding]:
    """Whether a server that is about to be registered could be administered."""
    address = EngineAddress(
        new.engine, new.host, new.port, new.administrator, new.password, new.database, new.options
    )
    return await _probe("server", address, house.settings)


async def _probe(name: str, address: EngineAddress, settings: Settings) -> Sequence[Finding]:
    engine = ENGINES[address.kind](
        address, super_min_version=settings.super_min_version, deadlines=settings.engine_deadlines()
    )
    try:
        facts = await engine.facts()
    except (Refused, OutcomeUnknown) as refusal:
        mend = (
            "check that the server runs, and its address and administrator's password (`instance add` anew)"
        )
        return [Finding(name, well=False, found=str(refusal), mend=mend)]
    finally:
        await engine.close()
    return _permissions(name, address.kind, facts, settings)


def _permissions(name: str, kind: str, facts: EngineFacts, settings: Settings) -> Sequence[Finding]:
    who = facts.administrator
    rank = "superuser" if facts.is_superuser else "no superuser"
    findings = [Finding(name, well=True, found=f"{kind} {facts.version_text}, {who} is {rank}")]
    if kind == "postgresql" and not facts.can_read_verifiers:
        findings.append(
            Finding(
                f"{name} permissions",
                well=False,
                found=f"{who} cannot read pg_authid, so a new password could not be read back",
                mend=f'as a superuser: GRANT SELECT ON pg_catalog.pg_authid TO "{who}"',
            )
        )
    if facts.refuses_verifiers:
        findings.append(
            Finding(
                f"{name} passwords",
                well=False,
                found=f"it takes no password that is hashed already: {facts.refuses_verifiers}",
                mend="SET GLOBAL strict_password_validation=OFF, also in its configuration, or uninstall the plugin",
            )
        )
    if kind == "postgresql" and facts.version[0] < settings.super_min_version:
        found = f"super accounts need PostgreSQL {settings.super_min_version} or later"
        findings.append(Finding(f"{name} super accounts", well=True, found=found))
    return findings
