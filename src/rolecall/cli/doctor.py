"""`rolecall doctor`: check everything that must work, and name the fix for what does not."""

from __future__ import annotations

import typer

from rolecall.cli.context import show
from rolecall.cli.options import DataOption, JsonOption

app = typer.Typer(rich_markup_mode=None)


@app.command("doctor")
def doctor(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Check the store, the master key, the clock, and every instance's server and permissions."""
    from rolecall.cli.examination import examine

    findings = examine(data)
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
