"""Clients written for Node.js: Tencent's SDK under each of its signatures, and openid-client."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.clients.toolchains import TENCENT, lines, prepare, require

SOURCE = Path(__file__).with_name("node")
PASSWORD = "Right-Horse-42"


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require("node", "npm")
    directory = tmp_path_factory.mktemp("node") / "clients"
    shutil.copytree(SOURCE, directory, ignore=shutil.ignore_patterns("node_modules"))
    prepare(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], directory)
    return directory


def test_tencents_sdk_creates_lists_and_deletes_an_account(
    rolecall: Any, programs: Path, name: Callable[[str], str]
) -> None:
    key = rolecall.tencent["secret_id"], rolecall.tencent["secret_key"]
    where = rolecall.tencent["region"], rolecall.instance_id, name("node")
    assert lines(["node", "tencent.mjs", rolecall.netloc, *key, *where], programs) == TENCENT


def test_openid_client_signs_a_user_in(
    rolecall: Any, programs: Path, name: Callable[[str], str], tmp_path: Path
) -> None:
    user, tencent = name("node"), rolecall.tencent
    users = tmp_path / "users.ndjson"
    users.write_text(json.dumps({"user_name": user, "password": PASSWORD}))
    rolecall.cli("user", "import", str(users), "--store", tencent["user_store_id"])
    command = ["node", "openid.mjs", tencent["oidc_issuer"], tencent["oidc_client_id"], user, PASSWORD]
    assert lines(command, programs) == [
        "granted true",
        f"userinfo true {user}",
        "refreshed true",
        "revoked invalid_grant",
    ]
