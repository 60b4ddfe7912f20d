"""`rolecall store`: the owner's user stores, and whether they are active."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rolecall.cli.application import find_store
from rolecall.cli.context import only_owner, report, show, with_store
from rolecall.cli.errors import CommandError
from rolecall.cli.options import DataOption, FilterOption, JsonOption, LimitOption, OffsetOption
from rolecall.cli.printing import Paging
from rolecall.cli.records import AuditedCommand, change_store
from rolecall.domain.directories.attributes import is_text
from rolecall.domain.directories.colours import is_colour
from rolecall.domain.directories.model import UserStore
from rolecall.domain.directories.stores import new_store
from rolecall.domain.reasons import Refused

if TYPE_CHECKING:
    from rolecall.cli.opening import OpenStore

app = typer.Typer(rich_markup_mode=None)

_COLUMNS = ("store", "name", "users", "applications", "default", "created_at")


@app.command("list")
def list_stores(
    limit: LimitOption = None,
    offset: OffsetOption = 0,
    contains: FilterOption = "",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the user stores."""

    async def work(opened: OpenStore) -> list[dict[str, object]]:
        owner = await only_owner(opened)
        return [_row(store) for store in await opened.store.directories.stores(owner.id)]

    paging = Paging(limit, offset, contains, _COLUMNS)
    show(with_store(data, work), as_json=as_json, columns=_COLUMNS, paging=paging)


@app.command("add")
def add(
    name: str,
    description: Annotated[str, typer.Option("--description", help="What the store is for.")] = "",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create a user store."""
    if not name or not is_text(name) or not is_text(description):
        raise CommandError("a name is visible text of 1 to 512 characters")

    async def work(opened: OpenStore) -> dict[str, object]:
        owner = await only_owner(opened)
        directories = opened.store.directories
        first = not await directories.stores(owner.id)
        try:
            created = await directories.add_store(
                new_store(owner.id, name, description, is_default=first), None
            )
        except Refused:
            raise CommandError(f"a user store `{name}` already exists") from None
        return _row(created)

    row = change_store(data, AuditedCommand("store add", name), work)
    show([row], as_json=as_json, columns=_COLUMNS)


@app.command("set")
def set_store(
    store: str,
    colour: Annotated[
        str,
        typer.Option(
            "--colour", metavar="#RRGGBB", help="The colour of its sign-in pages; `none` for the default."
        ),
    ],
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set the colour of a user store's sign-in pages."""
    wanted = None if colour == "none" else colour.lower()
    if wanted is not None and not is_colour(wanted):
        raise CommandError("a colour is written #rrggbb")

    async def work(opened: OpenStore) -> None:
        found = await find_store(opened, store)
        await opened.store.directories.set_colour(found.id, wanted)

    change_store(data, AuditedCommand("store set", store, {"colour": wanted}), work)
    text = f"the sign-in pages of {store} are {wanted or 'of the default colour'}"
    report({"store": store, "colour": wanted}, text, as_json=as_json)


@app.command("activate")
def activate(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Activate the owner's user stores."""
    _set_active(data, active=True, as_json=as_json)


@app.command("deactivate")
def deactivate(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Refuse every call to the owner's user stores. Their users are kept."""
    _set_active(data, active=False, as_json=as_json)


def _set_active(data: DataOption, *, active: bool, as_json: bool) -> None:
    async def work(opened: OpenStore) -> int:
        owner = await only_owner(opened)
        await opened.store.directories.activate(owner.id, active=active)
        return owner.number

    owner = change_store(data, AuditedCommand("store activate" if active else "store deactivate"), work)
    text = f"the user stores of {owner} are {'active' if active else 'not active'}"
    report({"owner_uin": owner, "active": active}, text, as_json=as_json)


def _row(store: UserStore) -> dict[str, object]:
    return {
        "store": store.id.hex,
        "name": store.name,
        "users": store.users,
        "applications": store.applications,
        "default": store.is_default,
        "colour": store.colour,
        "created_at": store.created_at,
    }
