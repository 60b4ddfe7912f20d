"""`rolecall account`: the database accounts of the servers, compared with what Rolecall has recorded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from rolecall.cli.context import find_instance, with_servers
from rolecall.cli.errors import CommandError
from rolecall.cli.options import DataOption, JsonOption
from rolecall.cli.printing import Output, Row
from rolecall.cli.records import AuditedCommand, change_application
from rolecall.cli.registration import face_of
from rolecall.domain.reasons import Refused

if TYPE_CHECKING:
    from rolecall.app.application import Application
    from rolecall.cli.servers import OpenServers
    from rolecall.domain.accounts.views import AccountView
    from rolecall.domain.instances.registry import Instance

app = typer.Typer(rich_markup_mode=None)

_COLUMNS = ("instance", "name", "kind", "standing", "locked", "remark", "created_at")


@app.command("list")
def list_accounts(
    instance: Annotated[
        str | None, typer.Option("--instance", metavar="ID", help="List the accounts of this instance only.")
    ] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List accounts. Standing: managed, foreign (created by SQL), missing (dropped), or changed (recreated)."""

    async def work(opened: OpenServers) -> None:
        if instance is not None:
            output.add(await _accounts(opened, await find_instance(opened, instance)))
            return
        for registered in await opened.store.instances.instances():
            output.add(await _accounts(opened, registered))

    with Output(as_json=as_json, columns=_COLUMNS, empty="no accounts yet") as output:
        with_servers(data, work)


@app.command("password")
def managed_password(
    name: str,
    instance: Annotated[str, typer.Option("--instance", metavar="ID", help="The instance of the account.")],
    data: DataOption = None,
) -> None:
    """Print the password of an account. Rolecall must manage it (OpenCam, OpenAccountCAM)."""

    async def work(opened: Application) -> str:
        connected = await opened.instances.resolver.connect_instance(await find_instance(opened, instance))
        try:
            return (await opened.accounts.credentials.managed_password(connected, name)).reveal()
        except Refused:
            raise CommandError(f"the password of `{name}` is not managed by Rolecall") from None

    print(change_application(data, AuditedCommand("account password", name, {"instance": instance}), work))


async def _accounts(opened: OpenServers, instance: Instance) -> Iterator[Row]:
    """The accounts of an instance, by name; a row that says why there are none if its server cannot be asked."""
    from rolecall.domain.accounts.listing import account_views

    operations = opened.store.operations
    try:
        connected = await opened.instances.resolver.connect_instance(instance)
        views = await account_views(operations, operations, connected)
    except Refused as refusal:
        return iter([{"instance": face_of(instance), "name": "?", "standing": refusal.reason.value}])
    views.sort(key=lambda view: view.name)
    return (_row(face_of(instance), view) for view in views)


def _row(face: str, view: AccountView) -> Row:
    return {
        "instance": face,
        "oid": view.oid,
        "name": view.name,
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
