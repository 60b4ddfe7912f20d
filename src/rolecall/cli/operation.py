"""`rolecall operation`: every change, who asked for it, and its outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rolecall.cli.context import show, with_store
from rolecall.cli.options import DataOption, FilterOption, JsonOption, OffsetOption
from rolecall.cli.printing import Paging
from rolecall.domain.operations.model import State
from rolecall.server_kinds import face_of

if TYPE_CHECKING:
    from rolecall.cli.opening import OpenStore

app = typer.Typer(rich_markup_mode=None)

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

_READ_AT_MOST = 10_000
"""Operations that a filter looks at."""


@app.command("list")
def list_operations(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many of the newest operations.")] = 50,
    state: Annotated[
        State | None, typer.Option(help="Only this state: accepted, recorded, refused, undone or superseded.")
    ] = None,
    offset: OffsetOption = 0,
    contains: FilterOption = "",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List operations, the newest first. A filter looks at the newest 10,000."""
    paging = Paging(limit, offset, contains, _COLUMNS)
    read = _READ_AT_MOST if contains else limit + offset

    async def work(opened: OpenStore) -> list[dict[str, object]]:
        faces = {instance.id: face_of(instance) for instance in await opened.store.instances.instances()}
        rows: list[dict[str, object]] = []
        for operation in await opened.store.operations.operations(limit=read, state=state):
            took = None if operation.closed_at is None else operation.closed_at - operation.accepted_at
            rows.append(
                {
                    "id": operation.id,
                    "accepted_at": operation.accepted_at,
                    "closed_at": operation.closed_at,
                    "milliseconds": None if took is None else round(took.total_seconds() * 1000, 1),
                    "change": operation.change.value,
                    "target": operation.target,
                    "state": operation.state.value,
                    "reason": operation.reason,
                    "note": operation.note,
                    "instance": faces.get(operation.instance_id or 0),
                    "principal": operation.principal,
                    "access_key_id": operation.access_key_id,
                    "dialect": operation.dialect,
                    "action": operation.action,
                    "request_id": operation.request_id,
                }
            )
        return rows

    show(with_store(data, work), as_json=as_json, columns=_COLUMNS, empty="no operations yet", paging=paging)
