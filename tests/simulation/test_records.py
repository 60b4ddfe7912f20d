"""What was recorded of an account is what the server has, after changes of others took from it what it had."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from tests.simulation import estates, scenarios
from tests.simulation.checks import check
from tests.simulation.scenarios import Act, Run, call, prepared, told
from tests.simulation.schedules import once
from tests.simulation.world import GrantingServer, Hazards, OwningServer, Server

from rolecall.domain.engine.identity import Expected
from rolecall.domain.operations.model import Change, Intent


def played(make: Callable[[], Server], engine: str, play: Callable[[Run], Awaitable[None]]) -> None:
    """In a world where nothing goes wrong by itself, with one process. At the end recovery has run."""

    async def scenario() -> None:
        run = await prepared(make(), engine, Hazards())
        with told(run):
            await run.start(1)
            await play(run)
            await run.settle()
            await check(run.world, run.instance.id, run.server, run.history)

    once(scenario)


async def carried_out(run: Run, *acts: tuple[Act, str]) -> None:
    for act, name in acts:
        assert (await call(run, run.slots[0], 0, act, name)).kind == "ok"


_MEMBER: Sequence[tuple[Act, str]] = (
    (scenarios.create, "bob"), (scenarios.create, "ada"), (scenarios.join, "ada"),
)  # fmt: skip


def test_a_membership_goes_with_its_role() -> None:
    async def play(run: Run) -> None:
        await carried_out(run, *_MEMBER, (scenarios.delete, "bob"))

    played(OwningServer, "postgresql", play)


def test_a_membership_goes_with_its_role_whose_deletion_is_recorded_again_after_a_crash() -> None:
    """Found in `owning`, seed 11."""

    async def play(run: Run) -> None:
        await carried_out(run, *_MEMBER, (scenarios.delete, "bob"))
        run.world.store.crash(0)

    played(OwningServer, "postgresql", play)


def test_a_deletion_that_is_recorded_late_takes_no_membership_in_the_next_role_of_the_name() -> None:
    async def play(run: Run) -> None:
        await carried_out(run, *_MEMBER, (scenarios.delete, "bob"))
        run.world.store.crash(0)
        await carried_out(run, (scenarios.create, "bob"), (scenarios.join, "ada"))

    played(OwningServer, "postgresql", play)


async def database(run: Run) -> Expected:
    (found,) = await run.server.databases()
    return Expected(found.identity)


async def accepted_deletion(run: Run, expected: Expected) -> None:
    """Its process does not come to it, so recovery carries it out in the end."""
    run.history.info(run.history.invoke(1, "no database", ("", None)))
    intent = Intent(Change.DATABASE_DELETE, estates.DATABASE, run.origin("late"), expected=expected)
    await run.slots[0].replica.operations.accept(UUID(int=2**100), run.instance.id, intent)


_DATABASE: Sequence[tuple[Act, str]] = ((scenarios.create, "bob"), (estates.plain_database, "bob"))


def test_a_deletion_of_a_database_that_is_carried_out_late_takes_nothing_from_the_next() -> None:
    """Found in `superusers`, seed 10: its process ended after another one had deleted the same database."""

    async def play(run: Run) -> None:
        await carried_out(run, *_DATABASE)
        await accepted_deletion(run, await database(run))
        await carried_out(run, (estates.no_database, "bob"), (scenarios.grants, "bob"))
        await run.settle()
        (bob,) = await run.server.accounts()
        assert [grant.database for grant in bob.grants] == [estates.DATABASE]

    played(GrantingServer, "mysql", play)


def test_a_grant_before_a_database_was_deleted_and_after_that_was_accepted_is_no_difference() -> None:
    """Found in `superusers`, seed 24."""

    async def play(run: Run) -> None:
        await carried_out(run, *_DATABASE)
        await accepted_deletion(run, await database(run))
        await carried_out(run, (scenarios.grants, "bob"))

    played(GrantingServer, "mysql", play)


def test_a_second_deletion_of_a_database_takes_nothing_that_was_granted_after_the_first() -> None:
    """It is accepted when the database is gone, and was there when it was looked for."""

    async def play(run: Run) -> None:
        await carried_out(run, *_DATABASE)
        expected = await database(run)
        await carried_out(run, (estates.no_database, "bob"), (scenarios.grants, "bob"))
        await accepted_deletion(run, expected)

    played(GrantingServer, "mysql", play)
