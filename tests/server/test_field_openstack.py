"""Requests to the database API as public reports have them, on a live MariaDB."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.clients.openstack_live import PASSWORD, LiveCloud
from tests.clients.petadata_cloud import word
from tests.conftest import Rolecall


@pytest.fixture(scope="module")
def cloud(rolecall: Rolecall) -> Iterator[LiveCloud]:
    live = LiveCloud(rolecall.endpoint, rolecall.ready["openstack"], rolecall.ready["engines"]["mysql"])
    yield live
    live.http.close()


@pytest.mark.parametrize("dot", [".", "%2E", "%2e"])
@pytest.mark.parametrize("suffix", ["json", "xml"])
def test_a_deletion_reaches_no_database_whose_name_is_the_beginning(
    cloud: LiveCloud, dot: str, suffix: str
) -> None:
    """Trove bugs 1252327 and 1652889."""
    plain = word("d")
    both = [{"name": plain}, {"name": f"{plain}.{suffix}"}]
    cloud.accepted("POST", "/databases", {"databases": both})
    cloud.sql(f"create table `{plain}`.precious (i int)")
    cloud.accepted("DELETE", f"/databases/{plain}{dot}{suffix}")
    assert cloud.sql(f"show databases like '{plain}%'") == [(plain,)]
    assert cloud.sql(f"show tables in `{plain}`") == [("precious",)]
    cloud.accepted("DELETE", f"/databases/{plain}")


def test_a_change_reaches_no_user_whose_name_is_the_beginning(cloud: LiveCloud) -> None:
    plain = word("u")[:10]
    cloud.accepted("POST", "/users", {"users": [{"name": plain, "password": PASSWORD}]})
    assert cloud.shown(f"/users/{plain}")["name"] == plain
    for spelling in (f"{plain}.json", f"{plain}%2Exml", f"{plain}%252ejson"):
        taken = {"user": {"name": "taken", "password": f"{PASSWORD}x"}}
        assert cloud.fault("PUT", f"/users/{spelling}", taken)[0] == 404
        assert cloud.fault("DELETE", f"/users/{spelling}")[0] == 404
        assert cloud.fault("DELETE", f"/users/{spelling}/databases/d")[0] == 404
    assert cloud.logs_in(plain, PASSWORD)
    cloud.accepted("DELETE", f"/users/{plain}")


def test_a_name_is_decoded_once(cloud: LiveCloud) -> None:
    stem = word("n")[:10]
    names = [f"{stem}%41", f"{stem}A"]
    cloud.accepted("POST", "/databases", {"databases": [{"name": each} for each in names]})
    cloud.accepted("DELETE", f"/databases/{stem}%2541")
    assert cloud.sql(f"show databases like '{stem}%'") == [(f"{stem}A",)]
    cloud.accepted("DELETE", f"/databases/{stem}A")
