"""`rolecall seed`: create what a file lists, and change what differs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rolecall.cli.context import with_operations
from rolecall.cli.options import DataOption, JsonOption
from rolecall.cli.printing import Output

if TYPE_CHECKING:
    from rolecall.app.application import Application
    from rolecall.cli.seeding.plan import Step

app = typer.Typer(rich_markup_mode=None)

_COLUMNS = ("todo", "kind", "name", "fields")

SecretsOption = Annotated[
    Path | None,
    typer.Option(
        "--secrets",
        metavar="FILE",
        help="Where to keep generated secrets. Default: FILE.secrets.json, beside FILE.",
    ),
]


@app.command("seed")
def seed(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A TOML file; docs/seed.md describes it.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be done, and change nothing.")
    ] = False,
    secrets: SecretsOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create what a file lists, and change what differs. Nothing is deleted; a repetition changes nothing."""
    from rolecall.cli.seeding import run
    from rolecall.cli.seeding.document import SeedFile

    found = SeedFile(file)

    def done(step: Step) -> None:
        fields = list(step.fields) if as_json else ", ".join(step.fields) or None
        row = {"todo": step.todo.value, "kind": step.kind, "name": step.name, "fields": fields}
        output.add([row])

    async def work(opened: Application) -> None:
        await run.seed(opened, found, secrets or run.secrets_path(file), done, dry_run=dry_run)

    with Output(as_json=as_json, columns=_COLUMNS, empty="the file lists nothing") as output:
        with_operations(data, work)
