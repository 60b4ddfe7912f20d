"""Registering a server as an instance: whether Rolecall can administer it, then the row in the store."""

from __future__ import annotations

from rolecall.app.application import Application
from rolecall.cli.errors import CommandError
from rolecall.cli.examination import engine_findings
from rolecall.domain.instances.registry import Instance, NewInstance, register
from rolecall.store.instances import FaceTaken


async def register_instance(opened: Application, new: NewInstance, face: str, *, checked: bool) -> Instance:
    """Register `new`, whose first public id is `face`. `checked` connects to it first. Raises `CommandError`."""
    if checked:
        await _require_usable(opened, new)
    try:
        return await register(opened.store.instances, opened.sealer, new)
    except FaceTaken:
        raise CommandError(f"another instance already has the id `{face}`") from None


async def _require_usable(opened: Application, new: NewInstance) -> None:
    """Refuse a server that Rolecall could not administer, with the fix."""
    failed = [finding for finding in await engine_findings(opened, new) if not finding.ok]
    if failed:
        fixes = "; ".join(f"{finding.check}: {finding.fix}" for finding in failed)
        raise CommandError(f"not registered (--unchecked would register it): {fixes}")
