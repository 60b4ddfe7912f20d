"""Making accounts: those that are asked for at about the same time are made together.

An account statement costs the server a write to its disk and a look through all its accounts, however many accounts it
names. So what piles up while some accounts are being made is made next, with one statement each for creating, noting
and unlocking all of them, and one for each different grant; one caller alone waits no longer than without.

The statements are sent at once, in one round trip, without a look at what is there: the server ends at the first that
fails, and then each account is looked at and made by itself. docs/mysql.md explains their order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from rolecall.domain.engine import AccountFacts, AccountKind, DatabaseGrant, NewAccount
from rolecall.domain.identity import FIRST
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused
from rolecall.engines.mysql import catalog, control, errors, names, statements, templates
from rolecall.engines.mysql.connections import Session
from rolecall.engines.mysql.server import (
    RELEASE,
    Server,
    account_lock,
    database_lock,
    databases_or_fail,
    require_databases,
    unlock,
)
from rolecall.engines.mysql.statements import Holding, Place
from rolecall.exchanges.batching import Batcher, Job

MOST = 16
"""Accounts made together."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """An account to be made, with its host and the text of its verifier as the server takes them."""

    new: NewAccount
    host: str
    verifier: str

    @property
    def place(self) -> Place:
        return self.new.name, self.host

    @property
    def grants(self) -> Sequence[DatabaseGrant]:
        """The last one of each database."""
        return tuple({grant.database: grant for grant in self.new.grants}.values())

    @property
    def things(self) -> set[str]:
        """What is locked while it is made."""
        return {account_lock(self.new.name), *(database_lock(grant.database) for grant in self.new.grants)}


class Creations:
    def __init__(self, server: Server) -> None:
        self._server = server
        # A second account of the same place is made in a later batch, and refused: it is taken then.
        self._batcher: Batcher[Newcomer, AccountFacts] = Batcher(
            self._make, most=MOST, key=lambda newcomer: newcomer.place, turn=server.turn
        )

    async def create(self, one: Newcomer) -> AccountFacts:
        return await self._batcher.submit(one)

    async def expect(self, session: Session, accounts: Sequence[NewAccount]) -> None:
        """ACCOUNT_TAKEN, VERIFIERS_REFUSED, DATABASE_MISSING, as making these would be refused. Names are sound."""
        places = {(new.name, names.host(new.host)): new for new in accounts}
        there = catalog.made_query(self._server.flavor, list(places))
        things = {account_lock(name) for name, _ in places}
        looks = (there, self._server.flavor.strictness, RELEASE)
        async with self._server.locked(session, things, *looks) as (found, strictness, _):
            session.holds_locks = False
        for place in found:
            if place in places:  # byte for byte, whatever the server's collation found alike
                raise Refused(Reason.ACCOUNT_TAKEN, facts={"value": place[0]})
        if refuses := await self._server.refuses_verifiers(session, strictness):
            raise Refused(Reason.VERIFIERS_REFUSED, note=refuses)
        for new in accounts:
            named = {grant.database for grant in new.grants}
            await require_databases(session, self._server, named, to_come=new.to_come)

    async def _make(self, batch: Sequence[Job[Newcomer, AccountFacts]]) -> None:
        together = [job.item for job in batch]
        if all(self._is_plain(newcomer) for newcomer in together):
            facts = await self._server.run(lambda session: self._at_once(session, together))
            if facts is not None:
                for job, made in zip(batch, facts, strict=True):
                    job.finish(made)
                return
        for job in batch:
            if job.future.done():  # its caller was cancelled
                continue
            try:
                job.finish(await self._alone(job.item))
            except Exception as error:  # noqa: BLE001 - raised to its caller
                job.fail(error)

    def _is_plain(self, one: Newcomer) -> bool:
        """Whether nothing is known beforehand that wants a closer look."""
        return all(
            names.is_database(grant.database) and not names.is_system(grant.database, self._server.control)
            for grant in one.new.grants
        )

    async def _at_once(self, session: Session, together: Sequence[Newcomer]) -> list[AccountFacts] | None:
        """All of them in one round trip, or in two where fences are asked between. None if that failed: some may be
        there, locked, and nobody's yet.
        """
        if not session.is_fresh:
            await session.fetch("DO 0")  # while a lost connection still means that nothing has happened
        things = {thing for one in together for thing in one.things}
        databases = {grant.database for one in together for grant in one.grants}
        conditions = [
            self._server.lock_or_fail(things),
            *([databases_or_fail(databases)] if databases else []),
        ]
        stored = catalog.names_query(self._server.flavor, [one.place for one in together])
        fences = [one.new.fence for one in together if one.new.fence is not None]
        session.holds_locks = True
        try:
            if fences:
                await session.fetch_all(*conditions)
                await asyncio.gather(*(fence() for fence in fences))
                conditions = []
            answers = await session.execute(*conditions, *self._steps(together), stored, RELEASE)
        except Refused:
            await unlock(session)
            return None
        except errors.StepError as error:
            if errors.is_ended(error):
                raise
            await unlock(session)
            return None
        session.holds_locks = False
        if not {one.place for one in together} <= set(answers[-2]):
            return None
        return [self._made(one) for one in together]

    async def _alone(self, one: Newcomer) -> AccountFacts:
        return await self._server.run(lambda session: self._look_and_make(session, one))

    async def _look_and_make(self, session: Session, one: Newcomer) -> AccountFacts:
        new, looks = one.new, catalog.queries(self._server, *one.place)
        async with self._server.locked(session, one.things, *looks) as answers:
            there = catalog.found(self._server, answers, *one.place)
            if there is not None and not there.is_half_made:
                if new.operation in there.facts.operations and not there.is_protected:
                    return there.facts
                if new.fence is not None:
                    await new.fence()
                raise Refused(Reason.ACCOUNT_TAKEN, facts={"value": new.name})
            if new.fence is not None:
                await new.fence()
            named = [grant.database for grant in new.grants]
            awaited = await require_databases(session, self._server, named, to_come=new.to_come)
            if there is not None:  # cut short, by a crash perhaps: locked, and never anybody's
                await session.execute(*self._undoing(one))
            return await self.make(session, one, awaited)

    async def make(self, session: Session, one: Newcomer, awaited: Collection[str] = ()) -> AccountFacts:
        """Locked, then granted, then unlocked: cut anywhere, it leaves either nobody or the whole account.

        The caller holds its locks, and saw that nobody is there. `awaited` are databases that are not there yet.
        """
        stored = catalog.names_query(self._server.flavor, [one.place])
        try:
            answers = await session.execute(*self._steps([one], awaited), stored, RELEASE)
        except errors.StepError as error:
            if error.step == 0 and errors.number(error) == errors.CANNOT_USER:  # made by others a moment ago
                raise Refused(Reason.ACCOUNT_TAKEN, facts={"value": one.new.name}) from None
            if error.step > 0 and not errors.is_ended(error):
                await self._undo(session, one)
            raise
        session.holds_locks = False
        if one.place not in answers[-2]:
            raise Refused(Reason.ENGINE_REFUSED, note="the account is there under another name")
        return self._made(one)

    def _steps(self, together: Sequence[Newcomer], awaited: Collection[str] = ()) -> list[str]:
        """The account bears the mark of being made from the first statement to the last; so whoever finds it without
        knows that all of them were carried out.
        """
        schema, flavor = self._server.control, self._server.flavor
        return [
            statements.create_accounts(flavor, {one.place: one.verifier for one in together}),
            *(control.await_database(schema, name, *one.place) for one in together for name in awaited),
            *self._granting(together),
            control.made(schema, {one.place: one.new.operation for one in together}),
            statements.complete_accounts(one.place for one in together),
        ]

    def _granting(self, together: Iterable[Newcomer]) -> list[str]:
        """Each account's in their order, those that several are to hold in one statement."""
        holders: dict[Holding, list[Place]] = {}
        for one in together:
            for holding in self._holdings(one):
                holders.setdefault(holding, []).append(one.place)
        return [statements.grant(places, holding) for holding, places in holders.items()]

    def _holdings(self, one: Newcomer) -> Sequence[Holding]:
        if one.new.kind is AccountKind.SUPER:
            return statements.super_holdings(self._server.flavor, self._server.control)
        return [statements.holding(grant, self._server.columns) for grant in one.grants]

    async def _undo(self, session: Session, one: Newcomer) -> None:
        """A statement after the first failed: take back what there is, while it is nobody's."""
        answers = await session.fetch_all(*catalog.queries(self._server, *one.place))
        there = catalog.found(self._server, answers, *one.place)
        if there is not None and not there.is_half_made:
            raise OutcomeUnknown("the account is made, but what came after failed")
        await session.execute(*self._undoing(one))

    def _undoing(self, one: Newcomer) -> Sequence[str]:
        schema = self._server.control
        return (
            statements.drop_account(*one.place),
            control.forget_awaited(schema, *one.place),
            control.forget(schema, *one.place),
        )

    def _made(self, one: Newcomer) -> AccountFacts:
        """What a look would find: every step of the creation was carried out."""
        new, columns = one.new, self._server.columns
        grants = sorted(one.grants, key=lambda grant: grant.database)
        return AccountFacts(
            oid=0,
            name=new.name,
            kind=new.kind,
            may_log_in=True,
            has_password=new.verifier is not None,
            marker=new.operation,
            host=one.host,
            grants=tuple(templates.as_read_back(grant, columns) for grant in grants),
            identity=str(new.operation),
            orders=(FIRST,),
        )
