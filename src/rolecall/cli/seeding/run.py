"""One run of a seed: the whole plan, then its steps."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from rolecall.app.application import Application
from rolecall.cli.context import only_owner
from rolecall.cli.seeding.directories import plan_applications, plan_stores, plan_users
from rolecall.cli.seeding.document import SeedFile
from rolecall.cli.seeding.identity import plan_groups, plan_policies, plan_roles, plan_sub_users, plan_tags
from rolecall.cli.seeding.plan import Context, Step, Todo, carry_out
from rolecall.cli.seeding.secrets import Passwords, SecretsFile
from rolecall.cli.seeding.servers import plan_accounts, plan_instances

_PLANNERS: Sequence[Callable[[Context], AsyncIterator[Step]]] = (
    plan_instances,
    plan_tags,
    plan_policies,
    plan_groups,
    plan_roles,
    plan_sub_users,
    plan_accounts,
    plan_stores,
    plan_users,
    plan_applications,
)


def secrets_path(seed: Path) -> Path:
    """Where generated secrets are kept unless an option says otherwise."""
    return seed.with_name(f"{seed.name}.secrets.json")


async def seed_at_start(opened: Application, path: Path) -> None:
    """Seed before the first call, and say on standard error what was done. Raises `CommandError`."""
    counts = dict.fromkeys(Todo, 0)

    def done(step: Step) -> None:
        counts[step.todo] += 1

    secrets = secrets_path(path)
    await seed(opened, SeedFile(path), secrets, done, dry_run=False)
    created, changed, same = counts.values()
    found = f"{created} created, {changed} changed, {same} unchanged"
    kept = f"; generated secrets are in {secrets}" if secrets.exists() else ""
    print(f"Rolecall: {path}: {found}{kept}", file=sys.stderr, flush=True)


async def seed(
    opened: Application, file: SeedFile, secrets: Path, done: Callable[[Step], None], *, dry_run: bool
) -> None:
    """Report each step: with `dry_run` once all are planned, else as each is carried out. Raises `CommandError`."""
    passwords = Passwords(file, SecretsFile(secrets))
    context = Context(opened, await only_owner(opened), file, passwords)
    steps = [step for planner in _PLANNERS async for step in planner(context)]
    if dry_run:
        for step in steps:
            done(step)
        return
    await carry_out(file, steps, done)
