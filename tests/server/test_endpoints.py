"""What a server tells those who run it, and the envelope that every answer has."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from uuid import UUID

import httpx
import psycopg
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.clients.petadata_cloud import Cloud
from tests.conftest import Rolecall, start_rolecall, store_admin
from tests.server.test_cross_dialect import Stack
from tests.waiting import until

SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")
Samples = dict[tuple[str, str], float]


def samples(running: Rolecall) -> Samples:
    """Every sample of /metrics: (name, labels as written) -> value."""
    answer = httpx.get(running.endpoint + "/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = [SAMPLE.fullmatch(line) for line in answer.text.splitlines() if not line.startswith("#")]
    assert all(found)
    return {(one[1], one[2] or ""): float(one[3]) for one in found if one}


def calls(action: str, code: str) -> tuple[str, str]:
    labels = f'action="{action}",code="{code}",dialect="tencent",service="postgres"'
    return ("rolecall_calls_total", labels)


def test_health_and_readiness(rolecall: Rolecall) -> None:
    for page, status in (("/healthz", "ok"), ("/readyz", "ready")):
        answer = httpx.get(rolecall.endpoint + page)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.json() == {"status": status}


def test_readiness_of_one_instance(rolecall: Rolecall) -> None:
    faces = [rolecall.instance_id]
    if "aliyun" in rolecall.ready:
        faces += [rolecall.ready["aliyun"]["instance_id"], rolecall.ready["openstack"]["instance_id"]]
    for face in faces:
        answer = httpx.get(rolecall.endpoint + "/readyz", params={"instance": face})
        assert (answer.status_code, answer.json()) == (200, {"status": "ready"})
    unknown = httpx.get(rolecall.endpoint + "/readyz", params={"instance": "postgres-00000000"})
    assert unknown.status_code == 404


def test_the_key_for_encrypted_passwords_is_public_and_only_public(rolecall: Rolecall) -> None:
    answer = httpx.get(rolecall.endpoint + "/.well-known/rolecall/password-key.pem")
    key = serialization.load_pem_public_key(answer.content)
    assert isinstance(key, rsa.RSAPublicKey)
    assert key.key_size >= 3072
    assert b"PRIVATE" not in answer.content


def test_calls_are_counted_by_dialect_service_action_and_code(rolecall: Rolecall) -> None:
    before = samples(rolecall)
    rolecall.call("DescribeZones")
    rolecall.call("DescribeZones", {"StorageType": "floppy"})
    rolecall.call("DescribeZones", secret_key="wrong")
    rolecall.call("NoSuchAction")
    after = samples(rolecall)

    def grown(key: tuple[str, str]) -> float:
        return after.get(key, 0.0) - before.get(key, 0.0)

    assert grown(calls("DescribeZones", "ok")) == 1
    assert grown(calls("DescribeZones", "InvalidParameterValue.InvalidParameterValueError")) == 1
    assert grown(calls("DescribeZones", "AuthFailure.SignatureFailure")) == 1
    unknown = 'action="unknown",code="InvalidAction",dialect="tencent",service="unknown"'
    assert grown(("rolecall_calls_total", unknown)) == 1
    labels = 'action="DescribeZones",dialect="tencent",service="postgres"'
    assert grown(("rolecall_call_seconds_count", labels)) == 3
    assert grown(("rolecall_call_seconds_sum", labels)) > 0


def test_lanes_and_engines_are_shown_by_instance(
    rolecall: Rolecall, until: Callable[[Callable[[], bool]], None]
) -> None:
    rolecall.ok("DescribeAccounts")
    until(lambda: samples(rolecall)["rolecall_lane_depth", 'instance="quickstart"'] == 0)
    assert samples(rolecall)["rolecall_engine_up", 'instance="quickstart"'] == 1


def test_an_engine_that_is_out_of_reach_is_shown_as_down(
    rolecall: Rolecall, register: Callable[..., str]
) -> None:
    instance = register("127.0.0.1", 1, "postgres", "x")
    for _ in range(4):
        params = {"DBInstanceId": instance, "UserName": "nobody_home", "Type": "normal"}
        assert (
            rolecall.call("CreateAccount", params)["Error"]["Code"] == "FailedOperation.DatabaseAccessError"
        )
    found = samples(rolecall)
    assert found["rolecall_engine_up", f'instance="{instance}"'] == 0
    assert found["rolecall_engine_up", 'instance="quickstart"'] == 1


@pytest.mark.parametrize(
    ("language", "message"),
    [
        ("zh-CN", "密钥不存在，请确认您的 SecretId 是否正确。"),
        ("ZH-cn", "密钥不存在，请确认您的 SecretId 是否正确。"),
        ("en-US", "The SecretId is not found, please ensure that your SecretId is correct."),
        ("fr-FR", "The SecretId is not found, please ensure that your SecretId is correct."),
        ("", "The SecretId is not found, please ensure that your SecretId is correct."),
    ],
)
def test_messages_are_in_the_language_that_was_asked_for(
    rolecall: Rolecall, language: str, message: str
) -> None:
    response = rolecall.call("DescribeRegions", secret_id="AKIDnobody", headers={"X-TC-Language": language})
    assert response["Error"] == {"Code": "AuthFailure.SecretIdNotFound", "Message": message}


def test_every_answer_has_a_request_id_of_its_own(rolecall: Rolecall) -> None:
    answers = [rolecall.call(action) for action in ("DescribeRegions", "DescribeAccounts", "Nothing") * 5]
    ids = [answer["RequestId"] for answer in answers]
    assert len(set(ids)) == len(ids)
    assert all(str(UUID(one)) == one and UUID(one).version == 4 for one in ids)


def test_a_request_id_leads_to_its_operation(rolecall: Rolecall, name: Callable[[], str]) -> None:
    user = name()
    answer = rolecall.ok("CreateAccount", UserName=user, Type="normal")
    listed = json.loads(rolecall.cli("operation", "list", "--json").stdout)
    (found,) = [one for one in listed if one["request_id"] == answer["RequestId"]]
    assert found["target"] == user


def test_without_its_store_a_server_lives_but_is_not_ready_and_a_crash_is_answered_in_dialect(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """What it logs of the crash holds none of the call's secrets, not even in its frames' variables.

    A call whose connection to the store is lost under way is no crash: it is refused, with one warning.
    """
    data = tmp_path_factory.mktemp("storeless") / "data"
    running = start_rolecall(data)
    try:
        dsn = store_admin(data)
        with psycopg.connect(dsn, autocommit=True) as store:
            store.execute("alter table rolecall.access_keys rename to elsewhere")
            params = {"UserName": "crashing", "Password": "Planted_password1"}
            error = running.call("CreateAccount", params)["Error"]
            assert error["Code"] == "InternalError"
            assert "access_keys" not in error["Message"]
            store.execute("alter table rolecall.elsewhere rename to access_keys")
        lost = answers_without_connections(running, dsn)
        postmaster = int((data / "store" / "cluster" / "postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGINT)
        until(lambda: httpx.get(running.endpoint + "/readyz", timeout=30).status_code == 503)
        assert httpx.get(running.endpoint + "/healthz").status_code == 200
        assert running.call("DescribeAccounts", {})["Error"]["Code"] == "InternalError"
        (log,) = data.parent.glob("ready-*.log")
        said = log.read_text()
        assert said.count("a call crashed") == 1
        assert said.count("the store is away") == lost + 1
        assert "UndefinedTable" in said
        for secret in ("Planted_password1", dsn.partition("password=")[2].split()[0]):
            assert secret not in said
    finally:
        assert running.stop() == 0


def answers_without_connections(running: Rolecall, dsn: str) -> int:
    """Calls of every dialect, reads and changes, each of which waits for the store until the store ends its sessions.

    Each must be refused in its dialect. How many there were.
    """
    cloud, stack = Cloud(running), Stack(running)

    def openstack(method: str, body: object = None) -> str:
        return str(next(iter(stack.send(method, "/users", body).json())))

    user, word = {"name": "lost", "password": "Planted_password1"}, "Planted_password1"
    normal = {"Type": "normal"}
    calls: list[tuple[Callable[[], str], str]] = [
        (lambda: running.code("DescribeAccounts"), "InternalError"),
        (lambda: running.code("CreateAccount", UserName="lost", Password=word, **normal), "InternalError"),
        (lambda: cloud.code("DescribeAccounts"), "InternalError"),
        (lambda: cloud.code("CreateAccount", AccountName="lost", AccountPassword=word), "InternalError"),
        (lambda: openstack("GET"), "instanceFault"),
        (lambda: openstack("POST", {"users": [user]}), "instanceFault"),
    ]
    with psycopg.connect(dsn, autocommit=True) as store, ThreadPoolExecutor(1) as caller:
        store.execute(STALL.format(""))
        for (table,) in store.execute(TABLES).fetchall():
            store.execute(f"create policy stall on rolecall.{table} using (rolecall.stall())")
            store.execute(f"alter table rolecall.{table} enable row level security")
        store.execute(STALL.format("perform pg_sleep(50);"))  # which waits for no lock of a table
        for call, code in calls:
            answer = caller.submit(call)
            while not wait([answer], timeout=0.05).done:
                store.execute(END_STALLED)
            assert answer.result() == code
        store.execute(STALL.format(""))
        store.execute(END_STALLED)
    cloud.server.close()
    until(lambda: httpx.get(running.endpoint + "/readyz", timeout=30).status_code == 200)
    return len(calls)


STALL = (
    "create or replace function rolecall.stall() returns boolean language plpgsql"
    " as 'begin {} return true; end'"
)
TABLES = "select tablename from pg_tables where schemaname = 'rolecall'"
END_STALLED = "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'"
