"""Creating accounts: those that are requested at about the same time are created together.

An account statement costs the server a write to disk and a scan of all its accounts, however many accounts it names. So
the accounts that wait while others are being created are the next batch, with one statement each for creating, noting
and unlocking all of them, and one for each different grant. A single caller waits no longer than without batches.

A batch is sent in one round trip, without reading first which accounts exist: the server ends at the first statement
that fails, and then each account is read and created by itself. docs/mysql.md explains the order of the statements.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rolecall.domain.engine import AccountFacts, AccountKind, DatabaseGrant, NewAccount
from rolecall.domain.engine.identity import FIRST
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused
from rolecall.engines.mysql import catalog, control, errors, names, statements, templates
from rolecall.engines.mysql.connections import Session
from rolecall.engines.mysql.server import (
    RELEASE,
    Server,
    account_lock,
    database_lock,
    databases_or_fail,
    databases_query,
    require_databases,
    require_found,
    sound_databases,
    unlock,
)
from rolecall.engines.mysql.statements import Holding, Place
from rolecall.exchanges.batching import Batcher, Job

MOST = 16
"""Accounts in one batch."""

_Grants: TypeAlias = dict[Holding, list[Place]]
"""To whom each grant is given."""


@dataclass(frozen=True, slots=True)
class PendingAccount:
    """An account to create, with its host and hash as the server takes them."""

    new: NewAccount
    host: str
    verifier: str

    @property
    def place(self) -> Place:
        return self.new.name, self.host

    @property
    def grants(self) -> Sequence[DatabaseGrant]:
        """One for each database, the last one given."""
        return tuple({grant.database: grant for grant in self.new.grants}.values())

    @property
    def things(self) -> set[str]:
        """What is locked during its creation."""
        return {account_lock(self.new.name), *(database_lock(grant.database) for grant in self.new.grants)}


class CreateBatcher:
    def __init__(self, server: Server) -> None:
        self._server = server
        # A second account of the same name and host is created in a later batch, which refuses it as taken.
        batcher: Batcher[PendingAccount, AccountFacts] = Batcher(
            self._create, most=MOST, key=lambda account: account.place, turn=server.turn
        )
        self.create = batcher.submit

    async def require_new(self, session: Session, accounts: Sequence[NewAccount]) -> None:
        """ACCOUNT_TAKEN, VERIFIERS_REFUSED, DATABASE_MISSING, as `create` would refuse. The names are valid.

        Without a lock, since a creation that has not begun yet is none, unless an account of such a name is there.
        """
        places, flavor = {(new.name, names.host(new.host)) for new in accounts}, self._server.flavor
        sound = sound_databases(grant.database for new in accounts for grant in new.grants)
        looks = (catalog.names_query(flavor, places), flavor.strictness, databases_query(sound))
        there, strictness, databases = await session.fetch_all(*looks)
        # Byte for byte; the server's collation may match others.
        if not places.isdisjoint(there):
            await self._require_free(session, places)
        if refuses := await self._server.refuses_verifiers(session, strictness):
            raise Refused(Reason.VERIFIERS_REFUSED, note=refuses)
        found = {str(name) for (name,) in databases}
        for new in accounts:
            named = {grant.database for grant in new.grants}
            require_found(self._server, named, found, allow_missing=new.allow_missing)

    async def _require_free(self, session: Session, places: Collection[Place]) -> None:
        """ACCOUNT_TAKEN. Waits for changes of the accounts: one may be half made, or about to be dropped."""
        things = {account_lock(name) for name, _ in places}
        looks = (catalog.made_query(self._server.flavor, places), RELEASE)
        async with self._server.locked(session, things, *looks) as (made, _):
            session.holds_locks = False
        for name, _ in set(places).intersection(made):
            raise Refused(Reason.ACCOUNT_TAKEN, facts={"value": name})

    async def _create(self, batch: Sequence[Job[PendingAccount, AccountFacts]]) -> None:
        together = [job.item for job in batch]
        if all(self._is_simple(account) for account in together):
            facts = await self._server.run(lambda session: self._create_together(session, together))
            if facts is not None:
                for job, made in zip(batch, facts, strict=True):
                    job.finish(made)
                return
        for job in batch:
            if job.future.done():  # its caller was cancelled
                continue
            try:
                job.finish(await self._create_alone(job.item))
            except Exception as error:  # noqa: BLE001 - raised to its caller
                job.fail(error)

    def _is_simple(self, account: PendingAccount) -> bool:
        """Whether the account may be created in a batch: none of its databases has to be refused or awaited."""
        return all(
            names.is_database(grant.database) and not names.is_system(grant.database, self._server.control)
            for grant in account.new.grants
        )

    async def _create_together(
        self, session: Session, together: Sequence[PendingAccount]
    ) -> list[AccountFacts] | None:
        """Create all in one round trip, or in two with fences, which are asked between.

        None if that failed: some may exist then, locked and marked as being created.
        """
        if not session.is_fresh:
            await session.fetch(
                "DO 0"
            )  # notice a lost connection while that still means that nothing has happened
        things = {thing for account in together for thing in account.things}
        databases = {grant.database for account in together for grant in account.grants}
        conditions = [
            self._server.lock_or_fail(things),
            *databases_or_fail(databases, folds_case=self._server.folds_case),
        ]
        ending = catalog.names_and_release(self._server.flavor, [account.place for account in together])
        fences = [account.new.fence for account in together if account.new.fence is not None]
        session.holds_locks = True
        try:
            if fences:
                await session.fetch_all(*conditions)
                await asyncio.gather(*(fence() for fence in fences))
                conditions = []
            answers = await session.execute(*conditions, *self._steps(together), ending)
        except Refused:
            await unlock(session)
            return None
        except errors.StepError as error:
            if errors.is_ended(error):
                raise
            await unlock(session)
            return None
        session.holds_locks = False
        if not {account.place for account in together} <= set(answers[-1]):
            return None
        return [self._facts(account) for account in together]

    async def _create_alone(self, account: PendingAccount) -> AccountFacts:
        return await self._server.run(lambda session: self._create_if_new(session, account))

    async def _create_if_new(self, session: Session, account: PendingAccount) -> AccountFacts:
        new, looks = account.new, catalog.queries(self._server, *account.place)
        async with self._server.locked(session, account.things, *looks) as answers:
            there = catalog.found(self._server, answers, *account.place)
            if there is not None and not there.is_half_made:
                if new.operation in there.facts.operations and not there.is_protected:
                    return there.facts
                if new.fence is not None:
                    await new.fence()
                raise Refused(Reason.ACCOUNT_TAKEN, facts={"value": new.name})
            if new.fence is not None:
                await new.fence()
            named = [grant.database for grant in new.grants]
            awaited = await require_databases(session, self._server, named, allow_missing=new.allow_missing)
            if there is not None:  # left by an interrupted creation: locked, and never used
                await session.execute(*self._undoing(account))
            return await self.create_locked(session, account, awaited)

    async def create_locked(
        self, session: Session, account: PendingAccount, awaited: Collection[str] = ()
    ) -> AccountFacts:
        """Create an account whose locks the caller holds, and which does not exist.

        It can be used once the last statement has removed its mark, so an interruption leaves no usable account but
        the whole one.
        `awaited` are databases that do not exist yet.
        """
        ending = catalog.names_and_release(self._server.flavor, [account.place])
        try:
            answers = await session.execute(*self._steps([account], awaited), ending)
        except errors.StepError as error:
            if (
                error.step == 0 and errors.number(error) == errors.CANNOT_USER
            ):  # another session has just created it
                raise Refused(Reason.ACCOUNT_TAKEN, facts={"value": account.new.name}) from None
            if error.step > 0 and not errors.is_ended(error):
                await self._undo(session, account)
            raise
        session.holds_locks = False
        if account.place not in answers[-1]:
            raise Refused(Reason.ENGINE_REFUSED, note="the server stored the account under another name")
        return self._facts(account)

    def _steps(self, together: Sequence[PendingAccount], awaited: Collection[str] = ()) -> list[str]:
        """The first statement marks the accounts as being created. The last one that names an account removes its mark:
        an account without it proves that all statements were executed.
        """
        schema, flavor = self._server.control, self._server.flavor
        granting, completing, bare = self._granting(together)
        return [
            statements.create_accounts(flavor, {account.place: account.verifier for account in together}),
            *(
                control.await_database(schema, name, *account.place)
                for account in together
                for name in awaited
            ),
            *(statements.grant(places, holding) for holding, places in granting.items()),
            control.made(schema, {account.place: account.new.operation for account in together}),
            *(statements.grant(places, holding, complete=True) for holding, places in completing.items()),
            *([statements.complete_accounts(flavor, bare)] if bare else []),
        ]

    def _granting(self, together: Iterable[PendingAccount]) -> tuple[_Grants, _Grants, Sequence[Place]]:
        """The grants of each account in their order; a grant to several accounts is one statement. Then those that
        complete their accounts, and the accounts that no grant completes.
        """
        granting: _Grants = defaultdict(list)
        completing: _Grants = defaultdict(list)
        bare: list[Place] = []
        for account in together:
            holdings = list(self._holdings(account))
            if holdings and self._server.flavor.grants_complete:
                completing[holdings.pop()].append(account.place)
            else:
                bare.append(account.place)
            for holding in holdings:
                granting[holding].append(account.place)
        return granting, completing, bare

    def _holdings(self, account: PendingAccount) -> Sequence[Holding]:
        if account.new.kind is AccountKind.SUPER:
            return statements.super_holdings(self._server.flavor, self._server.control)
        return [statements.holding(grant, self._server.columns) for grant in account.grants]

    async def _undo(self, session: Session, account: PendingAccount) -> None:
        """Drop the half-made account after a failed statement."""
        answers = await session.fetch_all(*catalog.queries(self._server, *account.place))
        there = catalog.found(self._server, answers, *account.place)
        if there is not None and not there.is_half_made:
            raise OutcomeUnknown("the account is created, but a later statement failed")
        await session.execute(*self._undoing(account))

    def _undoing(self, account: PendingAccount) -> Sequence[str]:
        schema = self._server.control
        return (
            statements.drop_account(*account.place),
            control.forget_awaited(schema, *account.place),
            control.forget(schema, *account.place),
        )

    def _facts(self, account: PendingAccount) -> AccountFacts:
        """The account as the server would show it now, after every step of the creation."""
        new, columns = account.new, self._server.columns
        grants = sorted(account.grants, key=lambda grant: grant.database)
        return AccountFacts(
            oid=0,
            name=new.name,
            kind=new.kind,
            may_log_in=True,
            has_password=new.verifier is not None,
            marker=new.operation,
            host=account.host,
            grants=tuple(templates.as_read_back(grant, columns) for grant in grants),
            identity=str(new.operation),
            orders=(FIRST,),
        )
