"""Users of user stores. A change, the event of it and its record are one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID
from weakref import WeakValueDictionary

from psycopg import errors, sql
from psycopg.rows import class_row, dict_row, kwargs_row

from rolecall.domain.directories.commands import FindUsers, PageUsers
from rolecall.domain.directories.model import User, UserStatus
from rolecall.domain.directories.views import Look, Standing, UserPage, UserView
from rolecall.domain.messages import Page
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason, Refused
from rolecall.store import user_pages
from rolecall.store.batches import Batches
from rolecall.store.connection import Pool
from rolecall.store.errors import Refusing, reasons
from rolecall.store.queries import load
from rolecall.store.records import record_values
from rolecall.store.scans import Scans
from rolecall.store.user_rows import order_by, values_of, view_of, where
from rolecall.values import Caller

_SQL = load("users")

_TAKEN = {
    "users_store_id_name_key": Reason.USER_NAME_TAKEN,
    "users_store_id_phone_key": Reason.USER_PHONE_TAKEN,
    "users_store_id_email_key": Reason.USER_EMAIL_TAKEN,
}


class PgUserRepository:
    """Users are created in batches of their own for each store: one that is locked does not delay the others."""

    def __init__(self, durable: Pool, scans: Scans) -> None:
        self._durable = durable
        self._pool = Refusing(durable)
        self._scans = scans
        self._batches: WeakValueDictionary[UUID, Batches] = WeakValueDictionary()

    async def standing(self, owner_id: int, store_id: UUID | None) -> Standing:
        values = {"owner": owner_id, "store": store_id}
        found = await self._pool.row(class_row(Standing), _SQL["standing"], values)
        return found or Standing(active=False, holder=None)

    async def look(self, owner_id: int, user: User) -> Look:
        values = {**values_of(user), "owner": owner_id}
        found = await self._pool.row(kwargs_row(_look), _SQL["look"], values)
        return found or Look(Standing(active=False, holder=None), {}, False, False, False, 0)

    async def add(
        self, owner_id: int, user: User, quota: int, digest: str, record: Record
    ) -> UserView | None:
        batches = self._batches.setdefault(user.store_id, Batches(self._durable))
        values = {
            **values_of(user),
            **record_values(record),
            "owner": owner_id,
            "quota": quota,
            "digest": digest,
        }
        try:
            with reasons():
                added = await batches.row(dict_row, _SQL["add"], values)
        except errors.ForeignKeyViolation:  # the store or a group was deleted at the same time
            return None
        except Refused as refusal:
            if refusal.reason is not Reason.INTERRUPTED:
                raise
            if (kept := await self.shown(owner_id, user.store_id, user.id)) is None:
                raise
            return kept  # the transaction whose connection was lost was committed
        if added is None:
            return None
        names = added.pop("group_names")
        return UserView(replace(user, **added), tuple(names or ()))

    async def made_lately(self, user: User, digest: str, seconds: int) -> bool:
        values = {"store": user.store_id, "digest": digest, "seconds": seconds}
        return bool(await self._pool.value(_SQL["made_lately"], values))

    async def shown(self, owner_id: int, store_id: UUID, user_id: UUID) -> UserView | None:
        values = {"owner": owner_id, "store": store_id, "user": user_id}
        return await self._pool.row(kwargs_row(view_of), _SQL["shown"], values)

    async def find(self, caller: Caller, wanted: FindUsers) -> Page[UserView] | None:
        """The total of a whole store is kept, not counted."""
        conditions, condition_values = where(wanted.conditions)
        order, order_values = order_by(wanted.order)
        found = _SQL["found"] + conditions
        total = sql.SQL("select count(*) ") + found if wanted.conditions else _SQL["total"]
        page = sql.SQL(
            "select {columns} from (select * {found} and {mine} order by {order} limit %(limit)s"
            " offset %(offset)s) u {groups} order by {order}"
        ).format(
            columns=_SQL["columns"], found=found, mine=_SQL["mine"], order=order, groups=_SQL["with_groups"]
        )
        values = {
            **condition_values, **order_values, "store": wanted.store, "owner": caller.owner_id, "limit": wanted.limit,
            "offset": wanted.offset,
        }  # fmt: skip
        counted = sql.SQL("select ({total}) where {mine}").format(total=total, mine=_SQL["mine"])
        return await self._scans.page(caller, view_of, counted, page, values)

    async def page(self, caller: Caller, wanted: PageUsers) -> UserPage | None:
        return await user_pages.page(self._scans, caller, wanted)

    async def change(self, owner_id: int, before: User, after: User, record: Record) -> UserView | None:
        values = {
            **values_of(after), **record_values(record), "owner": owner_id, "version": before.version,
            "regroup": set(after.groups) != set(before.groups),
        }  # fmt: skip
        try:
            row = await self._pool.only(dict_row, _SQL["change"], values)
        except errors.ForeignKeyViolation:  # a group was deleted at the same time
            return None
        except errors.UniqueViolation as violation:
            reason = _TAKEN[violation.diag.constraint_name or ""]
            raise Refused(reason, facts={"value": after.name}) from None
        if (missing := row.pop("missing")) is not None:
            raise Refused(Reason.USER_GROUP_MISSING, facts={"value": missing.hex})
        return None if row["id"] is None else view_of(**row)

    async def set_status(
        self, owner_id: int, store_id: UUID, user_id: UUID, status: UserStatus, record: Record
    ) -> bool:
        values = {"owner": owner_id, "store": store_id, "user": user_id, "status": status.value}
        return bool(await self._pool.value(_SQL["set_status"], {**values, **record_values(record)}))

    async def replace_password(
        self, owner_id: int, store_id: UUID, user_id: UUID, password_hash: str, record: Record
    ) -> bool:
        values = {"owner": owner_id, "store": store_id, "user": user_id, "hash": password_hash}
        return bool(await self._pool.value(_SQL["replace_password"], {**values, **record_values(record)}))

    async def delete(self, owner_id: int, store_id: UUID, users: Sequence[UUID], record: Record) -> int:
        values = {**record_values(record), "owner": owner_id, "store": store_id, "users": list(users)}
        return int(await self._pool.value(_SQL["delete"], values))

    async def link(
        self, owner_id: int, store_id: UUID, primary: UUID, secondary: UUID, on: str, record: Record
    ) -> bool:
        values = {
            **record_values(record), "owner": owner_id, "store": store_id, "primary": primary, "secondary": secondary,
            "on": on,
        }  # fmt: skip
        return bool(await self._pool.value(_SQL["link"], values))


def _look(
    *,
    active: bool,
    holder: int | None,
    group_ids: Sequence[UUID] | None,
    group_names: Sequence[str] | None,
    users: int | None,
    **taken: bool,
) -> Look:
    groups = dict(zip(group_ids or (), group_names or (), strict=True))
    return Look(Standing(active, holder), groups, users=users or 0, **taken)
