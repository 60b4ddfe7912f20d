"""Registering servers of one's own, and changing and ending their registration.

No vendor has actions for this: the command line and the console offer it to the owner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from rolecall.domain.engine import VerifierWrite
from rolecall.domain.instances.examination import Examiner, Finding, Says
from rolecall.domain.instances.registry import (
    EngineRegistry,
    Instance,
    InstanceRepository,
    NewInstance,
    engine_address,
    moved,
    register,
)
from rolecall.domain.secrets.sealing import SealBroken, Sealer


class RegisteredInstances(InstanceRepository, Protocol):
    async def change_instance_at(self, instance_id: int, revision: int, **changes: object) -> bool:
        """False, and nothing is changed, if the instance has another revision by now."""

    async def remove_instance(self, instance_id: int) -> None: ...


class ChangeRefused(Exception):
    """The text says why, and holds no secret."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What becomes of an instance. None and a missing option change nothing; an empty option is removed."""

    name: str | None = None
    isolated: bool | None = None
    listed_callers: tuple[int, ...] | None = None
    every_caller: bool = False
    """Instead of `listed_callers`."""
    host: str | None = None
    port: int | None = None
    options: Mapping[str, str] = field(default_factory=dict)

    def fields(self) -> dict[str, object]:
        """What is wanted, by name, for audit records."""
        named: dict[str, object] = {
            "isolated": self.isolated,
            "name": self.name,
            "listed_callers": "all" if self.every_caller else self.listed_callers,
            **self.options,
            "host": self.host,
            "port": self.port,
        }
        return {name: value for name, value in named.items() if value is not None}


class Registrations:
    """`engines` are those of this process, whose connections to a server end with its registration."""

    def __init__(
        self,
        repository: RegisteredInstances,
        sealer: Sealer,
        examiner: Examiner,
        engines: EngineRegistry | None = None,
    ) -> None:
        self._repository = repository
        self._sealer = sealer
        self._examiner = examiner
        self._engines = engines

    async def examine_new(self, new: NewInstance) -> Sequence[Finding]:
        """Whether Rolecall could administer a server that is about to be registered."""
        return await self._examiner.of_new(new)

    async def examine(self, instance: Instance) -> Sequence[Finding]:
        return await self._examiner.of_instance(instance)

    async def examine_changed(self, instance: Instance, wanted: Wanted) -> Sequence[Finding]:
        """Of the server at the address, and in the way, that is wanted. Raises `ChangeRefused` as `change` does."""
        try:
            address = engine_address(self._sealer, instance)
        except SealBroken as error:
            raise ChangeRefused(str(error)) from None
        found = await self._examiner.of_address(
            replace(
                address,
                host=wanted.host or instance.host,
                port=wanted.port or instance.port,
                options=_options(instance, wanted),
            )
        )
        if wanted.options.get("verifier_write") == VerifierWrite.CATALOG:
            _require_catalog_writes(instance, found)
        return found

    async def register(self, new: NewInstance) -> Instance:
        """FaceTaken."""
        return await register(self._repository, self._sealer, new)

    async def change(self, instance: Instance, wanted: Wanted) -> None:
        """Raises `ChangeRefused` if verifiers are to be written to a catalog that the server does not let be
        written, or if the instance was changed or removed since it was read: the server may take seconds to answer."""
        if wanted.options.get("verifier_write") == VerifierWrite.CATALOG:
            await self.examine_changed(instance, wanted)
        changes: dict[str, object] = {}
        if wanted.name is not None:
            changes["name"] = wanted.name
        if wanted.isolated is not None:
            changes["isolated"] = wanted.isolated
        if wanted.every_caller or wanted.listed_callers is not None:
            changes["listed_callers"] = None if wanted.every_caller else list(wanted.listed_callers or ())
        if wanted.host is not None or wanted.port is not None:
            host, port = wanted.host or instance.host, wanted.port or instance.port
            changes.update(moved(self._sealer, instance, host, port))
        if wanted.options:
            changes["options"] = _options(instance, wanted)
        if not await self._repository.change_instance_at(instance.id, instance.revision, **changes):
            raise ChangeRefused(
                "not changed: another changed or removed the instance at the same time; try again"
            )

    async def remove(self, instance: Instance) -> None:
        """The server and its accounts are not changed. Raises `ChangeRefused` for a server that Rolecall runs."""
        if instance.provision is not None:
            raise ChangeRefused(
                f"`{instance.name}` is a server that Rolecall started; delete it through the API"
            )
        await self._repository.remove_instance(instance.id)
        if self._engines is not None:
            await self._engines.forget(instance.id)


def _options(instance: Instance, wanted: Wanted) -> dict[str, str]:
    options = {**instance.options, **wanted.options}
    return {option: value for option, value in options.items() if value}


def _require_catalog_writes(instance: Instance, found: Sequence[Finding]) -> None:
    for finding in found:
        if finding.says is Says.UNUSABLE:
            raise ChangeRefused(f"not changed, since the server cannot be asked: {finding.detail}")
        if finding.says is Says.CATALOG_WITHHELD:
            raise ChangeRefused(f"not changed: {finding.facts['why']}")
    if all(finding.says is not Says.BY_CATALOG for finding in found):
        raise ChangeRefused(f"verifiers are written in one way on {instance.engine} servers")
