"""Accounts: making, changing, dropping and listing them. docs/mysql.md explains the order of the statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from rolecall.domain.engine import AccountChange, AccountFacts, AccountKind, NewAccount
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines.mysql import catalog, control, names, sessions, statements
from rolecall.engines.mysql.catalog import Found
from rolecall.engines.mysql.connections import Row, Session
from rolecall.engines.mysql.creations import Creations, Newcomer
from rolecall.engines.mysql.server import RELEASE, Server, account_lock
from rolecall.values import Secret


class Accounts:
    def __init__(self, server: Server) -> None:
        self._server = server
        self.creations = Creations(server)

    async def create(self, new: NewAccount) -> AccountFacts:
        names.require_new_user(new.name, self._server.flavor, self._server.administrator)
        host = names.host(new.host)
        verifier = statements.verifier_text(self._server.flavor, new.verifier)
        if new.kind is AccountKind.SUPER and new.grants:
            note = "a super account holds every database already"
            raise Refused(Reason.ACCOUNT_PROTECTED, facts={"value": new.name}, note=note)
        return await self.creations.create(Newcomer(new, host, verifier))

    async def change(self, change: AccountChange) -> AccountFacts:
        self.require_name(change.name)
        host = names.host(change.host)
        new_host = host if change.new_host is None else names.host(change.new_host)
        new_name = change.name if change.new_name is None else change.new_name
        if new_name != change.name:
            names.require_new_user(new_name, self._server.flavor, self._server.administrator)
        to = (new_name, new_host)
        return await self._server.change(lambda session: self._change(session, change, host, to))

    async def _change(
        self, session: Session, change: AccountChange, host: str, to: tuple[str, str]
    ) -> AccountFacts:
        asking = self.looking(change.name, host)
        things = [account_lock(change.name), account_lock(to[0])]
        async with self._server.locked(session, things, *asking) as answers:
            before = self.require_changeable(answers, change.name, host)
            moves = to != (change.name, host)
            if moves:
                await self._require_free(session, *to)
            steps = [
                control.begin(self._server.control, *to, change.operation, self._wanted(change, before)),
                *self._changes(change, before, to),
            ]
            if moves:
                steps += [
                    control.forget(self._server.control, change.name, host),
                    control.move_awaited(self._server.control, change.name, host, *to),
                ]
            after = await self.carry_out(session, steps, change.operation, before, to)
            if change.end_sessions or _is_downgrade(change, before):
                await sessions.end(session, change.name)
            return after

    async def carry_out(
        self,
        session: Session,
        steps: Sequence[str],
        operation: UUID,
        before: Found,
        to: tuple[str, str],
    ) -> AccountFacts:
        """Steps that begin with a note of what is wanted; then the note that they are done, and a look."""
        closing = control.finish(self._server.control, *to, operation, before.facts.operations)
        answers = await session.execute(*steps, closing, *self.looking(*to))
        return self._settled(answers[len(steps) + 1 :], *to)

    def _wanted(self, change: AccountChange, before: Found) -> Mapping[str, object]:
        kind = change.kind or before.facts.kind
        wanted: dict[str, object] = {"auth": before.auth, "locked": before.locked, "kind": kind.value}
        if change.verifier is not None:
            wanted["auth"] = control.digest(statements.verifier_text(self._server.flavor, change.verifier))
        if change.may_log_in is not None:
            wanted["locked"] = not change.may_log_in
        return wanted

    def _changes(self, change: AccountChange, before: Found, to: tuple[str, str]) -> list[str]:
        name, host, flavor = before.name, before.host, self._server.flavor
        steps: list[str] = []
        if change.kind is not None and change.kind is not before.facts.kind:
            steps += self._kind_changes(change.kind, before)
        if change.verifier is not None or change.may_log_in is not None:
            verifier = None if change.verifier is None else statements.verifier_text(flavor, change.verifier)
            locked = None if change.may_log_in is None else not change.may_log_in
            steps.append(statements.alter_account(flavor, name, host, verifier=verifier, locked=locked))
        if to != (name, host):
            steps.append(statements.rename_account(name, host, *to))
        return steps

    def _kind_changes(self, kind: AccountKind, before: Found) -> list[str]:
        """Rows of single databases go: beside the pattern they would only narrow a super account, and behind it
        nobody would know whose wish they were.
        """
        name, host = before.name, before.host
        # The pattern first: without it the rows that close the system schemas are of no use.
        held = sorted(before.held, key=lambda one: one.pattern != statements.SUPER_PATTERN)
        taking = [statements.revoke(name, host, one.pattern, one.privileges) for one in held]
        if kind is AccountKind.NORMAL:
            return taking
        return [*taking, *statements.make_super(self._server.flavor, name, host, self._server.control)]

    async def _require_free(self, session: Session, name: str, host: str) -> None:
        answers = await session.fetch_all(*self.looking(name, host))
        if self.found(answers, name, host) is not None:
            raise Refused(Reason.ACCOUNT_TAKEN, facts={"value": name})

    async def drop(self, name: str, host: str) -> bool:
        """Locked, sessions ended, dropped; each step can be repeated. Objects stay in their databases: they belong
        to those, not to accounts; views and routines keep the name of their definer and stop working.
        """
        place = names.host(host)
        if names.is_reserved(name, self._server.administrator):
            raise Refused(Reason.ACCOUNT_PROTECTED, facts={"value": name})
        if not names.fits(name, names.USER_CHARACTERS[self._server.flavor]):
            return False
        return await self._server.change(lambda session: self._drop(session, name, place))

    async def _drop(self, session: Session, name: str, host: str) -> bool:
        asking = self.looking(name, host)
        async with self._server.locked(session, [account_lock(name)], *asking) as answers:
            found = self.found(answers, name, host)
            if found is not None and found.is_protected:
                raise Refused(Reason.ACCOUNT_PROTECTED, facts={"value": name})
            schema = self._server.control
            forgetting = (control.forget(schema, name, host), control.forget_awaited(schema, name, host))
            if found is None:
                await session.execute(*forgetting)
                return False
            await session.execute(statements.alter_account(self._server.flavor, name, host, locked=True))
            await sessions.end(session, name)
            await session.execute(statements.drop_account(name, host), *forgetting)
            return found.is_visible

    async def one(self, name: str, host: str) -> AccountFacts | None:
        """Waits for the account's lock, so that a change under way elsewhere is either seen whole or not begun."""
        place = names.host(host)
        if not names.fits(name, names.USER_CHARACTERS[self._server.flavor]):
            return None
        return await self._server.run(lambda session: self._one(session, name, place))

    async def _one(self, session: Session, name: str, host: str) -> AccountFacts | None:
        asking = (*self.looking(name, host), RELEASE)
        async with self._server.locked(session, [account_lock(name)], *asking) as answers:
            session.holds_locks = False
            found = self.found(answers[:-1], name, host)
        return found.facts if found is not None and found.is_visible else None

    async def stored_verifier(self, name: str, host: str) -> Secret:
        """ACCOUNT_MISSING."""
        self.require_name(name)
        query = catalog.verifier_query(self._server.flavor, name, names.host(host))
        for row in await self._server.run(lambda session: session.fetch(query)):
            return Secret(row[0] or "")
        raise Refused(Reason.ACCOUNT_MISSING, facts={"value": name})

    async def all(self) -> Sequence[AccountFacts]:
        return await self._server.run(self._all)

    async def _all(self, session: Session) -> Sequence[AccountFacts]:
        return [found.facts for found in await catalog.look(session, self._server) if found.is_visible]

    def looking(self, name: str, host: str) -> tuple[str, ...]:
        """What to ask about one account; `found` takes the answers."""
        return catalog.queries(self._server, name, host)

    def found(self, answers: Sequence[Sequence[Row]], name: str, host: str) -> Found | None:
        """Compared byte for byte, whatever the server's collation found alike."""
        return catalog.found(self._server, answers, name, host)

    def require_changeable(self, answers: Sequence[Sequence[Row]], name: str, host: str) -> Found:
        """The account, or ACCOUNT_PROTECTED, or ACCOUNT_MISSING. The caller holds its lock."""
        found = self.found(answers, name, host)
        if names.is_reserved(name, self._server.administrator) or (found and found.is_protected):
            raise Refused(Reason.ACCOUNT_PROTECTED, facts={"value": name})
        if found is None or not found.is_visible:
            raise Refused(Reason.ACCOUNT_MISSING, facts={"value": name})
        return found

    def require_name(self, name: str) -> None:
        """ACCOUNT_MISSING for a name that no account can have, so that it never stands in a statement."""
        if not names.fits(name, names.USER_CHARACTERS[self._server.flavor]):
            raise Refused(Reason.ACCOUNT_MISSING, facts={"value": name})

    def _settled(self, answers: Sequence[Sequence[Row]], name: str, host: str) -> AccountFacts:
        """What the server made of it: an account under this very name, or it is a fault."""
        found = self.found(answers, name, host)
        if found is None or not found.is_visible:
            raise Refused(Reason.ENGINE_REFUSED, note="the account is not there after the change")
        return found.facts


def _is_downgrade(change: AccountChange, before: Found) -> bool:
    return change.kind is AccountKind.NORMAL and before.facts.kind is AccountKind.SUPER
