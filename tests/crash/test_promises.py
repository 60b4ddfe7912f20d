"""What was promised is kept: through a kill -9, through an outage of the server, and once only."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import psycopg
import pytest
from tests.clients.openstack_live import OTHER_PASSWORD, PASSWORD, Gate, LiveCloud, add_instance
from tests.waiting import until

CREATE = "account.create"
Cloud = Callable[[str], LiveCloud]


@pytest.fixture(scope="module")
def gate(rolecall: Any) -> Iterator[Gate]:
    """What stands before the crash bench's MariaDB."""
    engine = rolecall.ready["engines"]["mysql"]
    gate = Gate(engine["host"], engine["port"])
    gate.open()
    yield gate
    gate.shut()


@pytest.fixture(scope="module")
def instance(crash_bench: Any, gate: Gate) -> str:
    """The run's MariaDB in the crash bench's store."""
    engine = crash_bench.rolecall.ready["engines"]["mysql"]
    master_key = crash_bench.environment["ROLECALL_MASTER_KEY"]
    return add_instance(crash_bench.store, master_key, engine, port=gate.port)


@pytest.fixture
def cloud(crash_bench: Any, instance: str) -> Iterator[Cloud]:
    """Database v1.0 at an endpoint of the crash bench."""
    settings = {"username": crash_bench.secret_id, "api_key": crash_bench.secret_key, "instance_id": instance}
    tenant = owner_number(crash_bench.store)
    made: list[LiveCloud] = []

    def at(endpoint: str) -> LiveCloud:
        engine = crash_bench.rolecall.ready["engines"]["mysql"]
        made.append(LiveCloud(endpoint, {**settings, "tenant_id": tenant}, engine))
        return made[-1]

    yield at
    for one in made:
        one.http.close()


def owner_number(store: str) -> str:
    with psycopg.connect(store) as connection:
        ((number,),) = connection.execute("select number from rolecall.owners").fetchall()
    return str(number)


def users(*names: str, **more: object) -> dict[str, object]:
    return {"users": [{"name": one, "password": PASSWORD, **more} for one in names]}


@pytest.mark.parametrize("step", ["promised", "applied", "recorded"])
def test_a_crash_at_any_step_of_a_promise_ends_in_the_account(
    crash_bench: Any, cloud: Cloud, name: Callable[[str], str], step: str
) -> None:
    user, database = name("user"), name("db")
    with crash_bench.server() as endpoint:
        cloud(endpoint).accepted("POST", "/databases", {"databases": [{"name": database}]})
    with crash_bench.server(step) as endpoint:
        try:
            cloud(endpoint)("POST", "/users", users(user, database=database))
        except httpx.TransportError:
            assert step == "promised"
    with crash_bench.server() as endpoint:
        live = cloud(endpoint)
        assert live.shown(f"/users/{user}") == {"name": user, "host": "%", "databases": [{"name": database}]}
        assert live.sql("SELECT 1", user=user, password=PASSWORD, db=database) == [(1,)]
    assert crash_bench.operations(f"{user}@%") == [(CREATE, "recorded")]


def test_a_process_killed_right_after_the_202_has_promised_all_of_its_users(
    crash_bench: Any, cloud: Cloud, name: Callable[[str], str]
) -> None:
    made: list[str] = []

    def killed_before_all_were_made() -> bool:
        """A busy machine may be late with the kill; then with others."""
        names = [name("user") for _ in range(40)]
        made.extend(names)
        with crash_bench.server() as endpoint:
            live = cloud(endpoint)
            live.accepted("POST", "/users", users(*names))
            crash_bench.kill()
            crash_bench.process.wait(120)
        return [(CREATE, "accepted")] in [crash_bench.operations(f"{one}@%") for one in names]

    until(killed_before_all_were_made)
    with crash_bench.server() as endpoint:
        live = cloud(endpoint)
        assert all(live.logs_in(one, PASSWORD) for one in made)
    assert [crash_bench.operations(f"{one}@%") for one in made] == [[(CREATE, "recorded")]] * len(made)


