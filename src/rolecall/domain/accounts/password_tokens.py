"""Database tokens: the current password of an account whose password Rolecall manages, for callers with permission.

It is the ordinary password, so it really logs in; it is good until the next rotation, whose time is part of the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from rolecall import ambient
from rolecall.domain.accounts.context import AccountContext
from rolecall.domain.accounts.credentials import Credentials
from rolecall.domain.accounts.ports import RotationRepository
from rolecall.domain.messages import Command, Handlers, InstanceName
from rolecall.domain.operations.audit import Audit, Outcome, entry_of
from rolecall.domain.reasons import Reason, Refused
from rolecall.domain.secrets.sealing import SealBroken
from rolecall.values import Origin, Secret


@dataclass(frozen=True, slots=True)
class DatabaseToken:
    """`next_at` None: passwords are not rotated. The rest is of the last rotation; its cost is -1 if it failed."""

    password: Secret
    now: datetime
    next_at: datetime | None
    cost_milliseconds: int
    succeeded: bool
    message: str


@dataclass(frozen=True, slots=True)
class ShowDatabaseToken(Command[DatabaseToken]):
    """ACCOUNT_MISSING, PASSWORD_NOT_MANAGED, PASSWORD_UNDECIPHERABLE."""

    instance: InstanceName
    account: str


class DatabaseTokens:
    """`period` is the time between two rotations in seconds; 0 for none."""

    def __init__(
        self,
        context: AccountContext,
        credentials: Credentials,
        repository: RotationRepository,
        audit: Audit,
        period: int,
        clock: Callable[[], datetime] = ambient.now,
    ) -> None:
        self._context = context
        self._credentials = credentials
        self._repository = repository
        self._audit = audit
        self._period = period
        self._clock = clock
        self.handlers: Handlers = (ShowDatabaseToken.handled_by(self.show),)

    async def show(self, command: ShowDatabaseToken, origin: Origin) -> DatabaseToken:
        target = await self._context.target(command.instance, origin, command.account)
        try:
            password = await self._credentials.current_password(target)
        except SealBroken as error:
            raise Refused(Reason.PASSWORD_UNDECIPHERABLE, note=str(error)) from None
        detail = {"instance": target.connected.instance.id}
        await self._audit.note(entry_of(origin, Outcome.DONE, target.display_name, detail=detail))
        row = await self._context.repository.account(target.connected.instance.id, target.name, target.host)
        changed = None if row is None else row.password_updated_at or row.created_at
        last = await self._repository.last_rotation(target.connected.instance.id, target.display_name)
        return DatabaseToken(
            password,
            self._clock(),
            changed + timedelta(seconds=self._period) if changed is not None and self._period else None,
            last.milliseconds if last.succeeded else -1,
            last.succeeded,
            "" if last.succeeded else last.reason,
        )
