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
from rolecall.cli.context import find_instance, first_line, with_application
from rolecall.cli.errors import CommandError
from rolecall.cli.opening import credentials, quiet_logs
from rolecall.cli.running.exposure import exposure, tls_files
from rolecall.domain.instances.registry import Instance
from rolecall.domain.maintenance.drift_watch import DriftReport
from rolecall.domain.webhooks.model import Pause, Standing
from rolecall.server_kinds import face_of
from rolecall.settings import Settings, SettingsError, host_and_port, load_settings
from rolecall.tls import time_left

_CLOCK_TOLERANCE = 5.0
"""Seconds that this machine's clock may differ from the store server's; signatures allow 300."""

_CERTIFICATE_TOLERANCE = timedelta(days=14)
"""Remaining validity of a certificate below which it is reported."""

_UNRESOLVED_TOLERANCE = 60.0
"""Seconds that an operation may stay unresolved: longer than its execution, or recovery after a crash, takes."""

_WEBHOOK_TOLERANCE = 300.0
"""Age of a record that a webhook has not confirmed."""

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


def examine_instance(data: Path | None, named: str) -> Sequence[Finding]:
    """The findings about one instance, by id or name. Raises `CommandError`."""

    async def work(opened: Application) -> Sequence[Finding]:
        return await _registered(opened, await find_instance(opened, named))

    return with_application(data, work)


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
    webhooks = await opened.store.webhooks.standings()
    drift = await opened.store.drift_reports.reports(0)
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
        _drift_finding(drift),
        *map(_webhook_finding, webhooks),
    ]


def _drift_finding(reports: Sequence[DriftReport]) -> Finding:
    """Of the last check of each instance."""
    times = [report.checked_at for report in reports if report.checked_at is not None]
    drifted = sum(report.drifted for report in reports)
    if not times:
        return Finding("drift", ok=True, detail="accounts were not compared with what was recorded yet")
    detail = f"{drifted} accounts differ from what was recorded, as of {min(times):%Y-%m-%d %H:%M} UTC"
    return Finding(
        "drift", ok=not drifted, detail=detail, fix="run `rolecall account check`, which names them"
    )


def _webhook_finding(standing: Standing) -> Finding:
    """Not ok if it has not confirmed what was added a while ago, or if the operator does not know that it is paused."""
    name, behind = standing.name, standing.lag_seconds > _WEBHOOK_TOLERANCE
    detail = f"{standing.lag_records} records to confirm, the oldest of {standing.lag_seconds:.0f} s"
    if standing.paused:
        detail, fix = f"paused ({standing.paused}); {detail}", f"run `rolecall webhook resume {name}`"
        return Finding(f"webhook {name}", ok=standing.paused == Pause.OPERATOR, detail=detail, fix=fix)
    detail += f"; {standing.last_error}" if standing.last_error else ""
    fix = "correct the receiver, or pause the webhook; without an error, check that a server runs"
    return Finding(f"webhook {name}", ok=not behind, detail=detail, fix=fix)


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
    """A check is named by the instance and by what was looked at beside the server itself."""
    name = f"instance {face_of(instance)}"
    return [
        Finding(f"{name} {found.about}".rstrip(), found.ok, found.detail, found.fix)
        for found in await opened.instances.registrations.examine(instance)
    ]


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
