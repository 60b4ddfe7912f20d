"""`rolecall operation`: the audit trail: who asked for which change, and what became of it."""

from __future__ import annotations

from typing import Annotated

import typer

from rolecall.assembly import House
from rolecall.cli.context import JsonOption, show, with_house
from rolecall.cli.data import DataOption
from rolecall.cli.registration import face_of
from rolecall.domain.operations.model import State

app = typer.Typer(
    help="Operations: every change, who asked for it and what became of it.", no_args_is_help=True
)

_COLUMNS = (
    "accepted_at",
    "change",
    "target",
    "state",
    "reason",
    "instance",
    "principal",
    "milliseconds",
    "request_id",
)


@app.command("list")
def list_operations(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, the newest first.")] = 50,
    state: Annotated[
        State | None, typer.Option(help="Only: accepted, recorded, refused, undone or superseded.")
    ] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List operations, the newest first."""

    async def work(house: House) -> list[dict[str, object]]:
        faces = {one.id: face_of(one) for one in await house.store.instances.instances()}
        rows: list[dict[str, object]] = []
        for one in await house.store.operations.operations(limit=limit, state=state):
            took = None if one.closed_at is None else one.closed_at - one.accepted_at
            rows.append(
                {
                    "id": one.id,
                    "accepted_at": one.accepted_at,
                    "closed_at": one.closed_at,
                    "milliseconds": None if took is None else round(took.total_seconds() * 1000, 1),
                    "change": one.change.value,
                    "target": one.target,
                    "state": one.state.value,
                    "reason": one.reason,
                    "note": one.note,
                    "instance": faces.get(one.instance_id or 0),
                    "principal": one.principal,
                    "access_key_id": one.access_key_id,
                    "dialect": one.dialect,
                    "action": one.action,
                    "request_id": one.request_id,
                }
            )
        return rows

    show(with_house(data, work), as_json=as_json, columns=_COLUMNS, empty="no operations yet")
