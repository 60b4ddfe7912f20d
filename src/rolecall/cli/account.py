"""`rolecall account`: database accounts as the engines have them, beside what Rolecall remembers."""

from __future__ import annotations

from typing import Annotated

import typer

from rolecall.assembly import House
from rolecall.cli.context import JsonOption, find_instance, show, with_house
from rolecall.cli.data import DataOption
from rolecall.cli.records import Deed, change_house
from rolecall.cli.registration import face_of
from rolecall.domain.instances.registry import Instance
from rolecall.domain.reasons import Refused
from rolecall.settings import SettingsError

app = typer.Typer(help="Database accounts.", no_args_is_help=True)

_COLUMNS = ("instance", "name", "kind", "standing", "locked", "remark", "created_at")


@app.command("list")
def list_accounts(
    instance: Annotated[
        str | None, typer.Option("--instance", metavar="ID", help="Only this instance's.")
    ] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List accounts. Standing: managed, foreign (made by SQL), missing (gone from the engine), changed (made anew)."""

    async def work(house: House) -> list[dict[str, object]]:
        if instance is not None:
            return await _accounts(house, await find_instance(house, instance))
        everywhere: list[dict[str, object]] = []
        for one in await house.store.instances.instances():
            everywhere += await _accounts(house, one)
        return everywhere

    show(with_house(data, work), as_json=as_json, columns=_COLUMNS, empty="no accounts yet")


@app.command("password")
def managed_password(
    name: str,
    instance: Annotated[str, typer.Option("--instance", metavar="ID", help="Its instance.")],
    data: DataOption = None,
) -> None:
    """Print the current password of an account whose password Rolecall manages (OpenCam, OpenAccountCAM)."""

    async def work(house: House) -> str:
        attached = await house.reach.attach_instance(await find_instance(house, instance))
        try:
            return (await house.credentials.managed_password(attached, name)).reveal()
        except Refused:
            raise SettingsError(f"the password of `{name}` is not managed here") from None

    print(change_house(data, Deed("account password", name, {"instance": instance}), work))


async def _accounts(house: House, instance: Instance) -> list[dict[str, object]]:
    face = face_of(instance)
    try:
        views = await house.accounts.views(await house.reach.attach_instance(instance))
    except Refused as refusal:
        return [{"instance": face, "name": "?", "standing": refusal.reason.value}]
    return [
        {
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
        for view in sorted(views, key=lambda view: view.name)
    ]
