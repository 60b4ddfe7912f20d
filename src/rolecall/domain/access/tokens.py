"""Tokens as things of their own: whose one is, and ending it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rolecall import ambient
from rolecall.domain.access.authenticator import Keys
from rolecall.domain.access.revocations import Revocable, Revocations
from rolecall.domain.messages import Command, Handlers
from rolecall.domain.reasons import Fault, Reason, Refused
from rolecall.values import Caller, Origin


@dataclass(frozen=True, slots=True)
class ShowToken(Command[Caller]):
    """Whose a token is: a Caller. OBJECT_MISSING for one that is no good, or that the caller may not look at."""

    subject: Revocable


@dataclass(frozen=True, slots=True)
class RevokeToken(Command[None]):
    """No use of the token after this succeeds. OBJECT_MISSING as for `ShowToken`."""

    subject: Revocable


class Tokens:
    """An owner may look at and end the tokens of all its callers; everybody else its own."""

    def __init__(
        self, keys: Keys, revocations: Revocations, clock: Callable[[], float] = ambient.unix
    ) -> None:
        self._keys = keys
        self._revocations = revocations
        self._clock = clock
        self.handlers: Handlers = (
            ShowToken.handled_by(self.show),
            RevokeToken.handled_by(self.revoke),
        )

    async def show(self, command: ShowToken, origin: Origin) -> Caller:
        return await self._holder(command.subject, origin)

    async def revoke(self, command: RevokeToken, origin: Origin) -> None:
        await self._holder(command.subject, origin)
        await self._revocations.revoke(command.subject)

    async def _holder(self, subject: Revocable, origin: Origin) -> Caller:
        try:
            holder = await self._keys.prove(subject, self._clock())
            await self._revocations.require_good(subject)
        except Refused as refusal:
            if refusal.reason.fault is Fault.CALLER:
                raise Refused(Reason.OBJECT_MISSING, note=refusal.note) from None
            raise
        caller = origin.caller
        is_own = caller.is_owner or holder.principal == caller.principal
        if holder.owner_id != caller.owner_id or not is_own:
            raise Refused(Reason.OBJECT_MISSING, note="another's token")
        return holder
