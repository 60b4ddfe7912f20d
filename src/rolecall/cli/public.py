"""`rolecall public`: what every account of a PostgreSQL server may do on a database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rolecall.cli.account import InstanceOption, instance_name
from rolecall.cli.account_changes import carry_out
from rolecall.cli.confirming import YesOption, confirm
from rolecall.cli.context import find_instance, only_owner, report, show, with_application
from rolecall.cli.errors import CommandError
from rolecall.cli.options import DataOption, FilterOption, JsonOption, LimitOption, OffsetOption
from rolecall.cli.printing import Paging
from rolecall.cli.records import origin_in_owners_name
from rolecall.domain.engine.roles import PUBLIC_PRIVILEGES
from rolecall.server_kinds import face_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rolecall.app.application import Application
    from rolecall.domain.engine.roles import PublicFacts

app = typer.Typer(rich_markup_mode=None)

DatabaseArgument = Annotated[str, typer.Argument(metavar="DATABASE", help="The database.")]
PrivilegeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--privilege",
        metavar="WORD",
        help="connect, temporary, or create (in the schema public). May be repeated. Default: all three.",
    ),
]

_COLUMNS = ("instance", "database", "privileges", "dependents")
_NAMED = 10
"""Accounts that a question names."""


@app.command("revoke")
def revoke(
    database: DatabaseArgument,
    instance: InstanceOption,
    privilege: PrivilegeOption = None,
    yes: YesOption = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Revoke from everyone what every account may do on a database. Open sessions stay."""
    words = _words(privilege)
    if not yes and "CONNECT" in words:
        _, (found,) = _list(data, "public list", instance, database)
        confirm(_question(found, instance), yes=yes)
    _change(data, instance, database, words, grant=False, as_json=as_json)


@app.command("grant")
def grant(
    database: DatabaseArgument,
    instance: InstanceOption,
    privilege: PrivilegeOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Grant it back to everyone."""
    if privilege is None:
        raise CommandError("--privilege says what to grant: connect, temporary or create")
    _change(data, instance, database, _words(privilege), grant=True, as_json=as_json)


@app.command("list")
def list_public(
    instance: InstanceOption,
    database: Annotated[str, typer.Option("--database", metavar="NAME", help="Only this database.")] = "",
    limit: LimitOption = None,
    offset: OffsetOption = 0,
    contains: FilterOption = "",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what every account may do on the databases of an instance. Dependents connect by nothing else."""
    face, found = _list(data, "public list", instance, database)
    rows = [
        {
            "instance": face,
            "database": facts.database,
            "privileges": list(facts.privileges) if as_json else ", ".join(facts.privileges).lower() or None,
            "dependents": list(facts.dependents) if as_json else len(facts.dependents),
        }
        for facts in found
    ]
    paging = Paging(limit, offset, contains, _COLUMNS)
    show(rows, as_json=as_json, columns=_COLUMNS, empty="no databases yet", paging=paging)


def _words(privileges: list[str] | None) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(word.upper() for word in privileges or PUBLIC_PRIVILEGES))
    for word in words:
        if word not in PUBLIC_PRIVILEGES:
            raise CommandError(f"`{word.lower()}` is not connect, temporary or create")
    return words


def _list(data: Path | None, action: str, instance: str, database: str) -> tuple[str, Sequence[PublicFacts]]:
    from rolecall.domain.accounts.role_commands import ListPublic

    async def work(opened: Application) -> tuple[str, Sequence[PublicFacts]]:
        found = await find_instance(opened, instance)
        origin = origin_in_owners_name(await only_owner(opened), action)
        command = ListPublic(instance_name(found), database or None)
        return face_of(found), await opened.bus.execute(command, origin)

    return with_application(data, work)


def _question(found: PublicFacts, instance: str) -> str:
    losing = found.dependents
    which = f"No account loses access to {found.database} on {instance}."
    if losing:
        more = f" and {len(losing) - _NAMED} more" if len(losing) > _NAMED else ""
        which = (
            f"{len(losing)} accounts can no longer connect to {found.database} on {instance}:"
            f" {', '.join(losing[:_NAMED])}{more}."
        )
    return f"{which} Revoke?"


def _change(
    data: Path | None, instance: str, database: str, words: tuple[str, ...], *, grant: bool, as_json: bool
) -> None:
    from rolecall.domain.accounts.role_commands import ChangePublic

    action, verb, way = ("grant", "granted", "to") if grant else ("revoke", "revoked", "from")
    face, _ = carry_out(
        data, f"public {action}", instance, lambda place: ChangePublic(place, database, words, grant)
    )
    row = {"instance": face, "database": database, "privileges": list(words), "done": verb}
    report(
        row, f"{', '.join(words).lower()} on {database} of {face} is {verb} {way} everyone", as_json=as_json
    )
