"""`rolecall membership`: memberships of PostgreSQL accounts in roles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from rolecall.cli.account import InstanceOption, NameArgument, membership_fields
from rolecall.cli.account_changes import carry_out
from rolecall.cli.context import find_instance, report, with_servers
from rolecall.cli.options import DataOption, FilterOption, JsonOption, LimitOption, OffsetOption
from rolecall.cli.printing import Output, Paging, Row
from rolecall.domain.engine.capabilities import required
from rolecall.domain.reasons import Reason, Refused
from rolecall.server_kinds import face_of

if TYPE_CHECKING:
    from rolecall.cli.servers import OpenServers
    from rolecall.domain.engine.roles import RoleFacts

app = typer.Typer(rich_markup_mode=None)

RoleOption = Annotated[
    str,
    typer.Option(
        "--role", metavar="ROLE", help="Another account, or a role without login, that is a tenant's."
    ),
]

_COLUMNS = ("instance", "account", "role", "inherit", "set", "admin")


@app.command("grant")
def grant(
    name: NameArgument,
    role: RoleOption,
    instance: InstanceOption,
    inherit: Annotated[
        bool,
        typer.Option("--inherit/--no-inherit", help="Whether the account has the privileges of the role."),
    ] = True,
    set_role: Annotated[
        bool, typer.Option("--set", help="The account may also become the role, by SET ROLE.")
    ] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an account a member of a role. It cannot make others members."""
    from rolecall.domain.accounts.role_commands import GrantMembership

    face, _ = carry_out(
        data,
        "membership grant",
        instance,
        lambda place: GrantMembership(place, name, role, inherit, set_role),
    )
    row = {"instance": face, "account": name, "role": role, "done": "granted"}
    report(row, f"{name} on {face} is a member of {role}", as_json=as_json)


@app.command("revoke")
def revoke(
    name: NameArgument,
    role: RoleOption,
    instance: InstanceOption,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """End the membership of an account in a role. Open sessions lose it at once."""
    from rolecall.domain.accounts.role_commands import RevokeMembership

    face, _ = carry_out(
        data, "membership revoke", instance, lambda place: RevokeMembership(place, name, role)
    )
    row = {"instance": face, "account": name, "role": role, "done": "revoked"}
    report(row, f"{name} on {face} is no longer a member of {role}", as_json=as_json)


@app.command("list")
def list_memberships(
    instance: Annotated[
        str | None, typer.Option("--instance", metavar="ID", help="List those of this instance only.")
    ] = None,
    limit: LimitOption = None,
    offset: OffsetOption = 0,
    contains: FilterOption = "",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List memberships. Those that make accounts super accounts are not among them: these are a kind of account."""
    paging = Paging(limit, offset, contains, _COLUMNS)

    async def work(opened: OpenServers) -> None:
        if instance is not None:
            chosen = [await find_instance(opened, instance)]
        else:
            chosen = list(await opened.store.instances.instances())
        for registered in chosen:
            face = face_of(registered)
            try:
                connected = await opened.instances.resolver.connect_instance(registered)
                rows = _rows(face, await required(connected.engine.roles).role_facts())
            except Refused as refusal:
                if instance is not None:
                    raise
                if refusal.reason is Reason.ENGINE_UNSUITED:
                    continue
                rows = iter([{"instance": face, "account": "?", "role": refusal.reason.value}])
            output.add(paging.of(rows))
            if paging.ended:
                return

    with Output(as_json=as_json, columns=_COLUMNS, empty="no memberships yet") as output:
        with_servers(data, work)


def _rows(face: str, facts: Sequence[RoleFacts]) -> Iterator[Row]:
    for account in facts:
        for membership in account.memberships:
            yield {"instance": face, "account": account.name, **membership_fields(membership)}
