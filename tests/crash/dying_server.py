"""A Rolecall that kills or stops itself right after a given step of a change.

Arguments: a cue, a file to write its port to, and, if it is to start servers for callers, the directory to do so in.
The cue is ``never``; the name of a step, at which the process kills itself (SIGKILL); ``stop:STEP``, where it stops
itself (SIGSTOP) the first time; ``stop:STEP+LATER``, where it does, and kills itself at the later step; or
``lose:METHOD``: the first call of that method of an engine is carried out, its answer is lost, and the process stops
itself before the second try. Store and master key come from the environment, as for `rolecall serve`. With
PLANTED_FAULT it has a fault of the past (`plant`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import uvloop
from psycopg.sql import SQL

from rolecall.app.opening import open_application
from rolecall.cli.logs import set_up_logs
from rolecall.cli.running.callers_servers import CallersServers
from rolecall.domain.accounts import removal, repairs
from rolecall.domain.maintenance.recovery import Recovery
from rolecall.domain.operations.journal import Step
from rolecall.domain.operations.model import Change
from rolecall.domain.reasons import OutcomeUnknown
from rolecall.engines.base import Watched
from rolecall.engines.mysql import accounts as mysql_accounts
from rolecall.engines.postgresql import accounts as postgresql_accounts
from rolecall.server import AsgiApp, Server
from rolecall.settings import load_settings
from rolecall.sockets import bound_socket
from rolecall.store import recordings


def lose_the_answer(method: str) -> None:
    """The engine commits, and the connection is lost before its answer; the first time only."""
    change = getattr(Watched, method)
    lost: list[str] = []

    async def losing(*arguments: Any) -> Any:
        answer = await change(*arguments)
        if not lost:
            lost.append(method)
            raise OutcomeUnknown("lost in the commit")
        return answer

    setattr(Watched, method, losing)


def tell_of_cutting_off(step: Step) -> None:
    """Pass the step ``cut off`` once an account that is deleted has lost its login, and is not dropped yet."""
    places = ((postgresql_accounts.Accounts, "cut_off"), (mysql_accounts.Accounts, "_retire"))
    for accounts, method in places:
        cut_off: Any = getattr(accounts, method)

        async def passing(*arguments: Any, cut_off: Any = cut_off, **options: Any) -> Any:
            found = await cut_off(*arguments, **options)
            step("cut off")
            return found

        setattr(accounts, method, passing)


def plant(fault: str) -> None:
    """A fault of the past: a change is bound to a name again."""
    match fault:
        case "late_record_of_a_deletion":
            _record_over_any_row("record_deletion")
        case "late_record_of_a_creation":
            _record_over_any_row("record_effect")
        case "second_try_of_a_deletion":
            drop_by_name()
        case "deletion_that_recovery_repeats":
            drop_by_name()
            repairs._REPAIRS = {**repairs._REPAIRS, Change.ACCOUNT_DELETE: _delete_by_name}
        case _:
            raise ValueError(fault)


def _record_over_any_row(name: str) -> None:
    condition = r"\n where (\(a\.identity|a\.identity in).*?\nreturning 1"
    statement = recordings._SQL[name].as_string()
    changed, count = re.subn(condition, "\nreturning 1", statement, flags=re.DOTALL)
    assert count == 1
    recordings._SQL = {**recordings._SQL, name: SQL(changed)}


def drop_by_name() -> None:
    drop = Watched.drop_account

    async def dropping(self: Watched, name: str, operation: UUID, host: str = "", _: object = None) -> bool:
        return await drop(self, name, operation, host)

    Watched.drop_account = dropping  # type: ignore[method-assign, assignment]
    removal.require_identity = lambda *_: None


async def _delete_by_name(case: repairs.Case) -> None:
    name, host = case.operation.account
    await case.connected.engine.drop_account(name, case.operation.id, host)


async def _rest(_: Recovery) -> None:
    """Once it goes on, a process that was stopped resolves nothing of others' before it has carried out its own."""
    await asyncio.Event().wait()


async def main(cue: str, port_file: Path, provisioner: CallersServers | None) -> None:
    if fault := os.environ.get("PLANTED_FAULT"):
        plant(fault)
    how, _, where = cue.rpartition(":")
    if how == "lose":
        lose_the_answer(where)
        where = "unknown"
    where, _, later = where.partition("+")
    stops = [where] if how else []
    if stops:
        Recovery.run = _rest  # type: ignore[method-assign]

    def step(name: str) -> None:
        if name in {cue, later}:
            os.kill(os.getpid(), signal.SIGKILL)
        elif name in stops:
            stops.clear()
            os.kill(os.getpid(), signal.SIGSTOP)

    tell_of_cutting_off(step)
    settings = load_settings()
    set_up_logs(settings.log_level, "json")
    bound = bound_socket("127.0.0.1", 0)

    async def ready() -> None:
        draft = port_file.with_suffix(".draft")
        draft.write_text(str(bound.getsockname()[1]))
        draft.rename(port_file)

    opening = open_application(
        settings, settings.store_dsn(), settings.master_keys(), step=step, provisioner=provisioner
    )
    async with opening as application:
        await application.start()
        await Server(AsgiApp(application), bound).run_until_signal(ready)


if __name__ == "__main__":
    place = CallersServers(Path(sys.argv[3])) if len(sys.argv) > 3 else contextlib.nullcontext()
    with contextlib.suppress(KeyboardInterrupt), place as callers:
        uvloop.run(main(sys.argv[1], Path(sys.argv[2]), callers))
