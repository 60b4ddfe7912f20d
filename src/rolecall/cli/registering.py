"""Registering a server of one's own, and changing its registration."""

from __future__ import annotations

from collections.abc import Sequence

from rolecall.app.application import Application
from rolecall.cli.errors import CommandError
from rolecall.cli.opening import OpenStore
from rolecall.domain.engine import EngineAddress
from rolecall.domain.instances.examination import Examiner, Finding
from rolecall.domain.instances.registrations import ChangeRefused, Registrations, Wanted
from rolecall.domain.instances.registry import FaceTaken, Instance, NewInstance
from rolecall.settings import load_settings


async def register_instance(opened: Application, new: NewInstance, face: str, *, checked: bool) -> Instance:
    """Register `new`, whose first public id is `face`. `checked` connects to it first. Raises `CommandError`."""
    registrations = opened.instances.registrations
    if checked:
        failed = [finding for finding in await registrations.examine_new(new) if finding.is_fatal]
        if failed:
            fixes = "; ".join(f"{found.detail}: {found.fix}" for found in failed)
            raise CommandError(f"not registered (--unchecked would register it): {fixes}")
    try:
        return await registrations.register(new)
    except FaceTaken:
        raise CommandError(f"another instance already has the id `{face}`") from None


async def change_instance(opened: OpenStore, instance: Instance, wanted: Wanted) -> None:
    """Raises `CommandError`."""
    try:
        await _registrations(opened).change(instance, wanted)
    except ChangeRefused as refused:
        raise CommandError(str(refused)) from None


async def remove_instance(opened: OpenStore, instance: Instance) -> None:
    """Raises `CommandError`."""
    try:
        await _registrations(opened).remove(instance)
    except ChangeRefused as refused:
        raise CommandError(str(refused)) from None


def _registrations(opened: OpenStore) -> Registrations:
    return Registrations(opened.store.instances, opened.sealer, Examiner(_probe, opened.sealer))


async def _probe(address: EngineAddress) -> Sequence[Finding]:
    from rolecall.engines.factory import probe

    settings = load_settings()
    return await probe(address, settings.super_min_version, settings.engine_deadlines())
