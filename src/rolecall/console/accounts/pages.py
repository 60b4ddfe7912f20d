"""One account: what it is, what it may do, the same in each dialect; and the databases of an instance."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rolecall.console import pages
from rolecall.console.accounts.addresses import INSTANCE, SECTION, account_address, instance_address, user_of
from rolecall.console.actions import ActionName, ActionRefused, Actions
from rolecall.console.instances import LISTING, Seen, VisibleInstances
from rolecall.console.visits import Page, Visit
from rolecall.domain.accounts.commands import AllDatabases, ListDatabases, ShowAccount
from rolecall.domain.accounts.role_commands import ShowRoles
from rolecall.domain.accounts.views import AccountView
from rolecall.domain.engine import DatabaseFacts
from rolecall.domain.engine.roles import RoleFacts
from rolecall.domain.messages import InstanceName
from rolecall.domain.messages import Page as Slice
from rolecall.server_kinds import first_face
from rolecall.values import Reply
from rolecall.verbs.petadata import answers as aliyun_answers
from rolecall.verbs.postgres import answers as tencent_answers

_SHOWN = 50
_MOST_DATABASES = 20
"""Databases whose privileges an account's page shows."""

_POSTGRES = ("tencent", "postgres")
_TROVE = ("openstack", "database")

OFFERS: Mapping[str, Sequence[tuple[str, ActionName, bool]]] = {
    "tencent": (
        ("password", ActionName(*_POSTGRES, "ResetAccountPassword"), False),
        ("lock", ActionName(*_POSTGRES, "LockAccount"), False),
        ("unlock", ActionName(*_POSTGRES, "UnlockAccount"), False),
        ("grant", ActionName(*_POSTGRES, "ModifyAccountPrivileges"), False),
        ("revoke", ActionName(*_POSTGRES, "ModifyAccountPrivileges"), False),
        ("remark", ActionName(*_POSTGRES, "ModifyAccountRemark"), False),
        ("manage", ActionName(*_POSTGRES, "OpenAccountCAM"), False),
        ("rotate", ActionName(*_POSTGRES, "RefreshAccountPassword"), False),
        ("stop-managing", ActionName(*_POSTGRES, "CloseAccountCAM"), False),
        ("delete", ActionName(*_POSTGRES, "DeleteAccount"), True),
    ),
    "openstack": (
        ("password", ActionName(*_TROVE, "UpdateUser"), False),
        ("grant", ActionName(*_TROVE, "GrantDatabases"), False),
        ("revoke", ActionName(*_TROVE, "RevokeDatabase"), False),
        ("delete", ActionName(*_TROVE, "DeleteUser"), True),
    ),
    "aliyun": (("remark", ActionName("aliyun", "petadata", "ModifyAccountDescription"), False),),
}
"""By dialect: the changes of an account, the action of each, and whether it destroys something."""

_ENTRIES: Mapping[str, Callable[[str, AccountView], Mapping[str, object]]] = {
    "tencent": tencent_answers.account_entry,
    "aliyun": lambda _, account: aliyun_answers.account_entry(account),
}
"""An account as a dialect's listing has it: its actions list all accounts, or look for none by its name."""

_ID_PARAMS = {"tencent": "DBInstanceId", "openstack": "instance_id", "aliyun": "InstanceId"}


@dataclass(frozen=True, slots=True)
class Offer:
    """A change that the visitor may make: the key of its title, and its page."""

    title: str
    address: str
    danger: bool


