"""Token inspection and revocation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from rolecall import ambient
from rolecall.domain.access.authenticator import Authenticator
from rolecall.domain.access.revocations import Revocable, Revocations
from rolecall.domain.messages import Command, Handlers
from rolecall.domain.reasons import Fault, Reason, Refused
from rolecall.values import Caller, Origin, Secret, TokenFacts


class ReadToken(Revocable, Protocol):
    """A token that was read and is not proven yet."""

    @property
    def facts(self) -> TokenFacts: ...


@dataclass(frozen=True, slots=True)
class TokenShown:
    holder: Caller
    text: Secret
    facts: TokenFacts


@dataclass(frozen=True, slots=True)
class ShowToken(Command[TokenShown]):
    """OBJECT_MISSING for a token that is not good, or that the caller may not look at."""

    text: Secret


@dataclass(frozen=True, slots=True)
class RevokeToken(Command[None]):
    """The token is refused from then on. OBJECT_MISSING as for `ShowToken`."""

    text: Secret


class Tokens:
    """An owner may look at and revoke the tokens of all its callers, any other caller its own.

    `read` refuses a text that is not a token with TOKEN_INVALID.
    """

    def __init__(
        self,
        authenticator: Authenticator,
        revocations: Revocations,
        read: Callable[[Secret], ReadToken],
        clock: Callable[[], float] = ambient.unix,
    ) -> None:
        self._authenticator = authenticator
        self._revocations = revocations
        self._read = read
        self._clock = clock
        self.handlers: Handlers = (
            ShowToken.handled_by(self.show),
            RevokeToken.handled_by(self.revoke),
        )

    async def show(self, command: ShowToken, origin: Origin) -> TokenShown:
        token, holder = await self._proven(command.text, origin)
        return TokenShown(holder, command.text, token.facts)

    async def revoke(self, command: RevokeToken, origin: Origin) -> None:
        token, _ = await self._proven(command.text, origin)
        await self._revocations.revoke(token)

    async def _proven(self, text: Secret, origin: Origin) -> tuple[ReadToken, Caller]:
        try:
            token = self._read(text)
            holder = (await self._authenticator.authenticate(token, self._clock())).caller
        except Refused as refusal:
            if refusal.reason.fault is Fault.CALLER:
                raise Refused(Reason.OBJECT_MISSING, note=refusal.note) from None
            raise
        caller = origin.caller
        is_own = caller.is_owner or holder.principal == caller.principal
        if holder.owner_id != caller.owner_id or not is_own:
            raise Refused(Reason.OBJECT_MISSING, note="another's token")
        return token, holder
