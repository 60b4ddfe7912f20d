"""The access keys of an owner and of its sub-users: at most two each, and when each was used last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from rolecall.domain.access.keys import AccessKey, MintedKey, mint
from rolecall.domain.iam import commands
from rolecall.domain.iam.key_uses import KeyUses
from rolecall.domain.iam.views import KeyShown, KeyUse
from rolecall.domain.messages import Handlers
from rolecall.domain.operations.model import Change
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason, Refused
from rolecall.domain.secrets.sealing import Sealer
from rolecall.values import Caller, Origin

MOST_KEYS = 2
"""Of one principal, disabled ones included."""


class PrincipalKeyRepository(Protocol):
    """Where the keys of principals are kept. A principal is the owner's number or a sub-user's."""

    async def is_principal(self, owner_id: int, principal: int) -> bool: ...
    async def principal_keys(self, owner_id: int, principal: int) -> Sequence[AccessKey]: ...

    async def add_principal_key(
        self, owner_id: int, principal: int, key: MintedKey, description: str, most: int, record: Record
    ) -> datetime:
        """When it was made. SUB_USER_MISSING, KEY_QUOTA."""

    async def change_principal_key(
        self, owner_id: int, principal: int, key_id: str, record: Record, *, active: bool | None
    ) -> None:
        """`active` None deletes it. SUB_USER_MISSING, KEY_MISSING, KEY_FOREIGN (it is another principal's)."""

    async def key_uses(self, owner_id: int, key_ids: Sequence[str]) -> Mapping[str, datetime | None]:
        """By those of the ids that are keys of the owner's."""


class PrincipalKeys:
    def __init__(self, repository: PrincipalKeyRepository, sealer: Sealer, uses: KeyUses) -> None:
        self._repository = repository
        self._sealer = sealer
        self._uses = uses
        self.handlers: Handlers = (
            commands.CreateKey.handled_by(self.create),
            commands.ListKeys.handled_by(self.all),
            commands.ChangeKey.handled_by(self.change),
            commands.DeleteKey.handled_by(self.delete),
            commands.ShowKeyUses.handled_by(self.uses),
        )

    async def create(self, command: commands.CreateKey, origin: Origin) -> KeyShown:
        principal = _principal(command.principal, origin.caller)
        key = mint(self._sealer)
        record = Record(Change.KEY_CREATE, key.id, origin, {"principal": principal})
        made = await self._repository.add_principal_key(
            origin.caller.owner_id, principal, key, command.description, MOST_KEYS, record
        )
        return KeyShown(key.id, key.secret, made, command.description)

    async def all(self, command: commands.ListKeys, origin: Origin) -> tuple[AccessKey, ...]:
        principal = _principal(command.principal, origin.caller)
        if not await self._repository.is_principal(origin.caller.owner_id, principal):
            raise Refused(Reason.SUB_USER_MISSING, facts={"value": principal})
        return tuple(await self._repository.principal_keys(origin.caller.owner_id, principal))

    async def change(self, command: commands.ChangeKey, origin: Origin) -> None:
        principal = _principal(command.principal, origin.caller)
        detail = {"principal": principal, "active": command.active}
        record = Record(Change.KEY_UPDATE, command.key_id, origin, detail)
        await self._repository.change_principal_key(
            origin.caller.owner_id, principal, command.key_id, record, active=command.active
        )

    async def delete(self, command: commands.DeleteKey, origin: Origin) -> None:
        principal = _principal(command.principal, origin.caller)
        record = Record(Change.KEY_DELETE, command.key_id, origin, {"principal": principal})
        await self._repository.change_principal_key(
            origin.caller.owner_id, principal, command.key_id, record, active=None
        )

    async def uses(self, command: commands.ShowKeyUses, origin: Origin) -> tuple[KeyUse, ...]:
        await self._uses.flush()
        found = await self._repository.key_uses(origin.caller.owner_id, command.key_ids)
        wanted = dict.fromkeys(command.key_ids)
        return tuple(KeyUse(key_id, found[key_id]) for key_id in wanted if key_id in found)


def _principal(named: int | None, caller: Caller) -> int:
    """Whose keys are meant. OWNER_PROTECTED for the owner's, if the caller is not the owner."""
    principal = caller.principal if named is None else named
    if principal == caller.owner_number and not caller.is_owner:
        raise Refused(Reason.OWNER_PROTECTED, facts={"value": principal})
    return principal