class AccountPages:
    def __init__(self, actions: Actions, visible: VisibleInstances) -> None:
        self._actions = actions
        self._visible = visible
        self.pages = (
            Page(f"{INSTANCE}/databases", self._databases),
            Page(f"{INSTANCE}/accounts/{{account}}", self._account),
            Page(f"{INSTANCE}/users/{{account}}", self._account),
        )

    async def _account(self, visit: Visit) -> Reply:
        seen = await self._visible.find(visit, visit.path["instance"])
        if seen is None:
            return pages.error(visit.request, 404, "not_found")
        dialect = first_face(seen.instance)
        name, host = (visit.path["account"], "") if dialect == "tencent" else user_of(visit)
        try:
            account = await self._shown(visit, seen, name, host)
        except ActionRefused as refused:
            status = 403 if refused.code.endswith("UnauthorizedOperation") else 404
            return pages.page(
                visit, "error.html", section=SECTION, status=status, message=refused.message or refused.code
            )
        return pages.page(
            visit,
            "account.html",
            section=SECTION,
            seen=seen,
            account=account,
            instance_at=instance_address(seen.public_id),
            offers=await self._offers(visit, seen, account),
            role=await self._role(visit, seen, account),
            now=datetime.now(UTC),
            privileges=await self._privileges(visit, seen, account),
            answers=await self._in_each_dialect(visit, seen, account),
        )

    async def _shown(self, visit: Visit, seen: Seen, name: str, host: str) -> AccountView:
        dialect = first_face(seen.instance)
        action, param = LISTING[dialect]
        face = seen.instance.faces[dialect]
        command = ShowAccount(InstanceName(dialect, face), name, host)
        return await self._actions.look(visit, action, {param: face}, command, seen.instance.region)

    async def _offers(self, visit: Visit, seen: Seen, account: AccountView) -> list[Offer]:
        offered = []
        for dialect, face in sorted(seen.instance.faces.items(), reverse=True):
            for word, action, danger in OFFERS.get(dialect, ()):
                params = {_ID_PARAMS[dialect]: face, "UserName": account.name}
                known = {field.name for field in self._actions.action(action).params}
                params = {key: value for key, value in params.items() if key in known}
                if not _applies(word, account):
                    continue
                if await self._actions.permits(visit, action, params, seen.instance.region):
                    address = f"{account_address(face, account.name, account.host)}/{word}"
                    offered.append(Offer(f"account_{word.replace('-', '_')}", address, danger))
        return sorted(offered, key=lambda offer: offer.danger)

    async def _role(self, visit: Visit, seen: Seen, account: AccountView) -> RoleFacts | None:
        """Its limits and memberships, on servers where accounts are roles."""
        face = seen.instance.faces.get("tencent")
        if face is None or account.standing in ("missing", "failed"):
            return None
        command = ShowRoles(InstanceName("tencent", face), account.name)
        action, param = LISTING["tencent"]
        try:
            (found,) = await self._actions.look(visit, action, {param: face}, command, seen.instance.region)
        except ActionRefused:  # the account was promised, and is not there yet
            return None
        return found

    async def _privileges(
        self, visit: Visit, seen: Seen, account: AccountView
    ) -> Sequence[tuple[str, Sequence[str]]]:
        """What it may do on each database: from its grants, or from the server where there are none to list."""
        if account.grants:
            return [(grant.database, grant.privileges or (grant.access.value,)) for grant in account.grants]
        face = seen.instance.faces.get("tencent")
        found = await self._all_databases(visit, seen)
        if face is None or not found or account.standing in ("missing", "failed"):
            return ()
        asked = [
            {"ObjectType": "database", "ObjectName": database.name, "DatabaseName": database.name}
            for database in found[:_MOST_DATABASES]
        ]
        params = {"DBInstanceId": face, "UserName": account.name, "DatabaseObjectSet": asked}
        answer = await self._actions.try_call(
            visit, ActionName(*_POSTGRES, "DescribeAccountPrivileges"), params, seen.instance.region
        )
        entries = [] if isinstance(answer, ActionRefused) else answer["PrivilegeSet"]
        if not isinstance(entries, list):
            return ()
        return [(entry["Object"]["ObjectName"], entry["PrivilegeSet"]) for entry in entries]

    async def _all_databases(self, visit: Visit, seen: Seen) -> Sequence[DatabaseFacts]:
        dialect = first_face(seen.instance)
        action, param = _DATABASES[dialect]
        face = seen.instance.faces[dialect]
        command = AllDatabases(InstanceName(dialect, face))
        try:
            return await self._actions.look(visit, action, {param: face}, command, seen.instance.region)
        except ActionRefused:
            return ()

    async def _in_each_dialect(
        self, visit: Visit, seen: Seen, account: AccountView
    ) -> Sequence[tuple[str, str]]:
        """The account as each dialect that reaches the instance answers it, as JSON."""
        shown = []
        for dialect, face in sorted(seen.instance.faces.items(), reverse=True):
            entry = await self._entry(visit, dialect, face, account, seen.instance.region)
            if entry is not None:
                shown.append((dialect, json.dumps(entry, indent=2, ensure_ascii=False)))
        return shown

    async def _entry(
        self, visit: Visit, dialect: str, face: str, account: AccountView, region: str
    ) -> object | None:
        if dialect == "openstack":
            params = {"instance_id": face, "name": account.name, "host": account.host}
            answer = await self._actions.try_call(visit, ActionName(*_TROVE, "ShowUser"), params, region)
            return None if isinstance(answer, ActionRefused) else answer
        action, param = LISTING[dialect]
        is_listed = account.standing not in ("missing", "failed")
        if not is_listed or not await self._actions.permits(visit, action, {param: face}, region):
            return None
        return _ENTRIES[dialect](face, account)

    async def _databases(self, visit: Visit) -> Reply:
        seen = await self._visible.find(visit, visit.path["instance"])
        if seen is None:
            return pages.error(visit.request, 404, "not_found")
        offset = pages.offset(visit)
        dialect = first_face(seen.instance)
        action, param = _DATABASES[dialect]
        face = seen.instance.faces[dialect]
        words = (visit.query["name"],) if visit.query["name"] else ()
        command = ListDatabases(InstanceName(dialect, face), words, offset, _SHOWN)
        found: Slice[DatabaseFacts] | None = None
        refused: ActionRefused | None = None
        try:
            found = await self._actions.look(visit, action, {param: face}, command, seen.instance.region)
        except ActionRefused as error:
            refused = error
        return pages.page(
            visit,
            "databases.html",
            section=SECTION,
            seen=seen,
            found=found,
            refused=refused,
            instance_at=instance_address(seen.public_id),
            changes_at=self._changes_at(seen),
            create_at=self._create_at(seen),
            may_create=await self._may(visit, seen, "CreateDatabase", "CreateDatabases"),
            may_delete=await self._may(visit, seen, "DeleteDatabase", "DeleteDatabase"),
            may_give=dialect == "tencent" and await self._may(visit, seen, "ModifyDatabaseOwner", ""),
            pager=pages.Pager(visit, offset, _SHOWN, 0 if found is None else found.total),
        )

    def _changes_at(self, seen: Seen) -> str:
        """Below which address databases are changed."""
        if "openstack" in seen.instance.faces:
            return f"{instance_address(seen.instance.faces['openstack'])}/schemas"
        return f"{instance_address(seen.public_id)}/databases"

    def _create_at(self, seen: Seen) -> str:
        if "openstack" in seen.instance.faces:
            return f"{instance_address(seen.instance.faces['openstack'])}/new-schema"
        return f"{instance_address(seen.public_id)}/new-database"

    async def _may(self, visit: Visit, seen: Seen, postgres: str, trove: str) -> bool:
        faces = seen.instance.faces
        if "tencent" in faces:
            name, params = ActionName(*_POSTGRES, postgres), {"DBInstanceId": faces["tencent"]}
        elif "openstack" in faces and trove:
            name, params = ActionName(*_TROVE, trove), {"instance_id": faces["openstack"]}
        else:
            return False
        return await self._actions.permits(visit, name, params, seen.instance.region)


_DATABASES = {
    "tencent": (ActionName(*_POSTGRES, "DescribeDatabases"), "DBInstanceId"),
    "aliyun": (ActionName("aliyun", "petadata", "DescribeDatabases"), "InstanceId"),
    "openstack": (ActionName(*_TROVE, "ListDatabases"), "instance_id"),
}
"""By dialect: the action that lists an instance's databases, and its parameter for the id."""


def _applies(word: str, account: AccountView) -> bool:
    """Whether a change means anything for the account as it is now."""
    if account.standing == "protected":
        return False
    if account.standing in ("missing", "failed"):
        return word == "delete"
    states = {
        "lock": not account.locked,
        "unlock": account.locked,
        "password": not account.managed_password,
        "manage": not account.managed_password,
        "rotate": account.managed_password,
        "stop-managing": account.managed_password,
    }
    return states.get(word, True)
