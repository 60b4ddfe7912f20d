"""The outbox: every record, in order, at least once, whatever receivers, processes and transactions do meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog
from tests.receiver import HALF, HUGE, RESET, SILENT, Receiver, receiving, require_in_order
from tests.waiting import reached

from rolecall import posting
from rolecall.app.outbox import WebhookFigures
from rolecall.domain.maintenance.resealing import SealedPlace, reseal
from rolecall.domain.operations.audit import Entry, Outcome, Wanted
from rolecall.domain.operations.audit_chain import Auditing
from rolecall.domain.secrets.sealing import Sealer, new_master_key, parse_master_keys
from rolecall.domain.webhooks.model import Answer, NameTaken, NotPosted, Pause, Standing, TooMany
from rolecall.domain.webhooks.outbox import Outbox, Rhythm
from rolecall.domain.webhooks.targets import add, origin_of, rotate
from rolecall.posting import HttpPoster
from rolecall.store import Store
from rolecall.values import Secret

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text("utf-8")

RHYTHM = Rhythm(round=0.02, poll=0.02, first_pause=0.01, longest_pause=0.02)
MASTER = new_master_key()
SEALER = Sealer(parse_master_keys(MASTER))


def _verify() -> Callable[..., str]:
    """What docs/webhooks.md tells receivers to do: independent of the code that signs."""
    names: dict[str, Any] = {}
    exec(re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[0], names)
    return names["verify"]  # type: ignore[no-any-return]


verify = _verify()


@dataclass
class Replica:
    """A process that serves, as far as webhooks go."""

    store: Store
    figures: WebhookFigures = field(default_factory=WebhookFigures)

    @property
    def auditing(self) -> Auditing:
        return Auditing(self.store.audit, SEALER, 0, Secret("the chain's key"))

    def outbox(
        self, seconds: float = 30.0, wrapped: Callable[[HttpPoster], Any] = lambda poster: poster
    ) -> Outbox:
        def poster() -> Any:
            return wrapped(HttpPoster(None, seconds))

        return Outbox(self.store.webhooks, self.store.audit, SEALER, poster, self.figures, RHYTHM)

    async def note(self, *targets: str) -> None:
        """Records, which are chained."""
        for target in targets:
            await self.store.audit.note(Entry("tests", "note", Outcome.DONE, target))
        await self.auditing.chain()

    async def add(self, receiver: Receiver, name: str = "siem", position: int = 0) -> Secret:
        url = Secret(receiver.url)
        return await add(self.store.webhooks, SEALER, name, url, origin_of(receiver.url), position, None)

    async def standing(self, name: str = "siem") -> Standing:
        return next(one for one in await self.store.webhooks.standings() if one.name == name)

    async def confirms(self, position: int, name: str = "siem") -> None:
        async def there() -> bool:
            return (await self.standing(name)).position == position

        await reached(there)


@pytest.fixture
async def make(dsn: Secret, serving: Secret) -> AsyncIterator[Callable[[], Awaitable[Replica]]]:
    async with contextlib.AsyncExitStack() as stack:

        async def made() -> Replica:
            store = Store(serving, migration=dsn, pool_size=4)
            stack.push_async_callback(store.close)
            await store.open()
            await store.join()
            return Replica(store)

        yield made


@pytest.fixture
async def replica(make: Callable[[], Awaitable[Replica]]) -> Replica:
    return await make()


@contextlib.asynccontextmanager
async def running(outbox: Outbox) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(outbox.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


def sql(dsn: Secret, statement: str) -> None:
    """As the owner of the tables."""
    with psycopg.connect(dsn.reveal(), options="-c search_path=rolecall", autocommit=True) as connection:
        connection.execute(statement.encode())


async def test_each_record_is_posted_once_in_order_and_verifies(replica: Replica) -> None:
    async with receiving() as receiver:
        secret = await replica.add(receiver)
        await replica.note("one", "two", "drei: ü")
        async with running(replica.outbox()):
            await replica.confirms(3)
            await replica.note("four")
            await replica.confirms(4)
    assert receiver.positions == [1, 2, 3, 4]
    rows = await replica.store.audit.recent(Wanted(), 10)
    for position, (request, row) in enumerate(zip(receiver.received, rows, strict=True), 1):
        event = request.event
        assert verify(request.headers, request.body, secret.reveal()) == event["id"]
        assert request.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
        assert event["data"] == {**row.fields(), "position": position}
        assert (event["specversion"], event["type"]) == ("1.0", "rolecall.audit.record.v1")
        assert (event["subject"], datetime.fromisoformat(event["time"])) == (row.target, row.at)
    assert len({request.event["id"] for request in receiver.received}) == 4
    with pytest.raises(ValueError, match="no signature"):
        verify(request.headers, request.body + b" ", secret.reveal())
    shown = set(re.findall(r'^    "(\w+)":', PAGE, re.MULTILINE))
    assert set(event["data"]) == shown
    assert set(re.findall(r'^  "(\w+)":', PAGE, re.MULTILINE)) == set(event)


@pytest.mark.parametrize(
    "answers",
    [
        [500, 204, 404, 503, 204, RESET, RESET, 200, RESET, 500],
        [SILENT, 204, SILENT],
        [(302, {"location": "http://127.0.0.1:1/elsewhere"}), (429, {"retry-after": "0"}), HUGE, HALF],
    ],
    ids=["statuses and resets", "silence", "redirects, huge and half answers"],
)
async def test_failures_of_a_receiver_change_neither_order_nor_completeness(
    replica: Replica, answers: Sequence[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "_DRAIN_SECONDS", 0.05)
    async with receiving(answers) as receiver:
        await replica.add(receiver)
        await replica.note(*(str(number) for number in range(1, 9)))
        async with running(replica.outbox(seconds=0.5 if SILENT in answers else 30.0)):
            await replica.confirms(8)
    require_in_order(receiver.received)
    assert receiver.confirmed == list(range(1, 9))
    repeated = [one.event["id"] for one in receiver.received]
    assert len(set(repeated)) == 8  # a repetition has the id of the first
    if HALF in answers:
        assert receiver.positions == [1, 1, 1, 1, *range(2, 9)]  # half an answer confirms
    standing = await replica.standing()
    assert (standing.failures, standing.last_error, standing.lag_records) == (0, "", 0)


async def test_a_failed_webhook_delays_no_other_and_its_error_is_shown(replica: Replica) -> None:
    async with receiving() as receiver, receiving([500] * 1000) as failing:
        await replica.add(failing, "failing")
        await replica.add(receiver)
        await replica.note("one", "two")
        async with running(replica.outbox()):
            await replica.confirms(2)
            standing = await replica.standing("failing")
            assert (standing.position, standing.lag_records) == (0, 2)
            assert standing.lag_seconds > 0
            await reached(lambda: len(failing.received) > 2)
        standing = await replica.standing("failing")
        assert standing.last_error == "the receiver answered 500"
        assert standing.failures >= 2
    read = {(name, labels): value for name, labels, value in replica.figures.read()}
    assert read["rolecall_webhook_posts_total", ("siem", "confirmed")] == 2
    assert read["rolecall_webhook_posts_total", ("failing", "failed")] >= 2
    assert read["rolecall_webhook_paused", ("failing",)] == 0


async def test_a_receiver_that_is_gone_pauses_its_webhook_until_it_is_resumed(replica: Replica) -> None:
    async with receiving([204, 410]) as receiver:
        await replica.add(receiver)
        await replica.note("one", "two")
        async with running(replica.outbox()):

            async def paused() -> bool:
                return (await replica.standing()).paused == "gone"

            await reached(paused)
            assert (await replica.standing()).position == 1
            await replica.store.webhooks.set_paused("siem", Pause.NONE)
            await replica.confirms(2)
    assert receiver.positions == [1, 2, 2]


async def test_operators_pause_replay_and_remove_while_it_runs(replica: Replica) -> None:
    webhooks = replica.store.webhooks
    async with receiving() as receiver:
        await replica.add(receiver)
        async with running(replica.outbox()):
            await replica.note("one", "two")
            await replica.confirms(2)
            assert await webhooks.set_paused("siem", Pause.OPERATOR)
            await replica.note("three")
            assert await webhooks.set_position("siem", 1)
            assert await webhooks.set_paused("siem", Pause.NONE)
            await replica.confirms(3)
            assert receiver.positions == [1, 2, 2, 3]
            assert await webhooks.remove("siem")
            await replica.note("four")
            async with receiving() as other:
                await replica.add(other, position=3)
                await replica.confirms(4)
                assert (other.positions, receiver.positions) == ([4], [1, 2, 2, 3])
    for change in (
        webhooks.remove("none"), webhooks.set_paused("none", Pause.NONE), webhooks.set_position("none", 1),
        webhooks.set_secret("none", b"", timedelta(0)),
    ):  # fmt: skip
        assert await change is False


async def test_a_record_that_commits_late_is_posted_though_its_id_is_smaller(
    replica: Replica, dsn: Secret
) -> None:
    async with receiving() as receiver:
        await replica.add(receiver)
        async with running(replica.outbox()):
            with psycopg.connect(dsn.reveal(), options="-c search_path=rolecall") as slow:
                slow.execute("insert into audit (dialect, action, outcome) values ('cli', 'slow', 'done')")
                await replica.note("quick")
                await replica.confirms(1)
            await replica.auditing.chain()
            await replica.confirms(2)
    quick, late = (request.event["data"] for request in receiver.received)
    assert (quick["target"], late["action"]) == ("quick", "slow")
    assert late["id"] < quick["id"]


async def test_records_that_were_pruned_before_they_were_confirmed_are_posted_as_a_gap(
    replica: Replica, dsn: Secret
) -> None:
    old = "insert into audit (at, dialect, action, outcome) select now() - interval '30 days', 'cli', 'old', 'done'"
    sql(dsn, f"{old} from generate_series(1, 3)")
    async with receiving() as receiver:
        await replica.add(receiver)
        await replica.note("new")
        assert await replica.store.audit.prune(datetime.now(UTC) - timedelta(days=10)) == 3
        sql(dsn, "delete from audit where target = 'new'")  # behind the chain's back
        await replica.auditing.chain()
        async with running(replica.outbox()):
            await replica.confirms(5)
    pruned, removed, last = (request.event for request in receiver.received)
    assert (pruned["type"], pruned["data"]) == ("rolecall.audit.gap.v1", {"first": 1, "last": 3})
    assert removed["data"] == {"first": 4, "last": 4}
    assert last["data"]["action"] == "audit prune"


class Breaking:
    """A poster that is cancelled with its process at one of its calls, before or after the request."""

    def __init__(self, poster: HttpPoster, at: int, *, after: bool) -> None:
        self._poster, self._left, self._after = poster, at, after
        self.reached = asyncio.Event()

    async def post(self, url: Secret, headers: Mapping[str, str], body: bytes) -> Answer:
        self._left -= 1
        if self._left == 0 and self._after:
            await self._poster.post(url, headers, body)
        if self._left == 0:
            self.reached.set()
            await asyncio.Event().wait()
        return await self._poster.post(url, headers, body)

    async def close(self) -> None:
        await self._poster.close()


@pytest.mark.parametrize("after", [False, True], ids=["before the request", "after the answer"])
async def test_what_a_process_that_ends_had_not_stored_another_posts_again(
    make: Callable[[], Awaitable[Replica]], replica: Replica, *, after: bool
) -> None:
    other = await make()
    async with receiving() as receiver:
        await replica.add(receiver)
        await replica.note("one", "two", "three")
        made: list[Breaking] = []

        def breaking(poster: HttpPoster) -> Breaking:
            made.append(Breaking(poster, 2, after=after))
            return made[0]

        async with running(replica.outbox(wrapped=breaking)) as first:
            await reached(lambda: made and made[0].reached.is_set())
            async with running(other.outbox()):
                first.cancel()
                await replica.confirms(3)
    require_in_order(receiver.received)
    assert receiver.positions == [1, *([2] if after else []), 2, 3]


@pytest.mark.parametrize("seed", range(3))
async def test_processes_may_begin_and_end_at_any_moment_beside_any_failures(
    make: Callable[[], Awaitable[Replica]], replica: Replica, seed: int
) -> None:
    draws = random.Random(seed)
    replicas = [replica, await make(), await make()]
    for one in replicas:
        await one.store._replica.leave()
    async with receiving(draws.choices([204, 500, RESET], [4, 1, 1], k=60)) as receiver:
        await replica.add(receiver)
        await replica.note(*(str(number) for number in range(12)))
        lives: dict[int, asyncio.Task[None]] = {}

        async def end(number: int) -> None:
            lives[number].cancel()
            await asyncio.wait([lives.pop(number)])
            await replicas[number].store._replica.leave()

        def came(number: int) -> bool:
            return not lives or len(receiver.received) >= number or 12 in receiver.confirmed

        while (await replica.standing()).position < 12:
            number = draws.randrange(3)
            if number in lives:
                await end(number)
            else:
                await replicas[number].store.join()
                lives[number] = asyncio.create_task(replicas[number].outbox().run())
            await reached(partial(came, len(receiver.received) + draws.randrange(3)))
            for _ in range(draws.randrange(20)):  # so that it ends at any step of what follows
                await asyncio.sleep(0)
        for number in list(lives):
            await end(number)
    require_in_order(receiver.received)
    assert receiver.confirmed == list(range(1, 13))


_VICTIM = """
import asyncio, sys
from tests.store.test_webhooks import RHYTHM, Replica
from rolecall.domain.secrets.sealing import Sealer, parse_master_keys
from rolecall.domain.webhooks.outbox import Outbox
from rolecall.posting import HttpPoster
from rolecall.store import Store
from rolecall.values import Secret

