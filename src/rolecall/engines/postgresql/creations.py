"""Creating accounts: those that are requested at about the same time share a message, and its transaction.

Most of what a creation costs the server and Rolecall is the message, not the statements in it. A refusal, or a wait, of
one account must not concern the others, so the shared transaction waits for nothing: it only tries the locks of its
accounts, and gives up where another transaction has just used a name. If it fails, it has done nothing, and each
account is created by itself, where it waits, or is refused.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence

import psycopg

from rolecall.domain.engine import AccountFacts, AccountKind, NewAccount, VerifierWrite
from rolecall.domain.engine.identity import FIRST
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines.postgresql import errors, statements
from rolecall.engines.postgresql.accounts import Accounts, require_no_host
from rolecall.engines.postgresql.connections import Connection, transaction
from rolecall.engines.postgresql.group import SuperGroup
from rolecall.engines.postgresql.server import Server
from rolecall.exchanges.batching import Batcher, Job

MOST = 16
"""Accounts in one transaction."""

_TAKEN = frozenset({"42710", "23505"})
"""The second one is the result of two concurrent CREATE ROLE."""

_CONCERNS_ALL = frozenset({Reason.ENGINE_UNREACHABLE, Reason.INSTANCE_RESTARTING})


class _Apart(Exception):
    """Nothing was done: each account is to be created by itself."""


class CreateBatcher:
    def __init__(self, server: Server, group: SuperGroup, accounts: Accounts) -> None:
        self._server = server
        self._group = group
        self._accounts = accounts
        # A second account of the same name is created in a later transaction, which refuses it as taken.
        self._batcher: Batcher[NewAccount, AccountFacts] = Batcher(
            self._send, most=MOST, key=lambda new: new.name
        )

    async def create(self, new: NewAccount) -> AccountFacts:
        require_no_host(new.host)
        if new.grants:
            raise Refused(Reason.ENGINE_UNSUITED, note="this kind of server grants no whole databases")
        self._accounts.require_new_name(new.name)
        if self._may_share(new):
            with contextlib.suppress(_Apart):
                return await self._batcher.submit(new)
        return await self._server.run(lambda connection: self._create(connection, new))

    def _may_share(self, new: NewAccount) -> bool:
        """A fence is asked between a lock and a commit. The server takes milliseconds to store a verifier by statement,
        and does that for several accounts at once only on several connections.
        """
        stores_quickly = new.verifier is None or self._server.connections.verifier_writes.are_to_catalog
        return new.fence is None and new.kind is AccountKind.NORMAL and stores_quickly

    async def _send(self, batch: Sequence[Job[NewAccount, AccountFacts]]) -> None:
        waiting = [job for job in batch if not job.future.done()]  # the others' callers were cancelled
        together = [job.item for job in waiting]
        if not together:
            return
        try:
            made = await self._server.run(lambda connection: self._create_together(connection, together))
        except Refused as refusal:
            if refusal.reason in _CONCERNS_ALL:
                raise
            raise _Apart from None
        for job, facts in zip(waiting, made, strict=True):
            job.finish(facts)

    async def _create_together(
        self, connection: Connection, together: Sequence[NewAccount]
    ) -> list[AccountFacts]:
        write = self._server.connections.verifier_writes.way(connection)
        if write is VerifierWrite.STATEMENT and any(new.verifier for new in together):
            raise _Apart
        group = await self._group.ready(connection)
        with errors.committing():
            row = await connection.last_row(
                statements.create_accounts(together, group, self._server.lock_secret)
            )
        if row is None:
            raise Refused(Reason.ENGINE_REFUSED, note="the accounts are not there after CREATE ROLE")
        return [_made(new, oid, write) for new, oid in zip(together, row, strict=True)]

    async def _create(self, connection: Connection, new: NewAccount) -> AccountFacts:
        facts = await self._server.known(connection)
        self._accounts.require_version(facts, new.kind)
        write = self._server.connections.verifier_writes.way(connection)
        composed = statements.create_account(
            new.name,
            kind=new.kind,
            verifier=new.verifier,
            operation=new.operation,
            group=await self._group.ready(connection),
            read_back=facts.can_read_verifiers,
            secret=self._server.lock_secret,
            write=write,
        )
        try:
            async with self._fenced(connection, new):
                row = await connection.last_row(composed)
        except psycopg.Error as error:
            if error.sqlstate not in _TAKEN:
                raise
            return await self._taken(connection, new)
        if row is None:
            raise Refused(Reason.ENGINE_REFUSED, note="the account is not there after CREATE ROLE")
        return _made(new, row[0], write)

    @contextlib.asynccontextmanager
    async def _fenced(self, connection: Connection, new: NewAccount) -> AsyncIterator[None]:
        """A context for a transaction in one round trip, or in three with a fence between its lock and its commit."""
        if new.fence is None:
            with errors.committing():
                yield
            return
        async with transaction(connection, self._server.lock("role", new.name)):
            found = await self._accounts.look_up(connection, new.name)
            if found is None or new.operation not in found.operations:
                await new.fence()
            yield

    async def _taken(self, connection: Connection, new: NewAccount) -> AccountFacts:
        """The account, if this operation has created it before. ACCOUNT_TAKEN for any other role of the name."""
        found = await self._accounts.look_up(connection, new.name)
        if found is None or new.operation not in found.operations:
            raise Refused(Reason.ACCOUNT_TAKEN, facts={"value": new.name})
        return found


def _made(new: NewAccount, oid: int, write: VerifierWrite) -> AccountFacts:
    return AccountFacts(
        oid, new.name, new.kind, True, new.verifier is not None, new.operation,
        identity=str(oid), orders=(FIRST,), verifier_write=None if new.verifier is None else write,
    )  # fmt: skip
