"""The tenants' superuser: ``root`` at every host, with what a super account has and nothing more.

It shares its name with accounts that are not tenants' (``root@localhost`` is the administrator of many servers). Its
host and Rolecall's mark identify the account; its sessions are those from hosts where no other ``root`` is admitted.

A server lets an account see and end the sessions of all accounts of its name, at any host. So a server that Rolecall
itself administers as ``root`` has no such account: it would see the hashes that Rolecall sends.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from uuid import UUID

from rolecall.domain.engine import AccountFacts, AccountKind, NewAccount
from rolecall.domain.engine.identity import NO_ACCOUNT, Expected, Fence, require_identity, require_order
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines.begun import begun
from rolecall.engines.mysql import control, names, statements
from rolecall.engines.mysql.accounts import RETIRED, Accounts
from rolecall.engines.mysql.catalog import StoredAccount
from rolecall.engines.mysql.connections import Row, Session
from rolecall.engines.mysql.creations import PendingAccount
from rolecall.engines.mysql.server import RELEASE, Server, account_lock
from rolecall.values import Secret

# A server admits a client as the account with the most specific host. So a client from a host where another account of
# this name is admitted came as that one: as an administrator, perhaps as Rolecall. Masks: 10.0.0.0/255.255.255.0.
_SESSIONS = """
SELECT p.ID FROM information_schema.PROCESSLIST p
WHERE CONVERT(p.USER USING utf8mb4) COLLATE utf8mb4_bin = {user} AND p.ID <> CONNECTION_ID() AND NOT EXISTS (
    SELECT 1 FROM mysql.user g WHERE g.User = {user} AND g.Host <> '%'
    AND (REGEXP_REPLACE(p.HOST, ':[0-9]+$', '') LIKE g.Host
         OR g.Host LIKE '%/%' AND INET_ATON(REGEXP_REPLACE(p.HOST, ':[0-9]+$', ''))
            & INET_ATON(SUBSTRING_INDEX(g.Host, '/', -1)) = INET_ATON(SUBSTRING_INDEX(g.Host, '/', 1))))
"""


class Superuser:
    name = "root"

    def __init__(self, server: Server, accounts: Accounts) -> None:
        self._server = server
        self._accounts = accounts

    async def find(self) -> AccountFacts | None:
        return await self._server.run(self._find)

    async def _find(self, session: Session) -> AccountFacts | None:
        async with self._locked(session, RELEASE) as answers:
            session.holds_locks = False
            found = self._found(answers[:-1])
        return found.facts if found is not None and _is_ours(found) and not found.is_half_made else None

    async def enable(self, verifier: Secret, operation: UUID, fence: Fence | None = None) -> AccountFacts:
        text = statements.verifier_text(self._server.flavor, verifier)
        new = NewAccount(self.name, AccountKind.SUPER, verifier, operation, names.ANY_HOST, fence=fence)
        return await self._server.change(lambda session: self._enable(session, new, text))

    async def _enable(self, session: Session, new: NewAccount, verifier: str) -> AccountFacts:
        async with self._locked(session) as answers:
            found = self._found(answers)
            if new.fence is not None and (found is None or new.operation not in found.facts.operations):
                await new.fence()
            if found is None:
                return await self._accounts.creations.create_locked(
                    session, PendingAccount(new, names.ANY_HOST, verifier)
                )
            if not _is_ours(found):
                raise _foreign()
            if found.is_half_made:  # left by an interrupted creation: locked, and never used
                await session.execute(statements.drop_account(self.name, names.ANY_HOST))
                return await self._accounts.creations.create_locked(
                    session, PendingAccount(new, names.ANY_HOST, verifier)
                )
            if new.operation in found.facts.operations:
                return found.facts
            return await self._renew(session, found, new.operation, verifier)

    async def _renew(
        self, session: Session, found: StoredAccount, operation: UUID, verifier: str
    ) -> AccountFacts:
        """Set another password, and grant again what SQL has revoked from it."""
        flavor, schema = self._server.flavor, self._server.control
        place = (self.name, names.ANY_HOST)
        wanted = {"auth": control.digest(verifier), "locked": False, "kind": AccountKind.SUPER.value}
        changed = found.facts.changed_by(operation)
        steps = [
            control.begin(schema, *place, changed, wanted),
            *statements.make_super(flavor, *place, schema),
            statements.alter_account(flavor, *place, verifier=verifier, locked=False),
            control.finish(schema, *place, changed),
        ]
        answers = await session.execute(*steps, *self._accounts.looking(*place))
        after = self._found(answers[len(steps) :])
        if after is None or not _is_ours(after):
            raise Refused(Reason.ENGINE_REFUSED, note="the superuser is not there after the change")
        return after.facts

    async def disable(self, operation: UUID, expected: Expected | None = None) -> bool:
        """In the steps of dropping any account."""
        retired = await self._server.change(lambda session: self._retire(session, operation, expected))
        if retired is None:
            return False
        with begun(RETIRED):
            await self._accounts.end_sessions(retired, _SESSIONS)
            await self._server.change(lambda session: self._remove(session, retired))
        return True

    async def _retire(
        self, session: Session, operation: UUID, expected: Expected | None
    ) -> AccountFacts | None:
        async with self._locked(session) as answers:
            found = self._found(answers)
            if found is None:
                await session.execute(control.forget(self._server.control, self.name, names.ANY_HOST))
                return None
            if not _is_ours(found):
                raise _foreign()
            if not found.is_half_made:
                if expected == NO_ACCOUNT:
                    return None
                require_identity(expected, self.name, found.facts.identity)
                require_order(expected, self.name, found.facts.order)
            return await self._accounts.retire(session, found, operation)

    async def _remove(self, session: Session, retired: AccountFacts) -> None:
        async with self._locked(session) as answers:
            await self._accounts.remove(session, self._found(answers), retired, _SESSIONS)

    def _locked(self, session: Session, *more: str) -> AbstractAsyncContextManager[list[list[Row]]]:
        asking = self._accounts.looking(self.name, names.ANY_HOST)
        return self._server.locked(session, [account_lock(self.name)], *asking, *more)

    def _found(self, answers: Sequence[Sequence[Row]]) -> StoredAccount | None:
        return self._accounts.found(answers, self.name, names.ANY_HOST)


def _is_ours(found: StoredAccount) -> bool:
    """Whether Rolecall created it, and it does not have the powers of an administrator, which is never changed."""
    is_marked = found.is_half_made or bool(found.facts.operations)
    return is_marked and not found.is_powerful


def _foreign() -> Refused:
    note = "the server has an account of that name that Rolecall did not create"
    return Refused(Reason.ACCOUNT_PROTECTED, facts={"value": Superuser.name}, note=note)
