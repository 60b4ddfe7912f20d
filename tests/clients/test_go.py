"""Clients written in Go: Tencent's SDK under each of its signatures, and gophercloud."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.clients.toolchains import TENCENT, lines, prepare, require

SOURCE = Path(__file__).with_name("go")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require("go")
    built = tmp_path_factory.mktemp("go") / "clients"
    prepare(["go", "mod", "download"], SOURCE, GOTOOLCHAIN="local")
    lines(["go", "build", "-mod=readonly", "-buildvcs=false", "-o", built, "."], SOURCE, GOTOOLCHAIN="local")
    return built


def test_tencents_sdk_creates_lists_and_deletes_an_account(
    rolecall: Any, program: Path, name: Callable[[str], str]
) -> None:
    key = rolecall.tencent["secret_id"], rolecall.tencent["secret_key"]
    where = rolecall.tencent["region"], rolecall.instance_id, name("go")
    assert lines([program, "tencent", rolecall.netloc, *key, *where], SOURCE) == TENCENT


def test_gophercloud_creates_lists_and_deletes_a_user(
    rolecall: Any, program: Path, name: Callable[[str], str]
) -> None:
    if "openstack" not in rolecall.ready:
        pytest.skip("no MariaDB on this system")
    keys = rolecall.ready["openstack"]
    login = [keys[key] for key in ("auth_url", "username", "password", "project_id", "instance_id")]
    steps = lines([program, "openstack", *login, name("go")], SOURCE)
    assert steps == ["created", "listed true", "deleted"]
