"""`rolecall doctor` and `rolecall instance check`: check what must work, and name the fix for what does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from rolecall.cli.context import show
from rolecall.cli.options import DataOption, JsonOption

if TYPE_CHECKING:
    from rolecall.cli.examination import Finding

app = typer.Typer(rich_markup_mode=None)


@app.command("doctor")
def doctor(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Check the store, the master key, the clock, and every instance's server and permissions."""
    from rolecall.cli.examination import examine

    _report(examine(data), as_json=as_json)


@app.command("check")
def check(
    instance: Annotated[str, typer.Argument(metavar="ID", help="The instance, by id or name.")],
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check the server and the permissions of one instance. `rolecall doctor` checks all."""
    from rolecall.cli.examination import examine_instance

    _report(examine_instance(data, instance), as_json=as_json)


def _report(findings: Sequence[Finding], *, as_json: bool) -> None:
    """Print the findings. The exit status is 1 if a check is not ok."""
    rows = [
        {
            "check": finding.check,
            "ok": finding.ok,
            "detail": finding.detail,
            "fix": "" if finding.ok else finding.fix,
        }
        for finding in findings
    ]
    show(rows, as_json=as_json, columns=("check", "ok", "detail", "fix"))
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)
