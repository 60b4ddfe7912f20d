"""`rolecall account create`, `delete`, `lock`, `unlock` and `password`: changes by the owner, as the APIs make them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from rolecall.cli.account import HostOption, InstanceOption, NameArgument, account_row, instance_name
from rolecall.cli.confirming import YesOption, confirm
from rolecall.cli.context import find_instance, only_owner, report, show, with_operations
from rolecall.cli.errors import CommandError
from rolecall.cli.options import DataOption, JsonOption
from rolecall.cli.passwords import GenerateOption, PasswordFileOption, chosen_password
from rolecall.cli.records import AuditedCommand, change_application, origin_in_owners_name
from rolecall.domain.engine import Access, AccountKind, DatabaseGrant
from rolecall.domain.messages import Command, InstanceName
from rolecall.domain.reasons import Refused
from rolecall.server_kinds import face_of

if TYPE_CHECKING:
    from pathlib import Path

    from rolecall.app.application import Application
    from rolecall.values import Secret

_T = TypeVar("_T")

app = typer.Typer(rich_markup_mode=None)

_GRANTABLE = {access.value: access for access in (Access.READ_ONLY, Access.READ_WRITE, Access.DDL_ONLY)}


@app.command("create")
def create(
    name: NameArgument,
    instance: InstanceOption,
    kind: Annotated[
        AccountKind, typer.Option(help="super: may use the objects of every tenant, but is not a superuser.")
    ] = AccountKind.NORMAL,
    remark: Annotated[str, typer.Option(help="What the account is for.")] = "",
    host: HostOption = "",
    grant: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DATABASE=ACCESS",
            help="MariaDB and MySQL: read-only, read-write or ddl-only on a database. May be repeated.",
        ),
    ] = None,
    managed: Annotated[
        bool, typer.Option("--managed", help="Let Rolecall make, keep and replace the password.")
    ] = False,
    password_file: PasswordFileOption = None,
    generate: GenerateOption = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create an account. A generated password is shown once, now."""
    from rolecall.domain.accounts.commands import CreateAccount

    if managed and (generate or password_file is not None):
        raise CommandError("--managed makes the password; omit --generate and --password-file")
    grants = tuple(map(_grant, grant or ()))
    password = None if managed else chosen_password(password_file, generate=generate)
    face, view = carry_out(
        data,
        "account create",
        instance,
        lambda place: CreateAccount(place, name, kind, password, remark, managed, host, grants),
    )
    row = account_row(face, view) | _shown(password, generate=generate)
    if as_json:
        show([row], as_json=True, columns=())
        return
    print(f"{name} on {face} is created")
    if generate and password is not None:
        print(password.reveal())


@app.command("delete")
def delete(
    name: NameArgument,
    instance: InstanceOption,
    host: HostOption = "",
    if_exists: Annotated[
        bool, typer.Option("--if-exists", help="Succeed if there is no such account.")
    ] = False,
    yes: YesOption = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete an account and end its sessions. What it owns stays, as the vendors' APIs leave it."""
    from rolecall.domain.accounts.commands import DeleteAccount

    confirm(f"Delete the account {name} on {instance}?", yes=yes)
    face, _ = carry_out(
        data,
        "account delete",
        instance,
        lambda place: DeleteAccount(place, name, host, must_exist=not if_exists),
    )
    print_done(name, face, "deleted", as_json=as_json)


@app.command("lock")
def lock(
    name: NameArgument,
    instance: InstanceOption,
    host: HostOption = "",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Lock an account: no new sessions, and the open ones end."""
    from rolecall.domain.accounts.commands import LockAccount

    face, _ = carry_out(data, "account lock", instance, lambda place: LockAccount(place, name, host))
    print_done(name, face, "locked", as_json=as_json)


@app.command("unlock")
def unlock(
    name: NameArgument,
    instance: InstanceOption,
    host: HostOption = "",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Unlock an account."""
    from rolecall.domain.accounts.commands import UnlockAccount

    face, _ = carry_out(data, "account unlock", instance, lambda place: UnlockAccount(place, name, host))
    print_done(name, face, "unlocked", as_json=as_json)


@app.command("password")
def password(
    name: NameArgument,
    instance: InstanceOption,
    host: HostOption = "",
    set_it: Annotated[bool, typer.Option("--set", help="Set a password that is prompted for.")] = False,
    password_file: PasswordFileOption = None,
    generate: GenerateOption = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the password of an account that Rolecall manages, or set that of an account it does not manage."""
    if not (set_it or generate or password_file is not None):
        _print_managed(name, instance, data, as_json=as_json)
        return
    from rolecall.domain.accounts.commands import ResetPassword

    new = chosen_password(password_file, generate=generate)
    face, _ = carry_out(
        data, "account password set", instance, lambda place: ResetPassword(place, name, new, host)
    )
    if as_json:
        shown = _shown(new, generate=generate)
        show([{"instance": face, "name": name, "done": "password set"} | shown], as_json=True, columns=())
        return
    print(new.reveal() if generate else f"the password of {name} on {face} is set")


def _print_managed(name: str, instance: str, data: Path | None, *, as_json: bool) -> None:
    """OpenCam and OpenAccountCAM let Rolecall manage a password."""

    async def work(opened: Application) -> str:
        connected = await opened.instances.resolver.connect_instance(await find_instance(opened, instance))
        try:
            return (await opened.accounts.credentials.managed_password(connected, name)).reveal()
        except Refused:
            raise CommandError(
                f"the password of `{name}` is not managed by Rolecall; --set, --generate or --password-file sets it"
            ) from None

    found = change_application(data, AuditedCommand("account password", name, {"instance": instance}), work)
    report({"instance": instance, "name": name, "password": found}, found, as_json=as_json)


def carry_out(
    data: Path | None, action: str, instance: str, command: Callable[[InstanceName], Command[_T]]
) -> tuple[str, _T]:
    """Carry out a command on the instance as the owner; the instance's id, and the outcome.

    Raises `CommandError` and `Refused`.
    """

    async def work(opened: Application) -> tuple[str, _T]:
        found = await find_instance(opened, instance)
        origin = origin_in_owners_name(await only_owner(opened), action)
        return face_of(found), await opened.bus.execute(command(instance_name(found)), origin)

    return with_operations(data, work)


def _grant(text: str) -> DatabaseGrant:
    """``shop=read-only``."""
    database, _, access = text.rpartition("=")
    if not database or access not in _GRANTABLE:
        raise CommandError(f"`{text}` is not DATABASE=ACCESS, where ACCESS is {', '.join(_GRANTABLE)}")
    return DatabaseGrant(database, _GRANTABLE[access])


def _shown(password: Secret | None, *, generate: bool) -> dict[str, object]:
    """A password that was generated; one that the caller gave is not repeated."""
    return {"password": password.reveal() if generate and password is not None else None}


def print_done(name: str, face: str, done: str, *, as_json: bool) -> None:
    row = {"instance": face, "name": name, "done": done}
    report(row, f"{name} on {face} is {done}", as_json=as_json)
