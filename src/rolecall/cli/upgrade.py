"""`rolecall upgrade`: migrate the store's schema to this release, or say what that would do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from rolecall import __version__
from rolecall.cli.context import show
from rolecall.cli.options import DataOption, JsonOption

if TYPE_CHECKING:
    from rolecall.store.schema import Standing

app = typer.Typer(rich_markup_mode=None)

OUTSTANDING = 3
"""The exit status of `--check` if there are migrations to run."""

_COLUMNS = ("release", "outstanding", "newer", "processes", "beside_earlier", "standing")


@app.command("upgrade")
def upgrade(
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Change nothing. Exit status 0: up to date; 3: migrations to run; 1: not possible now.",
        ),
    ] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Migrate the store's schema to this release. `serve` and `up` do so themselves when they start."""
    from rolecall.cli.opening import credentials, quiet_logs
    from rolecall.settings import load_settings
    from rolecall.store.schema import migrate, standing

    settings = load_settings()
    dsn, _ = credentials(data, settings)
    owner, deadlines = settings.migration_dsn(), settings.store_deadlines()

    async def work() -> Standing:
        found = await standing(dsn, deadlines)
        found.require_upgradable()
        if not check and found.outstanding:
            await migrate(owner or dsn, deadlines, None if owner is None else dsn)
        return found

    quiet_logs()
    found = asyncio.run(work())
    show([_row(found, check=check)], as_json=as_json, columns=_COLUMNS)
    if check and found.outstanding:
        raise typer.Exit(OUTSTANDING)


def _row(found: Standing, *, check: bool) -> dict[str, object]:
    """`beside_earlier`: whether processes of the earlier release may serve on meanwhile."""
    to_do = "to be migrated" if check else "migrated"
    return {
        "release": __version__,
        "outstanding": [migration.name for migration in found.outstanding],
        "newer": [migration.name for migration in found.newer],
        "processes": found.replicas,
        "beside_earlier": found.ends_service is None,
        "standing": to_do if found.outstanding else "up to date",
    }
