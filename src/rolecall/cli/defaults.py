"""`rolecall defaults`: privileges that PostgreSQL accounts get on objects that others create later."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from rolecall.cli.account import InstanceOption, NameArgument, instance_name
from rolecall.cli.account_changes import carry_out
from rolecall.cli.context import find_instance, only_owner, report, show, with_application
from rolecall.cli.errors import CommandError
from rolecall.cli.options import DataOption, FilterOption, JsonOption, LimitOption, OffsetOption
from rolecall.cli.printing import Paging, Row
from rolecall.cli.records import origin_in_owners_name
from rolecall.domain.engine import ObjectType
from rolecall.domain.engine.roles import DefaultPrivileges
from rolecall.server_kinds import face_of

if TYPE_CHECKING:
    from pathlib import Path

    from rolecall.app.application import Application

app = typer.Typer(rich_markup_mode=None)


class Objects(StrEnum):
    TABLES = "tables"
    SEQUENCES = "sequences"
    FUNCTIONS = "functions"
    TYPES = "types"
    SCHEMAS = "schemas"


_TYPES = {
    Objects.TABLES: ObjectType.TABLE,
    Objects.SEQUENCES: ObjectType.SEQUENCE,
    Objects.FUNCTIONS: ObjectType.FUNCTION,
    Objects.TYPES: ObjectType.TYPE,
    Objects.SCHEMAS: ObjectType.SCHEMA,
}
_WORDS = {type_: objects.value for objects, type_ in _TYPES.items()}

OwnerOption = Annotated[
    str, typer.Option("--owner", metavar="ROLE", help="The account or role that creates the objects.")
]
DatabaseOption = Annotated[str, typer.Option("--database", metavar="NAME", help="The database.")]
OnOption = Annotated[
    Objects, typer.Option("--on", help="Tables are also views; functions are also procedures.")
]
PrivilegeOption = Annotated[
    list[str],
    typer.Option("--privilege", metavar="WORD", help="SELECT, INSERT, USAGE, EXECUTE, ... May be repeated."),
]
SchemaOption = Annotated[
    str, typer.Option("--schema", metavar="NAME", help="Only objects in this schema. Default: in all.")
]

_COLUMNS = ("instance", "database", "schema", "owner", "on", "account", "privileges")


@app.command("grant")
def grant(
    name: NameArgument,
    owner: OwnerOption,
    database: DatabaseOption,
    on: OnOption,
    privilege: PrivilegeOption,
    instance: InstanceOption,
    schema: SchemaOption = "",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Grant an account privileges on the objects that an owner creates from now on."""
    wanted = _defaults(database, owner, name, on, privilege, schema)
    _change(data, "defaults grant", instance, wanted, grant=True, as_json=as_json)


@app.command("revoke")
def revoke(
    name: NameArgument,
    owner: OwnerOption,
    database: DatabaseOption,
    on: OnOption,
    privilege: PrivilegeOption,
    instance: InstanceOption,
    schema: SchemaOption = "",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Revoke them. What was granted on objects that exist stays."""
    wanted = _defaults(database, owner, name, on, privilege, schema)
    _change(data, "defaults revoke", instance, wanted, grant=False, as_json=as_json)


@app.command("list")
def list_defaults(
    instance: InstanceOption,
    database: Annotated[str, typer.Option("--database", metavar="NAME", help="Only this database.")] = "",
    limit: LimitOption = None,
    offset: OffsetOption = 0,
    contains: FilterOption = "",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the default privileges of the accounts of an instance."""
    from rolecall.domain.accounts.role_commands import ListDefaults

    async def work(opened: Application) -> list[Row]:
        found = await find_instance(opened, instance)
        origin = origin_in_owners_name(await only_owner(opened), "defaults list")
        command = ListDefaults(instance_name(found), database or None)
        return [_row(face_of(found), defaults) for defaults in await opened.bus.execute(command, origin)]

    paging = Paging(limit, offset, contains, _COLUMNS)
    found = with_application(data, work)
    show(found, as_json=as_json, columns=_COLUMNS, empty="no default privileges yet", paging=paging)


def _defaults(
    database: str, owner: str, account: str, on: Objects, privileges: list[str], schema: str
) -> DefaultPrivileges:
    if on is Objects.SCHEMAS and schema:
        raise CommandError("schemas are not in a schema; omit --schema")
    words = tuple(dict.fromkeys(privilege.upper() for privilege in privileges))
    return DefaultPrivileges(database, owner, account, _TYPES[on], words, schema)


def _change(
    data: Path | None, action: str, instance: str, wanted: DefaultPrivileges, *, grant: bool, as_json: bool
) -> None:
    from rolecall.domain.accounts.role_commands import ChangeDefaults

    face, _ = carry_out(data, action, instance, lambda place: ChangeDefaults(place, wanted, grant))
    row = _row(face, wanted) | {"done": "granted" if grant else "revoked"}
    verb, way = ("granted", "to") if grant else ("revoked", "from")
    text = (
        f"{', '.join(wanted.privileges)} on {_WORDS[wanted.type]} that {wanted.owner} creates in"
        f" {wanted.database} is {verb} {way} {wanted.account}"
    )
    report(row, text, as_json=as_json)


def _row(face: str, defaults: DefaultPrivileges) -> dict[str, object]:
    return {
        "instance": face,
        "database": defaults.database,
        "schema": defaults.schema or None,
        "owner": defaults.owner,
        "on": _WORDS[defaults.type],
        "account": defaults.account,
        "privileges": list(defaults.privileges),
    }