def test_a_promise_outlives_both_the_server_and_the_process(
    crash_bench: Any, cloud: Cloud, gate: Gate, name: Callable[[str], str]
) -> None:
    user = name("user")
    gate.shut()
    try:
        with crash_bench.server() as endpoint:
            cloud(endpoint).accepted("POST", "/users", users(user))
            crash_bench.kill()
            crash_bench.process.wait(120)
        with crash_bench.server() as endpoint:
            assert cloud(endpoint).shown(f"/users/{user}")["name"] == user
        assert crash_bench.operations(f"{user}@%") == [(CREATE, "accepted")]
    finally:
        gate.open()
    with crash_bench.server() as endpoint:
        live = cloud(endpoint)
        assert live.logs_in(user, PASSWORD)
        live.accepted("PUT", f"/users/{user}", {"user": {"password": OTHER_PASSWORD}})
        live.accepted("DELETE", f"/users/{user}")
        assert live.accounts(user) == []
    assert crash_bench.operations(f"{user}@%")[0] == (CREATE, "recorded")


def test_no_plain_password_or_hash_of_a_promise_is_in_the_store(
    crash_bench: Any, cloud: Cloud, gate: Gate, name: Callable[[str], str]
) -> None:
    user = name("user")
    with crash_bench.server() as endpoint:
        gate.shut()
        try:
            cloud(endpoint).accepted("POST", "/users", users(user))
            query = "select o::text, encode(sealed, 'escape') from rolecall.operations o where target = %s"
            with psycopg.connect(crash_bench.store) as store:
                ((row, sealed),) = store.execute(query, (f"{user}@%",)).fetchall()
        finally:
            gate.open()
    assert sealed, "nothing was kept to make the account with"
    verifier = "*" + hashlib.sha1(hashlib.sha1(PASSWORD.encode()).digest()).hexdigest().upper()
    for secret in (PASSWORD, verifier, verifier.lower()):
        assert secret not in row + sealed


def break_promise(crash_bench: Any, live: LiveCloud, gate: Gate, user: str) -> None:
    """Accept a user whose making the server then refuses: it takes no hashes any more."""
    gate.shut()
    live.accepted("POST", "/users", users(user))
    live.sql("INSTALL SONAME 'simple_password_check'")
    try:
        gate.open()
        until(lambda: crash_bench.operations(f"{user}@%") == [(CREATE, "refused")])
    finally:
        live.sql("UNINSTALL SONAME 'simple_password_check'")


def test_a_promise_that_cannot_be_kept_is_shown(
    crash_bench: Any, cloud: Cloud, gate: Gate, name: Callable[[str], str]
) -> None:
    user = name("0")  # on the first page
    with crash_bench.server() as endpoint:
        live = cloud(endpoint)
        break_promise(crash_bench, live, gate, user)
        failed: dict[str, object] = {"name": user, "host": "%", "databases": [], "status": "ERROR"}
        failed["fault"] = {"message": "The user could not be created: verifiers-refused."}
        until(lambda: live("GET", f"/users/{user}").status_code == 200)  # the lane may refuse at first
        assert live.shown(f"/users/{user}") == failed
        assert failed in live.shown("/users")
        assert 'status="ERROR"' in live.xml("GET", f"/users/{user}").text
        until(lambda: "rolecall_failed_promises 1.0" in live.http.get(f"{endpoint}/metrics").text)
        # Made again, it is as any other; and so it is gone for good when it is deleted.
        live.accepted("POST", "/users", users(user))
        assert live.shown(f"/users/{user}") == {"name": user, "host": "%", "databases": []}
        live.accepted("DELETE", f"/users/{user}")
        assert live.fault("GET", f"/users/{user}")[0] == 404
        until(lambda: "rolecall_failed_promises 0.0" in live.http.get(f"{endpoint}/metrics").text)


def test_a_user_that_could_not_be_made_is_deleted_like_any_other(
    crash_bench: Any, cloud: Cloud, gate: Gate, name: Callable[[str], str]
) -> None:
    user = name("user")
    with crash_bench.server() as endpoint:
        live = cloud(endpoint)
        break_promise(crash_bench, live, gate, user)
        until(lambda: live("DELETE", f"/users/{user}").status_code == 202)
        assert live.fault("GET", f"/users/{user}")[0] == 404
        assert live.fault("DELETE", f"/users/{user}")[0] == 404
