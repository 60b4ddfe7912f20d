"""`rolecall store`: the owner's user stores, and whether it has any."""

from __future__ import annotations

from typing import Annotated

import typer

from rolecall.assembly import House
from rolecall.cli.context import JsonOption, only_owner, show, with_house
from rolecall.cli.data import DataOption
from rolecall.cli.records import Deed, change_house
from rolecall.domain.directories.attributes import is_text
from rolecall.domain.directories.model import UserStore
from rolecall.domain.directories.stores import new_store
from rolecall.domain.reasons import Refused
from rolecall.settings import SettingsError

app = typer.Typer(help="User stores: directories of users.", no_args_is_help=True)

_COLUMNS = ("store", "name", "users", "applications", "default", "created_at")


@app.command("list")
def list_stores(data: DataOption = None, as_json: JsonOption = False) -> None:
    """List the user stores."""

    async def work(house: House) -> list[dict[str, object]]:
        owner = await only_owner(house)
        return [_row(store) for store in await house.store.directories.stores(owner.id)]

    show(with_house(data, work), as_json=as_json, columns=_COLUMNS)


@app.command("add")
def add(
    name: str,
    description: Annotated[str, typer.Option("--description", help="What it is for.")] = "",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a user store."""
    if not name or not is_text(name) or not is_text(description):
        raise SettingsError("a name is visible text of 1 to 512 characters")

    async def work(house: House) -> dict[str, object]:
        owner = await only_owner(house)
        directories = house.store.directories
        first = not await directories.stores(owner.id)
        try:
            made = await directories.add_store(new_store(owner.id, name, description, is_default=first), None)
        except Refused:
            raise SettingsError(f"there is a user store `{name}` already") from None
        return _row(made)

    made = change_house(data, Deed("store add", name), work)
    show([made], as_json=as_json, columns=_COLUMNS)


@app.command("activate")
def activate(data: DataOption = None) -> None:
    """Let the owner's user stores be used again."""
    _set_active(data, active=True)


@app.command("deactivate")
def deactivate(data: DataOption = None) -> None:
    """Refuse every call to the owner's user stores. Nothing in them is lost."""
    _set_active(data, active=False)


def _set_active(data: DataOption, *, active: bool) -> None:
    async def work(house: House) -> int:
        owner = await only_owner(house)
        await house.store.directories.activate(owner.id, active=active)
        return owner.number

    deed = Deed("store activate" if active else "store deactivate")
    print(f"the user stores of {change_house(data, deed, work)} are {'active' if active else 'not active'}")


def _row(store: UserStore) -> dict[str, object]:
    return {
        "store": store.id.hex,
        "name": store.name,
        "users": store.users,
        "applications": store.applications,
        "default": store.is_default,
        "created_at": store.created_at,
    }
