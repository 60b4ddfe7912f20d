"""`rolecall key`: the owner's access keys, and the master key."""

from __future__ import annotations

from typing import Annotated

import typer

from rolecall.assembly import House
from rolecall.cli.context import JsonOption, only_owner, show, with_house
from rolecall.cli.data import DataOption
from rolecall.cli.records import Deed, change_house
from rolecall.domain.maintenance.resealing import reseal
from rolecall.domain.secrets.sealing import new_master_key
from rolecall.settings import SettingsError

app = typer.Typer(help="Access keys: what signs calls.", no_args_is_help=True)


@app.command("create")
def create(
    data: DataOption = None,
    as_json: JsonOption = False,
    owner: Annotated[
        bool, typer.Option("--owner", help="Make the store's owner first, if there is none.")
    ] = False,
) -> None:
    """Make an access key for the owner. Its secret is shown now and never again."""

    async def work(house: House) -> dict[str, object]:
        owners = await house.store.keys.owners()
        one = await house.keys.create_owner() if owner and not owners else await only_owner(house)
        key_id, secret = await house.keys.create(one)
        return {"secret_id": key_id, "secret_key": secret.reveal(), "uin": one.number}

    made = change_house(data, Deed("key create"), work, lambda made: str(made["secret_id"]))
    show([made], as_json=as_json, columns=("secret_id", "secret_key", "uin"))


@app.command("list")
def list_keys(data: DataOption = None, as_json: JsonOption = False) -> None:
    """List access keys, without their secrets."""

    async def work(house: House) -> list[dict[str, object]]:
        return [
            {
                "secret_id": key.id,
                "uin": key.principal,
                "owner_uin": key.owner.number,
                "active": key.active,
                "created_at": key.created_at,
            }
            for key in await house.store.keys.keys()
        ]

    show(
        with_house(data, work),
        as_json=as_json,
        columns=("secret_id", "uin", "owner_uin", "active", "created_at"),
    )


@app.command("disable")
def disable(secret_id: str, data: DataOption = None) -> None:
    """Disable an access key: it is refused at its next call, on every replica."""
    _set_active(secret_id, data, active=False)


@app.command("enable")
def enable(secret_id: str, data: DataOption = None) -> None:
    """Enable a disabled access key again."""
    _set_active(secret_id, data, active=True)


def _set_active(secret_id: str, data: DataOption, *, active: bool) -> None:
    async def work(house: House) -> None:
        if not await house.store.keys.set_key_active(secret_id, active=active):
            raise SettingsError(f"there is no access key `{secret_id}`; `rolecall key list` shows them")

    change_house(data, Deed("key enable" if active else "key disable", secret_id), work)
    print(f"{secret_id} is {'enabled' if active else 'disabled'}")


@app.command("reseal")
def reseal_all(data: DataOption = None) -> None:
    """Seal every secret of the store anew under the current master key, after a new one was put above the old."""

    async def work(house: House) -> int:
        return await reseal(house.store.sealed, house.sealer)

    resealed = change_house(data, Deed("key reseal"), work)
    print(f"{resealed} values resealed; the older master keys may be taken out now")


@app.command("master")
def master() -> None:
    """Print a fresh master key, for ROLECALL_MASTER_KEY_FILE. To rotate, put it above the old one in that file."""
    print(new_master_key())
