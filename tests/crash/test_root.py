"""Killed between any two steps, root is enabled and recorded after the next start, or as it was."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.clients.openstack_live import OTHER_PASSWORD, PASSWORD
from tests.crash.test_promises import Cloud, cloud, gate, instance

__all__ = ["cloud", "gate", "instance"]

ENABLE, DISABLE = "superuser.enable", "superuser.disable"
STEPS = ("accepted", "applied", "recorded")


@pytest.fixture
def live(crash_bench: Any, cloud: Cloud) -> Any:
    """Makes a call on a server that dies at a step, so that it is not answered."""

    def dying(step: str, method: str, body: object = None) -> None:
        with crash_bench.server(step) as endpoint:
            at = cloud(endpoint)
            with pytest.raises(httpx.TransportError):
                at(method, "/root", body)

    return dying


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("was_enabled", [False, True])
def test_a_crash_while_enabling_root_leaves_one_password_or_as_it_was(
    crash_bench: Any, cloud: Cloud, live: Any, step: str, was_enabled: bool
) -> None:
    with crash_bench.server() as endpoint:
        assert cloud(endpoint)("DELETE", "/root").status_code == 204
        if was_enabled:
            assert cloud(endpoint)("POST", "/root", {"password": OTHER_PASSWORD}).status_code == 200
    live(step, "POST", {"password": PASSWORD})
    changed = step != "accepted"
    with crash_bench.server() as endpoint:
        at = cloud(endpoint)
        assert at.shown("/root") is (changed or was_enabled)
        assert at.logs_in("root", PASSWORD) is changed
        assert at.logs_in("root", OTHER_PASSWORD) is (was_enabled and not changed)
        assert crash_bench.operations("root@%")[-1] == (ENABLE, "recorded" if changed else "undone")
        assert at("DELETE", "/root").status_code == 204


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_while_disabling_root_ends_in_root_gone(
    crash_bench: Any, cloud: Cloud, live: Any, step: str
) -> None:
    with crash_bench.server() as endpoint:
        assert cloud(endpoint)("POST", "/root", {"password": PASSWORD}).status_code == 200
    live(step, "DELETE")
    with crash_bench.server() as endpoint:
        at = cloud(endpoint)
        assert at.shown("/root") is False
        assert at.accounts("root") == []
    assert crash_bench.operations("root@%")[-1] == (DISABLE, "recorded")


@pytest.mark.parametrize("step", ["promised", "applied"])
def test_a_promise_of_a_database_to_come_outlives_a_crash(
    crash_bench: Any, cloud: Cloud, name: Any, step: str
) -> None:
    user, database = name("user"), name("db")
    with crash_bench.server(step) as endpoint:
        at = cloud(endpoint)
        one = {"name": user, "password": PASSWORD, "database": database}
        try:
            at("POST", "/users", {"users": [one]})
        except httpx.TransportError:
            assert step == "promised"
    with crash_bench.server() as endpoint:
        at = cloud(endpoint)
        at.accepted("PUT", f"/users/{user}/databases", {"databases": []})
        assert at.granted(user) == [f"`{database}`"]
        at.accepted("POST", "/databases", {"databases": [{"name": database}]})
        assert at.sql("SELECT 1", user=user, password=PASSWORD, db=database) == [(1,)]
