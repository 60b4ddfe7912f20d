"""`rolecall sub-user`: the owner's sub-users, for an operator without an API client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from rolecall.cli.context import only_owner, report, show, with_application, with_store
from rolecall.cli.options import DataOption, FilterOption, JsonOption, LimitOption, OffsetOption
from rolecall.cli.printing import Paging
from rolecall.cli.records import origin_in_owners_name
from rolecall.domain.iam import commands
from rolecall.domain.messages import Command
from rolecall.domain.policy.requests import PolicyRequest

if TYPE_CHECKING:
    from rolecall.app.application import Application
    from rolecall.cli.opening import OpenStore

_T = TypeVar("_T")

app = typer.Typer(rich_markup_mode=None)


@app.command("list")
def list_sub_users(
    limit: LimitOption = None,
    offset: OffsetOption = 0,
    contains: FilterOption = "",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the owner's sub-users."""

    async def work(opened: OpenStore) -> list[dict[str, object]]:
        owner = await only_owner(opened)
        return [
            {
                "uin": user.number,
                "name": user.name,
                "console_login": user.console_login,
                "remark": user.remark,
                "last_login_at": user.last_login_at,
                "created_at": user.created_at,
            }
            for user in await opened.store.sub_users.all(owner.id)
        ]

    columns = ("uin", "name", "console_login", "remark", "last_login_at", "created_at")
    paging = Paging(limit, offset, contains, columns)
    show(with_store(data, work), as_json=as_json, columns=columns, empty="no sub-users yet", paging=paging)


@app.command("add")
def add(
    name: str,
    remark: Annotated[str, typer.Option("--remark", help="What the sub-user is for.")] = "",
    console_login: Annotated[
        bool, typer.Option("--console-login", help="Generate a password to sign in with.")
    ] = False,
    key: Annotated[bool, typer.Option("--key", help="Create an access key for it.")] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create a sub-user. Generated secrets are shown once, now."""
    command = commands.AddSubUser(
        name, remark, console_login=console_login, mint_key=key, must_reset_password=console_login
    )

    async def work(opened: Application) -> dict[str, object]:
        added = await _execute(opened, command, "sub-user add")
        return {
            "uin": added.user.number,
            "name": added.user.name,
            "password": None if added.password is None else added.password.reveal(),
            "secret_id": None if added.key is None else added.key.id,
            "secret_key": None if added.key is None else added.key.secret.reveal(),
        }

    columns = ("uin", "name", "password", "secret_id", "secret_key")
    show([with_application(data, work)], as_json=as_json, columns=columns)


@app.command("delete")
def delete(name: str, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Delete a sub-user with its keys. Every replica refuses their next call."""
    command = commands.DeleteSubUser(name, PolicyRequest("sub-user delete", ("*",), {}))

    async def work(opened: Application) -> None:
        await _execute(opened, command, "sub-user delete")

    with_application(data, work)
    report({"name": name, "done": "deleted"}, f"{name} is deleted", as_json=as_json)


async def _execute(opened: Application, command: Command[_T], action: str) -> _T:
    """Execute a command as the owner."""
    owner = await only_owner(opened)
    return await opened.bus.execute(command, origin_in_owners_name(owner, action))
