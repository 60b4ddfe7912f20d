"""Traces of a live server: a call of each dialect, as docs/observability.md says, and no secret in any of them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from tests.clients.petadata_cloud import PASSWORD as CLOUD_PASSWORD
from tests.clients.petadata_cloud import Cloud, word
from tests.collector import Collector, Received, collector
from tests.conftest import Rolecall
from tests.server.replica import replica
from tests.server.test_cross_dialect import Stack
from tests.waiting import until

PAGE = Path(__file__).parents[2] / "docs" / "observability.md"
PASSWORD = "Pw_of_Traces_1"
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@dataclass(frozen=True)
class Declared:
    """A row of the page: a span's name, the spans that it may be below, and the attributes that it may have."""

    name: re.Pattern[str]
    above: frozenset[str]
    attributes: frozenset[str]


def declared() -> dict[str, Declared]:
    """By the name as it stands there; words in capitals stand for names of a closed list."""
    rows = re.findall(
        r"^\| `([^`]+)` \| ([^|]*) \| ([^|]*) \| [^|]* \|$", PAGE.read_text("utf-8"), re.MULTILINE
    )
    found = {}
    for name, above, attributes in rows:
        pattern = re.sub(r"\b[A-Z]{3,}\b", r"[\\w./ -]+", name)
        parts = (frozenset(re.findall("`([^`]+)`", text)) for text in (above, attributes))
        found[name] = Declared(re.compile(pattern), *parts)
    return found


@pytest.fixture(scope="module")
def collecting() -> Iterator[Collector]:
    with collector() as one:
        yield one


@pytest.fixture(scope="module")
def any_number(rolecall: Rolecall) -> Iterator[None]:
    """Accounts that other tests leave on the MariaDB server do not count against the quota of these."""
    quota = ("instance", "set", rolecall.ready["aliyun"]["instance_id"], "--account-quota")
    rolecall.cli(*quota, "0")
    yield
    rolecall.cli(*quota, "3")


@pytest.fixture(scope="module")
def traced(rolecall: Rolecall, collecting: Collector, any_number: None) -> Iterator[Rolecall]:
    with replica(rolecall, until, traces_endpoint=collecting.url) as running:
        base = str(rolecall.ready["openstack"]["auth_url"]).removesuffix("/v3")
        place = rolecall.ready["openstack"].items()
        stack = {key: value.replace(base, running.endpoint) for key, value in place}
        yield replace(running, ready=running.ready | {"openstack": stack})


def tree(collecting: Collector, span: Received) -> list[object]:
    """The names of a span and of those below it."""
    return [span.name, *(tree(collecting, child) for child in collecting.below(span))]


def sent(collecting: Collector, name: str) -> Received:
    """The latest span of that name, once it has come."""
    return until(lambda: [one for one in list(collecting.spans) if one.name == name])[-1]


def names(collecting: Collector, span: Received) -> list[str]:
    return [child.name for child in collecting.below(span)]


STAGES = ["parse", "verify", "admit", "check", "perform", "render"]


def test_a_call_of_tencent(traced: Rolecall, collecting: Collector, name: Callable[..., str]) -> None:
    asked = {"DBInstanceId": traced.instance_id, "UserName": name(), "Type": "normal", "Password": PASSWORD}
    answer = traced.call("CreateAccount", asked)
    root = until(lambda: collecting.of(answer["RequestId"]))[0]
    assert root.name == "postgres/CreateAccount"
    assert root.attributes["rolecall.dialect"] == "tencent"
    assert root.attributes["http.response.status_code"] == 200
    assert root.resource["service.name"] == "rolecall"
    assert not root.is_error
    assert names(collecting, root) == STAGES
    perform = names(collecting, collecting.below(root)[4])
    for expected in (
        "store operations.accept",
        "engine create_account",
        "hash",
        "store accounts.record_effect",
    ):
        assert expected in perform
    assert len(root.attributes["rolecall.operation_ids"]) == 1


def test_a_call_of_aliyun(traced: Rolecall, collecting: Collector) -> None:
    cloud, account = Cloud(traced), word()
    cloud.create(account)
    try:
        root = sent(collecting, "petadata/CreateAccount")
        assert names(collecting, root) == STAGES
        perform = collecting.below(root)[4]
        engine = next(one for one in collecting.below(perform) if one.name == "engine create_account")
        assert engine.attributes["db.system.name"] == "mysql"
        assert "lane" in names(collecting, engine)
        assert any(one.startswith("pd-") for one in engine.attributes["rolecall.instance_ids"])
    finally:
        cloud.ok("DeleteAccount", AccountName=account)
        cloud.server.close()


def test_a_call_of_openstack_and_the_work_that_it_begins(traced: Rolecall, collecting: Collector) -> None:
    stack, user = Stack(traced), word()
    stack.create(user, CLOUD_PASSWORD)
    try:
        root = sent(collecting, "database/CreateUsers")
        assert names(collecting, root) == STAGES
        assert root.attributes["http.response.status_code"] == 202
        (operation,) = root.attributes["rolecall.operation_ids"]
        work = until(
            lambda: [
                one
                for one in list(collecting.spans)
                if one.name == "carry out operation"
                and one.attributes["rolecall.operation_ids"] == [operation]
            ]
        )[0]
        assert work.links == [(root.trace, root.id)]
        assert "engine create_account" in names(collecting, work)
    finally:
        stack.ok("DELETE", f"/users/{user}")


