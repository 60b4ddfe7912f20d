"""Creating, changing, dropping and listing accounts. docs/mysql.md explains the order of the statements."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

from rolecall import ambient
from rolecall.domain.engine import AccountChange, AccountFacts, AccountKind, NewAccount
from rolecall.domain.engine.identity import (
    NO_ACCOUNT,
    ChangedMeanwhile,
    Expected,
    require_identity,
    require_order,
)
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines.begun import begun
from rolecall.engines.mysql import catalog, control, hashes, names, sessions, statements
from rolecall.engines.mysql.catalog import StoredAccount
from rolecall.engines.mysql.connections import Row, Session
from rolecall.engines.mysql.creations import CreateBatcher, PendingAccount
from rolecall.engines.mysql.server import RELEASE, Server, account_lock
from rolecall.engines.mysql.statements import Place
from rolecall.values import Secret

RETIRED = "the account is locked, and perhaps not dropped"


class Accounts:
    def __init__(self, server: Server) -> None:
        self._server = server
        self.creations = CreateBatcher(server)

    def require_new_name(self, name: str) -> None:
        names.require_new_user(name, self._server.flavor.user_characters, self._server.administrator)

    async def create(self, new: NewAccount) -> AccountFacts:
        self.require_new_name(new.name)
        host = names.host(new.host)
        verifier = statements.verifier_text(self._server.flavor, new.verifier)
        if new.kind is AccountKind.SUPER and new.grants:
            note = "a super account holds every database already"
            raise Refused(Reason.ACCOUNT_PROTECTED, facts={"value": new.name}, note=note)
        return await self.creations.create(PendingAccount(new, host, verifier))

    async def change(self, change: AccountChange) -> AccountFacts:
        host = change.host or names.ANY_HOST
        self.require_place(change.name, host)
        new_host = host if change.new_host is None else names.host(change.new_host)
        new_name = change.name if change.new_name is None else change.new_name
        if new_name != change.name:
            self.require_new_name(new_name)
        to = (new_name, new_host)
        after, is_narrowed = await self._server.change(
            lambda session: self._change(session, change, host, to)
        )
        if is_narrowed:
            with begun("the account is changed, and its sessions are perhaps open"):
                await self._end_sessions(change.name, after)
        return after

    async def _end_sessions(self, former: str, after: AccountFacts) -> None:
        """Those that a change has narrowed. Of an account that was renamed, they have its former name."""
        if former == after.name:
            await self.end_sessions(after)
        else:
            await self._server.run(lambda session: sessions.end(session, former))

    async def end_sessions(self, account: AccountFacts, listing: str = sessions.BY_NAME) -> None:
        """End its sessions, unless another account has its name by now: who deleted it has ended them.

        Under its lock, so that no other account gets the name meanwhile. Not in the turn of this process's changes,
        since it may take seconds.
        """
        await self._server.run(lambda session: self._end_sessions_of(session, account, listing))

    async def _end_sessions_of(self, session: Session, account: AccountFacts, listing: str) -> None:
        name, host = account.name, account.host
        if not await sessions.are_open(session, name, listing):
            return
        asking = self.looking(name, host)
        async with self._server.locked(session, [account_lock(name)], *asking) as answers:
            found = self.found(answers, name, host)
            if found is not None and found.facts.identity == account.identity:
                await sessions.end(session, name, listing)

    async def _change(
        self, session: Session, change: AccountChange, host: str, to: Place
    ) -> tuple[AccountFacts, bool]:
        """The account, and whether its sessions have to end: they keep the name and the current database they had."""
        asking = self.looking(change.name, host)
        things = [account_lock(change.name), account_lock(to[0])]
        async with self._server.locked(session, things, *asking) as answers:
            moves = to != (change.name, host)
            if moves and (there := await self._moved_before(session, answers, change, host, to)) is not None:
                return there, True
            before = self.require_changeable(answers, change.name, host)
            if before.facts.was_changed_by(change.operation, change.expected):
                after = before.facts
            else:
                after = await self._apply(session, change, before, to)
        is_locked = change.end_sessions and not after.may_log_in
        return after, moves or is_locked or _is_downgrade(change, before)

    async def _moved_before(
        self, session: Session, answers: Sequence[Sequence[Row]], change: AccountChange, host: str, to: Place
    ) -> AccountFacts | None:
        """The account, if this change has already moved it, whatever has its former name now.

        ACCOUNT_TAKEN for any other account at the new place.
        """
        there = self.found(await session.fetch_all(*self.looking(*to)), *to)
        if there is None:
            return None
        if change.operation in there.facts.operations:
            return there.facts
        self.require_changeable(answers, change.name, host)
        raise Refused(Reason.ACCOUNT_TAKEN, facts={"value": to[0]})

    async def _apply(
        self, session: Session, change: AccountChange, before: StoredAccount, to: Place
    ) -> AccountFacts:
        after = before.facts.changed_by(change.operation)
        schema = self._server.control
        steps = [
            control.begin(schema, *to, after, self._wanted(change, before)),
            *self._changes(change, before, to),
        ]
        if to != (before.name, before.host):
            steps += [
                control.forget(schema, before.name, before.host),
                control.move_awaited(schema, before.name, before.host, *to),
            ]
        return await self.carry_out(session, steps, after, to)

    async def carry_out(
        self, session: Session, steps: Sequence[str], after: AccountFacts, to: Place
    ) -> AccountFacts:
        """Execute steps, the first of which notes the desired state, and note that they are done. Gives the account."""
        closing = control.finish(self._server.control, *to, after)
        answers = await session.execute(*steps, closing, *self.looking(*to))
        return self._settled(answers[len(steps) + 1 :], *to)

    def _wanted(self, change: AccountChange, before: StoredAccount) -> Mapping[str, object]:
        kind = change.kind or before.facts.kind
        wanted: dict[str, object] = {"auth": before.auth, "locked": before.locked, "kind": kind.value}
        if change.verifier is not None:
            wanted["auth"] = control.digest(statements.verifier_text(self._server.flavor, change.verifier))
        if change.may_log_in is not None:
            wanted["locked"] = not change.may_log_in
        return wanted

    def _changes(self, change: AccountChange, before: StoredAccount, to: tuple[str, str]) -> list[str]:
        name, host, flavor = before.name, before.host, self._server.flavor
        steps: list[str] = []
        if change.kind is not None and change.kind is not before.facts.kind:
            steps += self.kind_changes(change.kind, before)
        if change.verifier is not None or change.may_log_in is not None:
            verifier = None if change.verifier is None else statements.verifier_text(flavor, change.verifier)
            locked = None if change.may_log_in is None else not change.may_log_in
            steps.append(statements.alter_account(flavor, name, host, verifier=verifier, locked=locked))
        if to != (name, host):
            steps.append(statements.rename_account(name, host, *to))
        return steps

    def kind_changes(self, kind: AccountKind, before: StoredAccount) -> list[str]:
        """Grants on single databases are revoked: beside the pattern they would only restrict a super account, and
        afterwards their origin would be unknown.
        """
        name, host = before.name, before.host
        # The pattern first: the rows that close the system schemas are needed as long as it is there.
        held = sorted(before.held, key=lambda row: row.pattern != statements.SUPER_PATTERN)
        taking = [statements.revoke(name, host, row.pattern, row.privileges) for row in held]
        if kind is AccountKind.NORMAL:
            return taking
        return [*taking, *statements.make_super(self._server.flavor, name, host, self._server.control)]

    async def drop(
        self, name: str, operation: UUID, host: str = "", expected: Expected | None = None
    ) -> bool:
        """Lock and mark it, end its sessions, drop it; each step can be repeated. Objects belong to their databases and
        stay there; views and routines keep the name of their definer and stop working.
        """
        place = name, host or names.ANY_HOST
        if names.is_reserved(name, self._server.administrator):
            raise Refused(Reason.ACCOUNT_PROTECTED, facts={"value": name})
        if not self._may_be_stored(*place):
            return False
        retired = await self._server.change(lambda session: self._retire(session, place, operation, expected))
        if retired is None:
            return False
        with begun(RETIRED):
            await self.end_sessions(retired)
            await self._server.change(lambda session: self._remove(session, retired))
        return True

    async def _retire(
        self, session: Session, place: Place, operation: UUID, expected: Expected | None
    ) -> AccountFacts | None:
        name, host = place
        asking = self.looking(name, host)
        async with self._server.locked(session, [account_lock(name)], *asking) as answers:
            found = self.found(answers, name, host)
            if found is not None and found.is_protected:
                raise Refused(Reason.ACCOUNT_PROTECTED, facts={"value": name})
            if found is None:
                await session.execute(*self._forgetting(name, host))
                return None
            if found.is_visible:
                if expected == NO_ACCOUNT:
                    return None
                require_identity(expected, name, found.facts.identity)
                require_order(expected, name, found.facts.order)
            return await self.retire(session, found, operation)

    async def _remove(self, session: Session, retired: AccountFacts) -> None:
        name, host = retired.name, retired.host
        asking = self.looking(name, host)
        async with self._server.locked(session, [account_lock(name)], *asking) as answers:
            await self.remove(session, self.found(answers, name, host), retired)

    async def retire(self, session: Session, found: StoredAccount, operation: UUID) -> AccountFacts | None:
        """The first step of a deletion: it is marked and loses its login. None if it was half made: then it is dropped.

        The caller holds its lock. The mark tells recovery to finish the deletion, and other changes that one is begun.
        """
        place, schema = (found.name, found.host), self._server.control
        lock = statements.alter_account(self._server.flavor, *place, locked=True)
        if found.is_half_made:
            await session.execute(lock, statements.drop_account(*place), *self._forgetting(*place))
            return None
        wanted = {"auth": found.auth, "locked": True, "kind": found.facts.kind.value}
        begin = control.begin(schema, *place, found.facts.changed_by(operation), wanted)
        answers = await session.execute(begin, lock, *self.looking(*place))
        after = self.found(answers[2:], *place)
        if after is None:
            raise Refused(Reason.ENGINE_REFUSED, note="the account is not there after the change")
        return after.facts

    async def remove(
        self,
        session: Session,
        found: StoredAccount | None,
        retired: AccountFacts,
        listing: str = sessions.BY_NAME,
    ) -> None:
        """The last step, under the account's lock. `ChangedMeanwhile` if another change came between.

        Nothing is done where another process has finished the same deletion.
        """
        if found is None or found.facts.identity != retired.identity:
            return
        if found.facts.marker != retired.marker:
            raise ChangedMeanwhile(retired.name)
        await sessions.end(session, found.name, listing)
        drop = statements.drop_account(found.name, found.host)
        await session.execute(drop, *self._forgetting(found.name, found.host))

    def _forgetting(self, name: str, host: str) -> Sequence[str]:
        schema = self._server.control
        return control.forget(schema, name, host), control.forget_awaited(schema, name, host)

    async def identify(self, name: str, host: str = "") -> AccountFacts | None:
        place = host or names.ANY_HOST
        if not self._may_be_stored(name, place):
            return None
        return await self._server.run(lambda session: self._identify(session, name, place))

    async def _identify(self, session: Session, name: str, host: str) -> AccountFacts | None:
        """Gives an account that SQL created an identity of its own, on which nothing else depends."""
        asking = self.looking(name, host)
        async with self._server.locked(session, [account_lock(name)], *asking) as answers:
            found = self.found(answers, name, host)
            if found is None or not found.is_visible:
                return None
            if not (found.facts.identity or found.is_protected):
                identity = ambient.new_id()
                await session.fetch(control.adopt(self._server.control, name, host, identity))
                found = self.found(await session.fetch_all(*asking), name, host)
        return None if found is None else found.facts

    async def find(self, name: str, host: str = "") -> AccountFacts | None:
        """Waits for the account's lock, so that it sees a concurrent change either whole or not at all."""
        place = host or names.ANY_HOST
        if not self._may_be_stored(name, place):
            return None
        return await self._server.run(lambda session: self._find(session, name, place))

    async def _find(self, session: Session, name: str, host: str) -> AccountFacts | None:
        asking = (*self.looking(name, host), RELEASE)
        async with self._server.locked(session, [account_lock(name)], *asking) as answers:
            session.holds_locks = False
            found = self.found(answers[:-1], name, host)
        return found.facts if found is not None and found.is_visible else None

    async def has_password(self, name: str, host: str, password: Secret) -> bool:
        place = host or names.ANY_HOST
        self.require_place(name, place)
        query = catalog.verifier_query(self._server.flavor, name, place)
        rows = await self._server.run(lambda session: session.fetch(query))
        if not rows:
            raise Refused(Reason.ACCOUNT_MISSING, facts={"value": name})
        return await asyncio.to_thread(hashes.is_of, rows[0][0] or "", password.reveal())

    async def all(self) -> Sequence[AccountFacts]:
        return await self._server.run(self._all)

    async def _all(self, session: Session) -> Sequence[AccountFacts]:
        return [found.facts for found in await catalog.look(session, self._server) if found.is_visible]

    def looking(self, name: str, host: str) -> tuple[str, ...]:
        """The queries for one account; `found` takes their rows."""
        return catalog.queries(self._server, name, host)

    def found(self, answers: Sequence[Sequence[Row]], name: str, host: str) -> StoredAccount | None:
        """Names are compared byte for byte; the server's collation may match others."""
        return catalog.found(self._server, answers, name, host)

    def require_changeable(self, answers: Sequence[Sequence[Row]], name: str, host: str) -> StoredAccount:
        """The account, or ACCOUNT_PROTECTED, or ACCOUNT_MISSING. The caller holds its lock."""
        found = self.found(answers, name, host)
        if names.is_reserved(name, self._server.administrator) or (found and found.is_protected):
            raise Refused(Reason.ACCOUNT_PROTECTED, facts={"value": name})
        if found is None or not found.is_visible:
            raise Refused(Reason.ACCOUNT_MISSING, facts={"value": name})
        return found

    def require_place(self, name: str, host: str) -> None:
        """ACCOUNT_MISSING for what no account can be called, so that it never gets into a statement."""
        if not self._may_be_stored(name, host):
            raise Refused(Reason.ACCOUNT_MISSING, facts={"value": name})

    def _may_be_stored(self, name: str, host: str) -> bool:
        return names.may_be_stored(name, host, self._server.flavor.user_characters)

    def _settled(self, answers: Sequence[Sequence[Row]], name: str, host: str) -> AccountFacts:
        """The account after a change. ENGINE_REFUSED if it does not have exactly this name."""
        found = self.found(answers, name, host)
        if found is None or not found.is_visible:
            raise Refused(Reason.ENGINE_REFUSED, note="the account is not there after the change")
        return found.facts


def _is_downgrade(change: AccountChange, before: StoredAccount) -> bool:
    return change.kind is AccountKind.NORMAL and before.facts.kind is AccountKind.SUPER
