"""`rolecall key`: the owner's access keys, and master keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rolecall.cli.context import only_owner, report, show, with_store
from rolecall.cli.errors import CommandError
from rolecall.cli.options import DataOption, FilterOption, JsonOption, LimitOption, OffsetOption
from rolecall.cli.printing import Paging
from rolecall.cli.records import AuditedCommand, change_application, change_store
from rolecall.domain.secrets.sealing import new_master_key

if TYPE_CHECKING:
    from rolecall.app.application import Application
    from rolecall.cli.opening import OpenStore

app = typer.Typer(rich_markup_mode=None)


@app.command("create")
def create(
    data: DataOption = None,
    as_json: JsonOption = False,
    owner: Annotated[
        bool, typer.Option("--owner", help="Create the store's owner first if there is none.")
    ] = False,
) -> None:
    """Create an access key for the owner. Its secret is shown once, now."""

    async def work(opened: Application) -> dict[str, object]:
        owners = await opened.store.keys.owners()
        holder = await opened.keys.create_owner() if owner and not owners else await only_owner(opened)
        key_id, secret = await opened.keys.create(holder)
        return {"secret_id": key_id, "secret_key": secret.reveal(), "uin": holder.number}

    row = change_application(data, AuditedCommand("key create"), work, lambda row: str(row["secret_id"]))
    show([row], as_json=as_json, columns=("secret_id", "secret_key", "uin"))


@app.command("list")
def list_keys(
    limit: LimitOption = None,
    offset: OffsetOption = 0,
    contains: FilterOption = "",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List access keys, without their secrets."""

    async def work(opened: OpenStore) -> list[dict[str, object]]:
        return [
            {
                "secret_id": key.id,
                "uin": key.principal,
                "owner_uin": key.owner.number,
                "active": key.active,
                "created_at": key.created_at,
            }
            for key in await opened.store.keys.keys()
        ]

    columns = ("secret_id", "uin", "owner_uin", "active", "created_at")
    paging = Paging(limit, offset, contains, columns)
    show(with_store(data, work), as_json=as_json, columns=columns, paging=paging)


@app.command("disable")
def disable(secret_id: str, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Disable an access key. Every replica refuses its next call."""
    _set_active(secret_id, data, active=False, as_json=as_json)


@app.command("enable")
def enable(secret_id: str, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Enable a disabled access key."""
    _set_active(secret_id, data, active=True, as_json=as_json)


def _set_active(secret_id: str, data: DataOption, *, active: bool, as_json: bool) -> None:
    async def work(opened: OpenStore) -> None:
        if not await opened.store.keys.set_key_active(secret_id, active=active):
            raise CommandError(f"there is no access key `{secret_id}`; `rolecall key list` shows them")

    change_store(data, AuditedCommand("key enable" if active else "key disable", secret_id), work)
    done = "enabled" if active else "disabled"
    report({"secret_id": secret_id, "done": done}, f"{secret_id} is {done}", as_json=as_json)


@app.command("reseal")
def reseal_all(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Reseal every secret of the store under the current master key. Put a new key above the old one first."""

    from rolecall.domain.maintenance.resealing import reseal

    async def work(opened: OpenStore) -> int:
        return await reseal(opened.store.sealed, opened.sealer)

    resealed = change_store(data, AuditedCommand("key reseal"), work)
    text = f"{resealed} values resealed; the older master keys can be removed now"
    report({"resealed": resealed}, text, as_json=as_json)


@app.command("master")
def master() -> None:
    """Print a new master key for ROLECALL_MASTER_KEY_FILE. To rotate, put it above the old key in that file."""
    print(new_master_key())
