"""Database accounts: making, deleting, listing and remarking them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from uuid import UUID

from rolecall.domain import ambient, commands
from rolecall.domain.client_tokens import ClientTokens
from rolecall.domain.credentials import new_managed_password
from rolecall.domain.encoding import encode_grants
from rolecall.domain.engine import (
    Access,
    AccountFacts,
    AccountKind,
    DatabaseGrant,
    NewAccount,
)
from rolecall.domain.instances import Attached
from rolecall.domain.operations import Change
from rolecall.domain.promises import Promises
from rolecall.domain.quotas import Quotas
from rolecall.domain.reasons import Refused
from rolecall.domain.views import AccountView, Page
from rolecall.domain.work import AccountRow, Target, Work
from rolecall.values import Origin

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Accounts:
    def __init__(self, work: Work, promises: Promises, tokens: ClientTokens) -> None:
        self._work = work
        self._promises = promises
        self._tokens = tokens
        self._quotas = Quotas()

    async def create(self, command: commands.CreateAccount, origin: Origin) -> AccountView:
        """ACCOUNT_TAKEN, ACCOUNT_QUOTA, DATABASE_MISSING, CLIENT_TOKEN_MISMATCH, and what the engine refuses."""
        target = await self._work.target(command.instance, origin, command.name, command.host)
        if command.token is None:
            return await self._create(target, command, origin)
        async with self._tokens.claimed(origin.caller.owner_id, command.token) as repeated:
            known = await self._made_before(target) if repeated else None
            return known or await self._create(target, command, origin)

    async def _create(self, target: Target, command: commands.CreateAccount, origin: Origin) -> AccountView:
        async with self._quotas.place(target, command.quota):
            return await self._make(target, command, origin)

    async def _make(self, target: Target, command: commands.CreateAccount, origin: Origin) -> AccountView:
        grants = await self._grants(target.attached, command)
        work = self._work
        password = new_managed_password() if command.managed_password else command.password
        verifier = None if password is None else work.verifier(target, password)
        detail: dict[str, object] = {
            "remark": command.remark,
            "kind": command.kind.value,
            "managed": command.managed_password,
            "grants": encode_grants(grants),
        }
        sealed = None
        if command.managed_password and password is not None:
            sealed = work.sealer.seal(password, target.purpose)
        intent = target.intent(Change.ACCOUNT_CREATE, origin, detail, sealed)

        async def apply(operation: UUID) -> AccountFacts:
            ready = None if verifier is None else await verifier
            return await target.attached.engine.create_account(
                NewAccount(target.name, command.kind, ready, operation, target.host, grants)
            )

        facts = await work.change(target, intent, apply)
        now = ambient.now()
        row = AccountRow(target.name, target.host, facts.oid, command.remark, now, now, None, sealed)
        return view(facts, row)

    async def _made_before(self, target: Target) -> AccountView | None:
        """The account, if an earlier call with the same client token has made it."""
        try:
            found = await self._show(target)
        except Refused:
            return None
        return found if found.standing == "managed" else None

    async def _grants(self, attached: Attached, command: commands.CreateAccount) -> tuple[DatabaseGrant, ...]:
        """Whether databases that are named are there, the engine sees for itself."""
        if not command.everywhere:
            return command.grants
        there = await attached.engine.databases()
        return tuple(DatabaseGrant(database.name, Access.READ_WRITE) for database in there)

    async def delete(self, command: commands.DeleteAccount, origin: Origin) -> None:
        """ACCOUNT_MISSING only where the command wants it to exist."""
        target = await self._work.target(command.instance, origin, command.name, command.host)
        if command.must_exist:
            await self._work.changeable(target)

        async def apply(operation: UUID) -> None:
            await target.attached.engine.drop_account(target.name, operation, target.host)

        await self._work.remove(target, target.intent(Change.ACCOUNT_DELETE, origin), apply)

    async def change_remark(self, command: commands.ChangeRemark, origin: Origin) -> None:
        target = await self._work.target(command.instance, origin, command.name, command.host)
        intent = target.intent(Change.ACCOUNT_REMARK, origin, {"remark": command.remark})

        async def apply(_operation: UUID) -> AccountFacts:
            return await self._work.changeable(target)

        await self._work.change(target, intent, apply)

    async def page(self, command: commands.ListAccounts, origin: Origin) -> Page[AccountView]:
        attached = await self._work.reach.attach(command.instance, origin.caller)
        views = [view for view in await self.views(attached) if view.standing != "missing"]
        views.sort(key=_ORDERS[command.order], reverse=command.descending)
        return Page(tuple(views[command.offset : command.offset + command.limit]), len(views))

    async def all(self, command: commands.AllAccounts, origin: Origin) -> tuple[AccountView, ...]:
        attached = await self._work.reach.attach(command.instance, origin.caller)
        views = [view for view in await self.views(attached) if view.standing != "missing"]
        return tuple(sorted(views, key=lambda view: (view.name, view.host)))

    async def show(self, command: commands.ShowAccount, origin: Origin) -> AccountView:
        """ACCOUNT_MISSING."""
        attached = await self._work.reach.attach(command.instance, origin.caller)
        return await self._show(self._work.at(attached, command.name, command.host))

    async def _show(self, target: Target) -> AccountView:
        place = (target.name, target.host)
        pending = await self._promises.pending(target.attached)
        promised = next((one for one in pending if (one.name, one.host) == place), None)
        facts = promised or await self._work.existing(target)
        return view(
            facts, await self._work.book.account(target.attached.instance.id, target.name, target.host)
        )

    async def views(self, attached: Attached) -> list[AccountView]:
        """Every account of an instance: the engine's, the promised, and those of ours that the engine has no more."""
        rows = {(row.name, row.host): row for row in await self._work.book.accounts(attached.instance.id)}
        there = {(facts.name, facts.host): facts for facts in await self._promises.pending(attached)}
        there |= {(facts.name, facts.host): facts for facts in await attached.engine.accounts()}
        views = [view(facts, rows.pop(place, None)) for place, facts in there.items()]
        views.extend(missing(row) for row in rows.values())
        return views