def test_a_proven_callers_trace_goes_on_and_is_in_the_log(traced: Rolecall, collecting: Collector) -> None:
    asked = {"DBInstanceId": traced.instance_id}
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "vendor=1"}
    answer = traced.call("DescribeAccounts", asked, headers=headers)
    root = until(lambda: collecting.of(answer["RequestId"]))[0]
    assert (root.trace, root.parent, root.state) == (TRACE, SPAN, "vendor=1")
    lines = [
        json.loads(line) for line in traced.ready["log"].read_text().splitlines() if line.startswith("{")
    ]
    (line,) = [one for one in lines if one.get("request_id") == answer["RequestId"]]
    assert line["trace_id"] == TRACE


def test_a_strangers_parent_is_not_heeded_and_its_names_are_not_kept(
    traced: Rolecall, collecting: Collector
) -> None:
    headers = {"traceparent": f"00-{'a' * 32}-{SPAN}-01"}
    refused = traced.call("CreateAccount", {}, headers=headers, secret_id="AKIDofnobody")
    unknown = traced.call("ActionOfAStranger", {}, headers=headers)
    for answer, name in ((refused, "postgres/CreateAccount"), (unknown, "unknown/unknown")):
        root = until(lambda answer=answer: collecting.of(answer["RequestId"]))[0]
        assert (root.name, root.parent) == (name, "")
        assert root.trace != "a" * 32
        assert root.attributes["error.type"]
        assert "render" not in names(collecting, root)
    assert b"ActionOfAStranger" not in b"".join(collecting.bodies)
    assert b"AKIDofnobody" not in b"".join(collecting.bodies)


def test_what_no_dialect_recognizes_is_a_call_of_unknown_name(
    traced: Rolecall, collecting: Collector
) -> None:
    path = "/path-of-a-stranger"
    assert httpx.get(traced.endpoint + path).status_code == 404
    sent(collecting, "unknown/unknown")
    assert path.encode() not in b"".join(collecting.bodies)


def test_every_span_stands_in_the_documents_with_its_place_and_attributes(
    traced: Rolecall, collecting: Collector
) -> None:
    answer = traced.call("DescribeAccounts", {"DBInstanceId": traced.instance_id})
    until(lambda: collecting.of(answer["RequestId"]))
    rows = declared()

    def row(span: Received) -> str:
        return next(name for name, one in rows.items() if one.name.fullmatch(span.name))

    def whole() -> dict[tuple[str, str], Received]:
        """Spans once none is without the one above it, which ends, and is sent, after those below it."""
        found = {(span.trace, span.id): span for span in list(collecting.spans)}
        below = [span for span in found.values() if rows[row(span)].above]
        return found if all((span.trace, span.parent) in found for span in below) else {}

    by_id = until(whole)
    for span in by_id.values():
        mine = rows[row(span)]
        assert span.attributes.keys() <= mine.attributes, span.name
        assert span.ended >= span.started
        above = by_id.get((span.trace, span.parent))
        assert (row(above) in mine.above) if above is not None else not mine.above, span.name


def test_nothing_that_was_exported_holds_a_secret(
    traced: Rolecall, collecting: Collector, name: Callable[..., str]
) -> None:
    account, secret = name("seen"), "Sw_of_Nobody_77"
    asked = {"DBInstanceId": traced.instance_id, "UserName": account, "Type": "normal", "Password": secret}
    traced.call("CreateAccount", asked)
    traced.call("CreateAccount", asked)  # refused
    reset = {"DBInstanceId": traced.instance_id, "UserName": account, "Password": secret + "8"}
    answer = traced.call("ResetAccountPassword", reset)
    until(lambda: collecting.of(answer["RequestId"]))
    everything = b"".join(collecting.bodies)
    (stored,) = traced.sql("select rolpassword from pg_authid where rolname = %s", account)
    ready = traced.ready
    secrets = [
        secret, PASSWORD, CLOUD_PASSWORD, account, traced.tencent["secret_key"], traced.tencent["secret_id"],
        ready["openstack"]["password"], ready["engines"]["postgres"]["password"],
        ready["engines"]["mysql"]["password"], *str(stored[0]).split("$"), "SCRAM-SHA-256", "select ", "127.0.0.1:",
    ]  # fmt: skip
    for one in secrets:
        assert one.encode() not in everything, one
        assert base64.b64encode(one.encode()) not in everything, one


def test_metrics_count_the_spans(traced: Rolecall) -> None:
    text = httpx.get(traced.endpoint + "/metrics").text
    assert re.search(r'rolecall_trace_spans_total\{outcome="exported"\} [1-9]', text)
    assert 'rolecall_trace_spans_total{outcome="dropped"} 0.0' in text
