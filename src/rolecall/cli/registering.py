"""What is asked of a server before it is registered, or how it is used is changed; and its registration."""

from __future__ import annotations

from dataclasses import replace

from rolecall.app.application import Application
from rolecall.cli.errors import CommandError
from rolecall.cli.examination import engine_facts, engine_findings
from rolecall.cli.opening import OpenStore
from rolecall.domain.engine import VerifierWrite
from rolecall.domain.instances.registry import Instance, NewInstance, engine_address, register
from rolecall.domain.reasons import OutcomeUnknown, Refused
from rolecall.settings import load_settings
from rolecall.store.instances import FaceTaken


async def register_instance(opened: Application, new: NewInstance, face: str, *, checked: bool) -> Instance:
    """Register `new`, whose first public id is `face`. `checked` connects to it first. Raises `CommandError`."""
    if checked:
        await _require_usable(opened, new)
    try:
        return await register(opened.store.instances, opened.sealer, new)
    except FaceTaken:
        raise CommandError(f"another instance already has the id `{face}`") from None


async def require_catalog_writes(opened: OpenStore, instance: Instance, host: str, port: int) -> None:
    """Ask the server, at the address that the instance will have, whether `VerifierWrite.CATALOG` can be used there."""
    if instance.engine != "postgresql":
        raise CommandError(f"verifiers are written in one way on {instance.engine} servers")
    options = {**instance.options, "verifier_write": VerifierWrite.CATALOG}
    address = replace(engine_address(opened.sealer, instance), host=host, port=port, options=options)
    try:
        facts = await engine_facts(address, load_settings())
    except (Refused, OutcomeUnknown) as refusal:
        raise CommandError(f"not changed, since the server cannot be asked: {refusal}") from None
    if facts.catalog_withheld:
        raise CommandError(f"not changed: {facts.catalog_withheld}")


async def _require_usable(opened: Application, new: NewInstance) -> None:
    """Refuse a server that Rolecall could not administer, with the fix."""
    failed = [finding for finding in await engine_findings(opened, new) if not finding.ok]
    if failed:
        fixes = "; ".join(f"{finding.check}: {finding.fix}" for finding in failed)
        raise CommandError(f"not registered (--unchecked would register it): {fixes}")
