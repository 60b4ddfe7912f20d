"""`rolecall account list` and `show`: the accounts of the servers, compared with what Rolecall has recorded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rolecall.cli.context import find_instance, only_owner, show, with_application, with_servers
from rolecall.cli.options import DataOption, FilterOption, JsonOption, LimitOption, OffsetOption
from rolecall.cli.printing import Output, Paging, Row, fields_and_values
from rolecall.cli.records import origin_in_owners_name
from rolecall.domain.engine.roles import NO_LIMIT
from rolecall.domain.messages import InstanceName
from rolecall.domain.reasons import Reason, Refused
from rolecall.server_kinds import face_of

if TYPE_CHECKING:
    from rolecall.app.application import Application
    from rolecall.cli.servers import OpenServers
    from rolecall.domain.accounts.views import AccountView
    from rolecall.domain.engine.roles import Membership, RoleFacts
    from rolecall.domain.instances.registry import Instance
    from rolecall.values import Origin

app = typer.Typer(rich_markup_mode=None)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The account.")]
InstanceOption = Annotated[
    str, typer.Option("--instance", metavar="ID", help="The instance of the account, by id or name.")
]
HostOption = Annotated[
    str, typer.Option("--host", help="MariaDB and MySQL: the host of the account. Default: any, `%`.")
]

Standing = Literal["managed", "foreign", "missing", "changed", "protected", "failed"]

_COLUMNS = ("instance", "name", "host", "kind", "standing", "locked", "remark", "created_at")


@app.command("list")
def list_accounts(
    instance: Annotated[
        str | None, typer.Option("--instance", metavar="ID", help="List the accounts of this instance only.")
    ] = None,
    standing: Annotated[
        Standing | None,
        typer.Option(
            metavar="STANDING",
            help="Only this standing: managed, foreign, missing, changed, protected or failed.",
        ),
    ] = None,
    limit: LimitOption = None,
    offset: OffsetOption = 0,
    contains: FilterOption = "",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List accounts. Standing: managed, foreign (created by SQL), missing (dropped), or changed (recreated)."""
    paging = Paging(limit, offset, contains, _COLUMNS)

    async def work(opened: OpenServers) -> None:
        if instance is not None:
            chosen = [await find_instance(opened, instance)]
        else:
            chosen = list(await opened.store.instances.instances())
        for registered in chosen:
            rows = await _accounts(opened, registered)
            wanted = (row for row in rows if standing in (None, row["standing"]))
            output.add(paging.of(wanted))
            if paging.ended:
                return

    with Output(as_json=as_json, columns=_COLUMNS, empty="no accounts yet") as output:
        with_servers(data, work)


@app.command("show")
def show_account(
    name: NameArgument,
    instance: InstanceOption,
    host: HostOption = "",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show an account with its grants on whole databases, its limits and its memberships."""
    from rolecall.domain.accounts.commands import ShowAccount

    async def work(opened: Application) -> Row:
        found = await find_instance(opened, instance)
        origin = origin_in_owners_name(await only_owner(opened), "account show")
        view = await opened.bus.execute(ShowAccount(instance_name(found), name, host), origin)
        grants = [
            {"database": grant.database, "access": grant.access.value, "privileges": list(grant.privileges)}
            for grant in view.grants
        ]
        facts = await _role_facts(opened, found, name, origin)
        return account_row(face_of(found), view) | {"grants": grants} | role_fields(facts)

    row = with_application(data, work)
    if as_json:
        show([row], as_json=True, columns=())
    else:
        show(fields_and_values(row), as_json=False, columns=("field", "value"))


def instance_name(instance: Instance) -> InstanceName:
    """The instance as commands of the domain name it."""
    dialect, public_id = next(iter(instance.faces.items()))
    return InstanceName(dialect, public_id)


async def _role_facts(opened: Application, instance: Instance, name: str, origin: Origin) -> RoleFacts | None:
    """None where accounts are no roles, and for an account that is not there."""
    from rolecall.domain.accounts.role_commands import ShowRoles

    try:
        (facts,) = await opened.bus.execute(ShowRoles(instance_name(instance), name), origin)
    except Refused as refusal:
        if refusal.reason not in (Reason.ENGINE_UNSUITED, Reason.ACCOUNT_MISSING):
            raise
        return None
    return facts


def role_fields(facts: RoleFacts | None) -> dict[str, object]:
    """What an account has as a role. None: no limit; no end, or no roles."""
    if facts is None:
        return {"connection_limit": None, "valid_until": None, "expired": False, "memberships": []}
    limit = facts.connection_limit
    return {
        "connection_limit": None if limit == NO_LIMIT else limit,
        "valid_until": facts.valid_until,
        "expired": facts.has_expired(datetime.now(UTC)),
        "memberships": [membership_fields(membership) for membership in facts.memberships],
    }


def membership_fields(membership: Membership) -> dict[str, object]:
    return {
        "role": membership.role,
        "inherit": membership.inherits,
        "set": membership.may_become,
        "admin": membership.administers,
    }


async def _accounts(opened: OpenServers, instance: Instance) -> Iterator[Row]:
    """The accounts of an instance, by name; a row that says why there are none if its server cannot be asked."""
    from rolecall.domain.accounts.listing import account_views

    operations = opened.store.operations
    try:
        connected = await opened.instances.resolver.connect_instance(instance)
        views = await account_views(operations, operations, connected)
        roles = connected.engine.roles
        found = {facts.name: facts for facts in await roles.role_facts()} if roles is not None else {}
    except Refused as refusal:
        return iter([{"instance": face_of(instance), "name": "?", "standing": refusal.reason.value}])
    views.sort(key=lambda view: (view.name, view.host))
    return (account_row(face_of(instance), view) | role_fields(found.get(view.name)) for view in views)


def account_row(face: str, view: AccountView) -> dict[str, object]:
    return {
        "instance": face,
        "oid": view.oid,
        "name": view.name,
        "host": view.host or None,
        "kind": view.kind.value,
        "standing": view.standing,
        "locked": view.locked,
        "managed_password": view.managed_password,
        "remark": view.remark,
        "created_at": view.created_at,
        "updated_at": view.updated_at,
        "password_updated_at": view.password_updated_at,
        "operation": view.operation,
    }
