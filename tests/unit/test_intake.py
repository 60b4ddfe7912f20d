"""What is taken before a caller is proven: bytes of bodies, requests of an address, documents, labels of metrics."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import pytest
from msgspec.structs import replace

from rolecall.contracts.aliyun.petadata import contract as petadata
from rolecall.dialects.aliyun import Aliyun
from rolecall.dialects.openstack import OpenStack
from rolecall.dialects.tencent import Tencent
from rolecall.domain import strict_json
from rolecall.domain.reasons import Reason, Refused
from rolecall.intake import SMALL, Body, Budget, ClientGone, Strangers
from rolecall.metrics import Metrics
from rolecall.pipeline import Pipeline
from rolecall.services import SERVICES
from rolecall.store.memory_audit import MemoryAudit
from rolecall.values import Call, Envelope, Language, Mark, Reply, Request, SentParams

# bodies


async def taken(budget: Budget, limit: int, *chunks: bytes, client: str = "") -> Body:
    left = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    left[-1]["more_body"] = False

    async def receive() -> Any:
        return left.pop(0)

    body = Body(budget, limit, client)
    await body.receive(receive)
    assert not left, "a body is read to its end"
    return body


async def test_a_body_is_kept_whole_with_its_digest() -> None:
    body = await taken(Budget(0), SMALL, b"a" * 10, b"b" * 10)
    assert (body.content, body.too_large, body.crowded) == (b"a" * 10 + b"b" * 10, False, False)
    assert body.sha256 == hashlib.sha256(body.content).hexdigest()


async def test_of_a_body_that_is_too_large_only_the_beginning_is_kept() -> None:
    budget = Budget(10 * SMALL)
    body = await taken(budget, 2 * SMALL, *[b"x" * SMALL] * 5)
    assert (len(body.content), body.too_large, body.sha256) == (SMALL, True, "")
    assert budget.take(10 * SMALL), "it holds nothing of the budget"


async def test_large_bodies_share_a_budget_and_small_ones_need_none() -> None:
    budget = Budget(2 * SMALL)
    first = await taken(budget, 8 * SMALL, b"x" * SMALL, b"x" * 2 * SMALL)
    assert not first.crowded
    second = await taken(budget, 8 * SMALL, b"x" * SMALL, b"x")
    assert (second.crowded, second.too_large, len(second.content)) == (True, False, SMALL)
    assert not (await taken(budget, SMALL, b"x" * SMALL)).crowded
    first.release()
    first.release()
    assert not (await taken(budget, 8 * SMALL, b"x" * 3 * SMALL)).crowded


async def test_one_address_takes_a_quarter_of_the_budget_at_most() -> None:
    """Otherwise seven requests of a stranger that never end shut out the large documents of everybody."""
    budget, large = Budget(8 * SMALL), b"x" * 2 * SMALL
    first = await taken(budget, 8 * SMALL, large, client="2001:db8::1")
    assert (await taken(budget, 8 * SMALL, large + large, client="2001:db8::2")).crowded
    assert not (await taken(budget, 8 * SMALL, large, client="192.0.2.1")).crowded
    first.release()
    assert not (await taken(budget, 8 * SMALL, large, client="2001:db8::3")).crowded
    assert not (await taken(budget, 8 * SMALL, large + large, client="127.0.0.1")).crowded


async def test_a_client_that_leaves_gives_its_share_back() -> None:
    budget = Budget(SMALL)
    body = Body(budget, 8 * SMALL)
    messages = [
        {"type": "http.request", "body": b"x" * 2 * SMALL, "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Any:
        return messages.pop(0)

    with pytest.raises(ClientGone):
        await body.receive(receive)
    body.release()
    assert budget.take(SMALL)


# addresses


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def refused(strangers: Strangers, client: str, key_id: str = "k") -> bool:
    try:
        strangers.admit(client, key_id)
    except Refused as refusal:
        return (refusal.reason, refusal.facts["limit"]) == (Reason.RATE_EXCEEDED, 60)
    return False


def test_an_address_may_prove_nobody_so_often_and_then_again() -> None:
    clock = Clock()
    strangers = Strangers(60, clock)
    for _ in range(60):
        assert not refused(strangers, "203.0.113.1")
        strangers.failed("203.0.113.1")
        clock.now += 0.001
    assert refused(strangers, "203.0.113.1")
    assert not refused(strangers, "203.0.113.2")
    clock.now += 1
    assert not refused(strangers, "203.0.113.1")
    strangers.failed("203.0.113.1")
    assert refused(strangers, "203.0.113.1")


def test_a_key_that_was_proven_from_an_address_stays_welcome_there() -> None:
    strangers = Strangers(60, Clock())
    strangers.proven("203.0.113.1", "mine")
    for _ in range(100):
        strangers.failed("203.0.113.1")
    assert not refused(strangers, "203.0.113.1", "mine")
    assert refused(strangers, "203.0.113.1", "another")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:203.0.113.1", "203.0.113.1", True),
    ],
)
def test_an_address_stands_for_its_network(one: str, other: str, same: bool) -> None:
    strangers = Strangers(60, Clock())
    for _ in range(60):
        strangers.failed(one)
    assert refused(strangers, other) is same


@pytest.mark.parametrize("client", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "", "unix"])
def test_loopback_and_what_is_no_address_are_not_counted(client: str) -> None:
    strangers = Strangers(60, Clock())
    for _ in range(100):
        strangers.failed(client)
    assert not refused(strangers, client)


def test_what_is_remembered_of_addresses_has_an_end() -> None:
    strangers = Strangers(60, Clock())
    for number in range(30_000):
        client = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        strangers.failed(client)
        strangers.proven(client, "k")
    assert len(strangers._spent) == len(strangers._known) == 10_000


# documents


def reason(body: bytes) -> tuple[Reason, str]:
    with pytest.raises(Refused) as caught:
        strict_json.inspect(strict_json.decode(body))
    return caught.value.reason, caught.value.field


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"a":' + b"[" * 33 + b"]" * 33 + b"}", (Reason.MALFORMED_REQUEST, "depth")),
        (b'{"a":' + b"[" * 9_000_000, (Reason.MALFORMED_REQUEST, "json")),
        (b'{"a":[' + b",".join([b"[" * 30 + b"]" * 30] * 160_000) + b"]}", (Reason.TOO_LARGE, "")),
        (b"[" + b"1," * 300_000 + b"1]", (Reason.TOO_LARGE, "")),
        (b"[" + b'""' * 600_000 + b"]", (Reason.TOO_LARGE, "")),
        (b'{"a":{"b":["x",{"c":"\\u0000"}]}}', (Reason.PARAMETER_CHARACTERS, "a.b.1.c")),
        (b'{"a":{"b":["x",{"\\u0000":1}]}}', (Reason.PARAMETER_CHARACTERS, "a.b.1")),
        (b'{"a":["\\udc00"]}', (Reason.MALFORMED_REQUEST, "json")),
        (b'{"a":[1e999]}', (Reason.PARAMETER_TYPE, "a.0")),
        (b'{"a":1,"\\u0061":2}', (Reason.MALFORMED_REQUEST, "duplicate")),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_document_is_bounded_before_it_is_decoded(body: bytes, expected: tuple[Reason, str]) -> None:
    assert reason(body) == expected


@pytest.mark.parametrize("text", ["[" * 200_000, '"[' * 100_000, "\\" * 100_000, '\\"{' * 100_000])
def test_what_stands_in_a_text_is_no_structure(text: str) -> None:
    assert strict_json.decode(json.dumps({"a": [text]}).encode()) == {"a": [text]}


def test_parameters_that_are_refused_when_they_are_read_are_refused_at_every_read() -> None:
    def read() -> dict[str, object]:
        raise Refused(Reason.MALFORMED_REQUEST)

    params = SentParams(read)
    assert (params.unreadable, params.known) == (False, {})
    for _ in range(2):
        with pytest.raises(Refused):
            params.read()
        assert (params.unreadable, params.known) == (True, {})


# before the proof


def head(*headers: tuple[str, str], body: bytes = b"") -> Request:
    return Request("POST", "/", "", headers, body, "203.0.113.1", False, 0.0)


def test_a_large_body_is_taken_only_where_the_head_has_what_needs_it() -> None:
    dialects = (Tencent([]), Aliyun([]), OpenStack([]))

    def largest(*headers: tuple[str, str]) -> int:
        return max(one.largest_body(head(*headers)) for one in dialects)

    plain = ("content-type", "application/json")
    assert largest(plain) == 0
    assert largest(plain, ("x-tc-action", "CreateAccount")) == 0
    assert largest(plain, ("authorization", "Bearer x")) == 0
    assert largest(plain, ("authorization", "TC3-HMAC-SHA256 x")) == 10 * 2**20
    for header in (("authorization", "ACS3-HMAC-SHA256 x"), ("x-auth-token", "t")):
        assert largest(plain, header) == 2**20
    assert largest(("content-type", "application/x-www-form-urlencoded")) == 2**20


# metrics


def codes(metrics: Metrics) -> set[str]:
    found = metrics.registry.collect()
    return {sample.labels["code"] for one in found for sample in one.samples if "code" in sample.labels}


def test_a_label_that_is_not_on_a_list_is_other() -> None:
    metrics = Metrics()
    metrics.expect("d", {"s": ["A"]}, ["C"])
    for labels in (
        ("d", "s", "A", ""),
        ("d", "s", "A", "C"),
        ("d", "unknown", "unknown", "C"),
        ("d", "s", "x", "C"),
        ("d", "s", "unknown", "C"),
        ("d", "x", "A", "x"),
        ("x", "s", "A", "C"),
    ):
        metrics.call(*labels, 0.0)
    found = {
        tuple(sample.labels[name] for name in ("dialect", "service", "action", "code"))
        for one in metrics.registry.collect()
        for sample in one.samples
        if sample.name == "rolecall_calls_total"
    }
    assert found == {
        ("d", "s", "A", "ok"),
        ("d", "s", "A", "C"),
        ("d", "unknown", "unknown", "C"),
        ("d", "s", "other", "C"),
        ("d", "other", "other", "other"),
        ("other", "other", "other", "other"),
    }


def test_a_code_with_a_parameters_name_is_kept_only_for_parameters_that_are_declared() -> None:
    """A stranger chose these names, and each was a series for good (A10)."""
    dialect = Aliyun([petadata.CONTRACT])
    metrics = Metrics()
    metrics.expect("aliyun", {}, dialect.codes())
    for name in ("AccountName", "Timestamp", *(f"x{number}" for number in range(50))):
        request = Request("GET", "/", f"Action=X&AccessKeyId=k&{name}=%00", (), b"", "", False, 0.0)
        envelope = dialect.open(request)
        with pytest.raises(Refused) as caught:
            dialect.parse(envelope)
        reply = dialect.refuse(envelope, caught.value, None)
        assert f"Invalid{name}".encode() in reply.body
        metrics.call("aliyun", "unknown", "unknown", reply.code, 0.0)
    assert codes(metrics) == {"InvalidAccountName", "InvalidTimestamp", "Invalid{field}"}


def test_every_code_of_every_contract_is_expected() -> None:
    def of(dialect: str) -> Iterable[str]:
        for service in SERVICES:
            if service.contract.dialect == dialect:
                yield from service.contract.codes()

    for dialect in (
        Tencent([one.contract for one in SERVICES if one.contract.dialect == "tencent"]),
        Aliyun([petadata.CONTRACT]),
        OpenStack([one.contract for one in SERVICES if one.contract.dialect == "openstack"]),
    ):
        assert set(of(dialect.name)) <= set(dialect.codes())
        assert len(dialect.codes()) < 3000


# large requests


class Whose:
    """A dialect that tells in which thread it reads; every look at what it is asked for ends in a refusal."""

    name = "d"

    def __init__(self) -> None:
        self.threads: list[int] = []
        self.largest = 0

    def mark(self, request: Request) -> Mark:
        return Mark.HEADER

    def largest_body(self, head: Request) -> int:
        return self.largest

    def codes(self) -> frozenset[str]:
        return frozenset()

    def open(self, request: Request) -> Envelope:
        return Envelope(request, "id", Language.ENGLISH)

    def parse(self, envelope: Envelope) -> Call:
        self.threads.append(threading.get_ident())
        raise Refused(Reason.MALFORMED_REQUEST)

    def refuse(self, envelope: Envelope, refusal: Refused, call: Call | None) -> Reply:
        return Reply(400, (), refusal.reason.encode())

    def render(self, call: Call, answer: object) -> Reply:
        raise AssertionError


def pipeline(dialect: Whose, readers: Executor) -> Pipeline:
    none: Any = None
    parts = (none, none, none, none, none, none)
    return Pipeline([dialect], {}, *parts, Metrics(), Strangers(60), MemoryAudit(), readers)


async def test_what_is_large_is_read_off_the_event_loop() -> None:
    dialect = Whose()
    with ThreadPoolExecutor(1) as readers:
        river = pipeline(dialect, readers)
        for size in (SMALL, SMALL + 1):
            assert (await river.answer(head(body=b"x" * size))).body == b"malformed-request"
    small, large = dialect.threads
    assert small == threading.get_ident() != large


async def test_a_body_that_was_not_kept_is_refused_as_what_it_is() -> None:
    dialect = Whose()
    with ThreadPoolExecutor(1) as readers:
        river = pipeline(dialect, readers)
        crowded = await river.answer(replace(head(), crowded=True))
    assert (crowded.body, dialect.threads) == (b"rate-exceeded", [])
    assert river.largest_body(head()) == SMALL


@pytest.mark.parametrize(
    ("length", "most"),
    [
        ("0", SMALL), (str(SMALL), SMALL), (str(SMALL + 1), 10**6), ("", 10**6), ("+1", 10**6), ("-1", 10**6),
        ("1" * 5000, 10**6), ("\xb2", 10**6), ("1 ", 10**6), ("0x1", 10**6),
    ],
)  # fmt: skip
def test_dialects_are_asked_for_the_largest_body_unless_a_small_one_is_announced(
    length: str, most: int
) -> None:
    dialect = Whose()
    dialect.largest = 10**6
    with ThreadPoolExecutor(1) as readers:
        assert pipeline(dialect, readers).largest_body(head(("content-length", length))) == most