def view(facts: AccountFacts, row: AccountRow | None) -> AccountView:
    """The engine's account joined with our row; a row of an earlier account of that name counts for nothing.

    Where the server numbers accounts, another number is another account; elsewhere one without our mark is.
    """
    same = row is not None and row.oid == facts.oid and (facts.oid or facts.marker is not None)
    ours = row if same else None
    if facts.is_protected:
        standing = "protected"
    elif ours is not None and ours.created_at is not None:
        standing = "managed"
    else:
        standing = "foreign" if row is None or row.created_at is None else "changed"
    return AccountView(
        oid=facts.oid,
        name=facts.name,
        kind=facts.kind,
        locked=not facts.may_log_in,
        remark=ours.remark if ours else "",
        managed_password=ours is not None and ours.sealed_password is not None,
        created_at=ours.created_at if ours else None,
        updated_at=ours.updated_at if ours else None,
        password_updated_at=ours.password_updated_at if ours else None,
        standing=standing,
        operation=facts.marker,
        host=facts.host,
        grants=facts.grants,
    )


def missing(row: AccountRow) -> AccountView:
    """An account of ours that the engine no longer has."""
    return AccountView(
        row.oid, row.name, AccountKind.NORMAL, True, row.remark, row.sealed_password is not None,
        row.created_at, row.updated_at, row.password_updated_at, "missing", None, row.host,
    )  # fmt: skip


def _by_time(moment: datetime | None, view: AccountView) -> tuple[datetime, str]:
    return (moment or _LONG_AGO, view.name)


_ORDERS: Mapping[str, Callable[[AccountView], tuple[datetime | str, ...]]] = {
    "created": lambda view: _by_time(view.created_at, view),
    "updated": lambda view: _by_time(view.updated_at, view),
    "name": lambda view: (view.name,),
}