async def main():
    dsn, master = sys.stdin.readline().strip(), sys.stdin.readline().strip()
    store = Store(Secret(dsn), pool_size=2)
    await store.open()
    await store.join()
    sealer, replica = Sealer(parse_master_keys(master)), Replica(store)
    await Outbox(store.webhooks, store.audit, sealer, lambda: HttpPoster(None, 60), replica.figures, RHYTHM).run()

asyncio.run(main())
"""


async def test_a_process_that_is_killed_in_the_middle_is_replaced(replica: Replica, serving: Secret) -> None:
    async with receiving([204, SILENT]) as receiver:
        await replica.add(receiver)
        await replica.note("one", "two", "three")
        victim = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _VICTIM, stdin=subprocess.PIPE, cwd=Path(__file__).parents[2]
        )
        try:
            assert victim.stdin is not None
            victim.stdin.write(f"{serving.reveal()}\n{MASTER}\n".encode())
            victim.stdin.close()
            await reached(lambda: len(receiver.received) == 2 or victim.returncode is not None)
            async with running(replica.outbox()):
                await asyncio.sleep(0)
                assert receiver.positions == [1, 2]  # its process lives: no other one posts
                victim.kill()
                await victim.wait()
                await replica.confirms(3)
        finally:
            if victim.returncode is None:
                victim.kill()
            await victim.wait()
    assert receiver.positions == [1, 2, 2, 3]
    require_in_order(receiver.received)


async def test_a_process_that_was_considered_dead_repeats_at_most_and_stops(
    make: Callable[[], Awaitable[Replica]], replica: Replica, dsn: Secret
) -> None:
    """It waits for an answer while another one has confirmed that record and the next ones."""
    other = await make()
    async with receiving([204, SILENT]) as receiver:
        await replica.add(receiver)
        await replica.note("one", "two", "three")
        async with running(replica.outbox()):
            await reached(lambda: len(receiver.received) == 2)
            number = replica.store.replica
            lost = f"select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objid = {number}"
            sql(dsn, lost)
            async with running(other.outbox()):
                await replica.confirms(3)
                receiver.released.set()
                await reached(lambda: receiver.received[1].confirmed)
                await replica.note("four")
                await replica.confirms(4)
    require_in_order(receiver.received)
    assert receiver.positions == [1, 2, 2, 3, 4]


async def test_one_of_several_processes_posts_and_the_next_continues_once_it_ends(
    make: Callable[[], Awaitable[Replica]], replica: Replica
) -> None:
    other = await make()
    async with receiving() as receiver:
        await replica.add(receiver)
        await replica.note("one")
        async with running(other.outbox()):
            async with running(replica.outbox()):
                await replica.confirms(1)
                await replica.note("two", "three")
                await replica.confirms(3)
            await replica.note("four")
            await replica.confirms(4)
    assert receiver.positions == [1, 2, 3, 4]


async def test_nothing_is_asked_of_the_store_while_there_is_no_webhook(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = replica.outbox()
    await outbox.round()
    asked: list[str] = []
    pools = (replica.store._durable, replica.store._quick)
    for pool in pools:
        monkeypatch.setattr(pool, "connection", lambda: asked.append("asked"))
    for _ in range(3):
        await outbox.round()
    assert asked == []
    monkeypatch.undo()
    async with receiving() as receiver:
        await replica.add(receiver)
        await replica.note("one")
        async with running(outbox):
            await replica.confirms(1)


async def test_a_rotated_secret_signs_beside_the_one_before_it_for_a_while(
    replica: Replica, dsn: Secret
) -> None:
    webhooks = replica.store.webhooks
    async with receiving() as receiver:
        first = await replica.add(receiver)
        async with running(replica.outbox()):
            second = await rotate(webhooks, SEALER, "siem", timedelta(hours=1), None)
            assert second is not None
            await replica.note("one")
            await replica.confirms(1)
            sql(
                dsn,
                "update webhooks set previous_until = now() - interval '1 second', revision = revision + 1",
            )
            await replica.note("two")
            await replica.confirms(2)
        both, one = receiver.received
        for secret in (first, second):
            verify(both.headers, both.body, secret.reveal())
        verify(one.headers, one.body, second.reveal())
        with pytest.raises(ValueError, match="no signature"):
            verify(one.headers, one.body, first.reveal())
        await webhooks.forget_previous()
        assert (await replica.standing()).previous_until is None
        assert await rotate(webhooks, SEALER, "none", timedelta(0), None) is None


async def test_what_is_sealed_is_resealed_under_a_new_master_key(replica: Replica) -> None:
    async with receiving() as receiver:
        await replica.add(receiver)
        await rotate(replica.store.webhooks, SEALER, "siem", timedelta(hours=1), None)
    new = new_master_key()
    assert await reseal(replica.store.sealed, Sealer(parse_master_keys(f"{new}\n{MASTER}"))) == 3
    values = await replica.store.sealed.sealed_values(SealedPlace.WEBHOOK)
    assert {value.key[1] for value in values} == {"url", "secret", "previous"}
    assert all(Sealer(parse_master_keys(new)).is_current(value.sealed) for value in values)


async def test_secrets_and_paths_of_urls_are_nowhere(replica: Replica) -> None:
    async with receiving([500, 204]) as receiver:
        with structlog.testing.capture_logs() as logged:
            secret = await replica.add(receiver)
            await replica.note("one")
            async with running(replica.outbox()):
                await replica.confirms(1)
                await replica.store.webhooks.set_position("siem", 0)
            receiver.answers.append(RESET)
            async with running(replica.outbox()):
                await replica.confirms(1)
        seen = f"{logged} {await replica.standing()} {list(replica.figures.read())}"
        assert "siem" in seen
        for hidden in (secret.reveal(), secret.reveal().removeprefix("whsec_"), "credential", "never shown"):
            assert hidden not in seen


async def test_a_webhook_whose_secret_does_not_open_fails_and_says_so(replica: Replica, dsn: Secret) -> None:
    async with receiving() as receiver:
        await replica.add(receiver)
        sql(dsn, "update webhooks set sealed_secret = sealed_url")  # of another place
        async with running(replica.outbox()):

            async def failed() -> bool:
                return "does not open" in (await replica.standing()).last_error

            await reached(failed)
    assert receiver.received == []


async def test_names_are_taken_once_and_webhooks_are_few(replica: Replica) -> None:
    async with receiving() as receiver:
        for number in range(20):
            await replica.add(receiver, f"hook-{number}")
        with pytest.raises(NameTaken):
            await replica.add(receiver, "hook-1")
        with pytest.raises(TooMany):
            await replica.add(receiver, "hook-20")


async def test_a_post_says_what_was_wrong_and_no_more() -> None:
    async with receiving([(503, {"retry-after": "7"}), RESET]) as receiver:
        poster = HttpPoster(None, 30)
        url = Secret(receiver.url)
        assert await poster.post(url, {}, b"{}") == Answer(503, 7.0)
        with pytest.raises(NotPosted, match=r"^the connection failed: \w+$"):
            await poster.post(url, {}, b"{}")
        with pytest.raises(NotPosted, match=r"^no connection: "):
            await poster.post(Secret("http://127.0.0.1:1/credential"), {}, b"{}")
        await poster.close()
