"""`rolecall fault`: faults on request, in calls of a server whose operator allows them (ROLECALL_FAULTS)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rolecall.cli.context import report, show, with_store
from rolecall.cli.errors import CommandError
from rolecall.cli.options import DataOption, FilterOption, JsonOption, LimitOption, OffsetOption
from rolecall.cli.printing import Paging
from rolecall.cli.records import AuditedCommand, change_store

if TYPE_CHECKING:
    from rolecall.cli.opening import OpenStore
    from rolecall.domain.maintenance.faults import NewFault

app = typer.Typer(rich_markup_mode=None)

_COLUMNS = ("id", "dialect", "service", "action", "code", "after", "remaining")


@app.command("add")
def add(
    service: Annotated[str, typer.Option(metavar="NAME", help="The service, such as postgres or cam.")],
    action: Annotated[str, typer.Option(metavar="NAME", help="The action, such as CreateAccount.")],
    code: Annotated[str, typer.Option(metavar="CODE", help="An error code that the action can answer.")],
    count: Annotated[int, typer.Option(min=1, max=1_000_000, metavar="N", help="Calls to refuse.")] = 1,
    after: Annotated[
        bool, typer.Option("--after", help="Carry each call out, then replace its answer by the error.")
    ] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Refuse the next calls of an action with an error code of its contract."""
    new = _fault(service, action, code, after=after, count=count)

    async def work(opened: OpenStore) -> int:
        return await opened.store.faults.add(new)

    detail = {"service": service, "action": action, "code": code, "after": after, "count": count}
    command = AuditedCommand("fault add", f"{service} {action}", detail)
    number = change_store(data, command, work)
    row = {"id": number, "dialect": new.dialect} | detail | {"remaining": count}
    show([row], as_json=as_json, columns=_COLUMNS)


@app.command("list")
def list_faults(
    limit: LimitOption = None,
    offset: OffsetOption = 0,
    contains: FilterOption = "",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List faults, and the calls that each will still refuse."""

    async def work(opened: OpenStore) -> list[dict[str, object]]:
        return [
            {column: getattr(fault, column) for column in _COLUMNS}
            for fault in await opened.store.faults.faults()
        ]

    paging = Paging(limit, offset, contains, _COLUMNS)
    show(with_store(data, work), as_json=as_json, columns=_COLUMNS, paging=paging)


@app.command("clear")
def clear(
    numbers: Annotated[
        list[int] | None, typer.Argument(metavar="[ID]...", help="Only these. Default: all.")
    ] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove a fault, or all."""

    async def work(opened: OpenStore) -> int:
        return await opened.store.faults.remove(numbers)

    command = AuditedCommand("fault clear", " ".join(map(str, numbers or [])))
    removed = change_store(data, command, work)
    if numbers and not removed:
        raise CommandError(f"there is no fault {numbers[0]}; `rolecall fault list` shows them")
    report({"removed": removed}, f"{removed} removed", as_json=as_json)


def _fault(service: str, action: str, code: str, *, after: bool, count: int) -> NewFault:
    """CommandError if no contract has the service, the action, or the code."""
    from rolecall.contracts.codes import reasons_by_code
    from rolecall.domain.maintenance.faults import NewFault
    from rolecall.services import COMMON_ROWS, SERVICES

    contracts = [served.contract for served in SERVICES if served.contract.service == service]
    if not contracts:
        names = ", ".join(sorted({served.contract.service for served in SERVICES}))
        raise CommandError(f"there is no service `{service}`; the services are {names}")
    contracts = [contract for contract in contracts if action in contract.actions]
    if not contracts:
        raise CommandError(f"{service} has no action `{action}`")
    contract = contracts[0]
    known = reasons_by_code(contract, action, COMMON_ROWS[contract.dialect])
    if code not in known:
        raise CommandError(f"{action} does not answer `{code}`; its codes are {', '.join(sorted(known))}")
    return NewFault(contract.dialect, service, action, code, *known[code], after=after, count=count)
