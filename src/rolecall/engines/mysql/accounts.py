"""Accounts: making, changing, dropping and listing them. docs/mysql.md explains the order of the statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from rolecall.domain.engine import AccountChange, AccountFacts, AccountKind, DatabaseGrant, NewAccount
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused
from rolecall.engines.mysql import catalog, control, errors, names, sessions, statements, templates
from rolecall.engines.mysql.catalog import Found
from rolecall.engines.mysql.connections import Row, Session
from rolecall.engines.mysql.server import RELEASE, Server, account_lock, database_lock, require_databases
from rolecall.values import Secret

_CREATE_STEP = 1
"""The place of CREATE USER among the steps of a creation; before it comes the note of what is wanted."""


class Accounts:
    def __init__(self, server: Server) -> None:
        self._server = server

    async def create(self, new: NewAccount) -> AccountFacts:
        names.require_new_user(new.name, self._server.flavor, self._server.administrator)
        host = names.host(new.host)
        verifier = statements.verifier_text(self._server.flavor, new.verifier)
        if new.kind is AccountKind.SUPER and new.grants:
            note = "a super account holds every database already"
            raise Refused(Reason.ACCOUNT_PROTECTED, facts={"value": new.name}, note=note)
        return await self._server.run(lambda session: self._create(session, new, host, verifier))

    async def _create(self, session: Session, new: NewAccount, host: str, verifier: str) -> AccountFacts:
        things = [account_lock(new.name), *(database_lock(grant.database) for grant in new.grants)]
        async with self._server.locked(session, things, *self.looking(new.name, host)) as answers:
            there = self.found(answers, new.name, host)
            if there is not None and not there.is_half_made:
                if new.operation in there.facts.operations and there.is_visible:
                    return there.facts
                raise Refused(Reason.ACCOUNT_TAKEN, facts={"value": new.name})
            await require_databases(session, self._server, [grant.database for grant in new.grants])
            if there is not None:  # cut short by a crash: locked, and never anybody's
                await session.execute(statements.drop_account(new.name, host))
            return await self._make(session, new, host, verifier)

    async def _make(self, session: Session, new: NewAccount, host: str, verifier: str) -> AccountFacts:
        """Locked, then granted, then unlocked: cut anywhere, it leaves either nobody or the whole account."""
        wanted = {"new": True, "auth": control.digest(verifier), "locked": False}
        schema, flavor = self._server.control, self._server.flavor
        making = [
            control.begin(schema, new.name, host, new.operation, wanted),
            statements.create_account(flavor, new.name, host, verifier),
            *self._granting(new, host),
            statements.alter_account(flavor, new.name, host, locked=False),
        ]
        closing = control.finish(schema, new.name, host, new.operation, ())
        try:
            stored = catalog.name_query(flavor, new.name, host)
            answers = await session.execute(*making, closing, stored, RELEASE)
        except errors.StepError as error:
            if not errors.is_ended(error):
                await self._undo(session, new.name, host, error.step, len(making))
            if error.step == _CREATE_STEP and errors.number(error) == errors.CANNOT_USER:
                raise Refused(Reason.ACCOUNT_TAKEN, facts={"value": new.name}) from None
            raise
        session.holds_locks = False
        if (new.name, host) not in answers[-2]:
            raise Refused(Reason.ENGINE_REFUSED, note="the account is there under another name")
        return self._made(new, host)

    def _made(self, new: NewAccount, host: str) -> AccountFacts:
        """What a look would find: every step of the creation was carried out."""
        columns = self._server.columns
        grants = sorted(_last_of_each(new.grants), key=lambda grant: grant.database)
        return AccountFacts(
            oid=0,
            name=new.name,
            kind=new.kind,
            may_log_in=True,
            has_password=new.verifier is not None,
            marker=new.operation,
            host=host,
            grants=tuple(templates.as_read_back(grant, columns) for grant in grants),
        )

    async def _undo(self, session: Session, name: str, host: str, done: int, steps: int) -> None:
        """The statement after the first `done` failed: take back what they did, while the account is still locked."""
        if done >= steps:
            raise OutcomeUnknown("the account is made, but that could not be noted")
        if done > _CREATE_STEP:
            await session.execute(statements.drop_account(name, host))
        if done >= _CREATE_STEP:  # also where the name was somebody else's, made a moment ago
            await session.execute(control.forget(self._server.control, name, host))

    def _granting(self, new: NewAccount, host: str) -> Sequence[str]:
        if new.kind is AccountKind.SUPER:
            return statements.make_super(self._server.flavor, new.name, host, self._server.control)
        return [
            statements.give(new.name, host, grant, self._server.columns)
            for grant in _last_of_each(new.grants)
        ]

    async def change(self, change: AccountChange) -> AccountFacts:
        self.require_name(change.name)
        host = names.host(change.host)
        new_host = host if change.new_host is None else names.host(change.new_host)
        new_name = change.name if change.new_name is None else change.new_name
        if new_name != change.name:
            names.require_new_user(new_name, self._server.flavor, self._server.administrator)
        to = (new_name, new_host)
        return await self._server.run(lambda session: self._change(session, change, host, to))

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
                steps.append(control.forget(self._server.control, change.name, host))
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
        return await self._server.run(lambda session: self._drop(session, name, place))

    async def _drop(self, session: Session, name: str, host: str) -> bool:
        asking = self.looking(name, host)
        async with self._server.locked(session, [account_lock(name)], *asking) as answers:
            found = self.found(answers, name, host)
            if found is not None and found.is_protected:
                raise Refused(Reason.ACCOUNT_PROTECTED, facts={"value": name})
            forgetting = control.forget(self._server.control, name, host)
            if found is None:
                await session.execute(forgetting)
                return False
            await session.execute(statements.alter_account(self._server.flavor, name, host, locked=True))
            await sessions.end(session, name)
            await session.execute(statements.drop_account(name, host), forgetting)
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
        accounts = catalog.read(self._server, answers)
        return next((one for one in accounts if (one.name, one.host) == (name, host)), None)

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


def _last_of_each(wanted: Sequence[DatabaseGrant]) -> Sequence[DatabaseGrant]:
    by_name: Mapping[str, DatabaseGrant] = {grant.database: grant for grant in wanted}
    return list(by_name.values())
