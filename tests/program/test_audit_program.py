"""`rolecall audit`, and that every command that changes something leaves a record."""

from __future__ import annotations

import getpass
import json
import os
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.conftest import PATIENCE, PROGRAM, Rolecall, store_admin

from rolecall.cli.commands import COMMANDS

READS = {
    "account check", "account list", "account show", "application list", "audit list", "audit verify", "demo",
    "doctor", "env",
    "fault list", "instance check", "instance list", "instance show", "key list", "key master", "operation list",
    "policy explain", "policy list", "policy show", "serve", "store list", "sub-user list", "version", "webhook list",
    "defaults list", "membership list", "public list",
    "audit export",  # chains what is there
}  # fmt: skip
"""Commands that change nothing, or nothing but by calls."""

NOTED = {
    "account password", "application add", "application delete", "application rotate-key", "application set",
    "audit prune", "backup", "console", "fault add", "fault clear", "instance add", "instance remove", "instance set",
    "key create", "key disable",
    "key enable", "key reseal", "webhook add", "webhook pause", "webhook remove", "webhook replay", "webhook resume",
    "webhook rotate", "store activate", "store add", "store deactivate",
    "store set", "user export",
}  # fmt: skip
"""These leave a record before and one after."""

OPERATIONS = {
    "account adopt", "account reassert",
    "account create", "account delete", "account expire", "account limit", "account lock", "account unlock",
    "defaults grant", "defaults revoke", "membership grant", "membership revoke", "public grant", "public revoke",
    "sub-user add", "sub-user delete", "user import",
}  # fmt: skip
"""These leave the record of an operation."""

AT_START = {"up owner", "up key", "up instance", "up store", "up application"}
"""What `up` leaves of what it makes."""


def records(rolecall: Rolecall, *arguments: str) -> list[dict[str, Any]]:
    listed = rolecall.cli("audit", "list", "--limit", "100000", "--json", *arguments).stdout
    return list(json.loads(listed))


def test_of_every_command_it_is_known_whether_it_leaves_a_record() -> None:
    assert set(COMMANDS) == READS | NOTED | OPERATIONS | {"restore", "seed", "up", "upgrade"}


@pytest.fixture(scope="module")
def trail(rolecall: Rolecall, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """All that is there after each of them was run; what has no secret to show is told by `secrets`."""
    place = tmp_path_factory.mktemp("audit")
    user, store = f"audited{os.getpid()}", str(rolecall.tencent["user_store_id"])
    engine = rolecall.ready["engines"]["postgres"]
    url = f"postgresql://{engine['user']}@{engine['host']}:{engine['port']}/postgres"
    earlier = {row["id"] for row in records(rolecall) if row["action"] not in AT_START}
    (key,) = json.loads(rolecall.cli("key", "create", "--json").stdout)
    rolecall.cli("key", "disable", key["secret_id"])
    rolecall.cli("key", "enable", key["secret_id"])
    rolecall.cli("key", "disable", key["secret_id"])
    rolecall.cli("key", "reseal")
    added = rolecall.cli("instance", "add", url, "--json", ROLECALL_INSTANCE_PASSWORD=engine["password"])
    (instance,) = json.loads(added.stdout)
    rolecall.cli("instance", "set", instance["id"], "--name", "audited")
    rolecall.cli("instance", "remove", instance["id"])
    add = ("application", "add", "--store", store, "--redirect-uri", "https://client.example/", "--json")
    (application,) = json.loads(rolecall.cli(*add).stdout)
    rolecall.cli("application", "set", application["client_id"], "--password-grant")
    rolecall.cli("application", "rotate-key", "--store", store)
    rolecall.cli("application", "delete", application["client_id"])
    rolecall.cli("store", "add", user)
    rolecall.cli("store", "set", store, "--colour", "#1d4ed8")
    rolecall.cli("store", "set", store, "--colour", "none")
    rolecall.cli("store", "deactivate")
    rolecall.cli("store", "activate")
    (made,) = json.loads(rolecall.cli("sub-user", "add", user, "--console-login", "--key", "--json").stdout)
    rolecall.cli("sub-user", "delete", user)
    on = ("--instance", rolecall.instance_id)
    rolecall.cli("account", "create", user, "--managed", *on)
    told = rolecall.cli("account", "password", user, *on).stdout.strip()
    for limit, resolve in (("3", "adopt"), ("4", "reassert")):
        with psycopg.connect(url, password=engine["password"], autocommit=True) as server:
            server.execute(f'ALTER ROLE "{user}" CONNECTION LIMIT {limit}'.encode())
        rolecall.cli("account", resolve, user, *on)
    rolecall.cli("account", "lock", user, *on)
    rolecall.cli("account", "unlock", user, *on)
    rolecall.cli("account", "limit", user, "5", *on)
    rolecall.cli("account", "expire", user, "30d", *on)
    for change in ("grant", "revoke"):
        rolecall.cli("membership", change, user, "--role", "pg_monitor", *on)
    rolecall.ok("CreateDatabase", DatabaseName=user, DatabaseOwner=user)
    defaults = ("--owner", user, "--database", user, "--on", "tables", "--privilege", "select")
    for change in ("grant", "revoke"):
        rolecall.cli("defaults", change, user, *defaults, *on)
    rolecall.cli("public", "revoke", user, "--yes", *on)
    rolecall.cli("public", "grant", user, "--privilege", "connect", *on)
    rolecall.ok("DeleteDatabase", DatabaseName=user)
    rolecall.cli("account", "delete", user, "--yes", *on)
    users = place / "users.csv"
    users.write_text(f"user_name\n{user}\n")
    rolecall.cli("user", "import", str(users), "--store", store)
    (link,) = json.loads(rolecall.cli("console", "--json").stdout)
    fault = ("--service", "postgres", "--action", "RestartDBInstance", "--code", "InternalError")
    (added,) = json.loads(rolecall.cli("fault", "add", *fault, "--json").stdout)
    rolecall.cli("fault", "clear", str(added["id"]))
    hook = (
        "webhook",
        "add",
        user,
        "https://127.0.0.1:1/path-of-a-credential",
        "--from",
        "beginning",
        "--json",
    )
    (webhook,) = json.loads(rolecall.cli(*hook).stdout)
    rolecall.cli("webhook", "pause", user)
    rolecall.cli("webhook", "replay", user, "--after", "now")
    rolecall.cli("webhook", "resume", user)
    (rotated,) = json.loads(rolecall.cli("webhook", "rotate", user, "--json").stdout)
    listed = rolecall.cli("webhook", "list", "--json").stdout
    assert "path-of-a-credential" not in listed
    rolecall.cli("webhook", "remove", user)
    rolecall.cli("user", "export", str(place / "exported"), "--store", store)
    rolecall.cli("backup", str(place / "backup"))
    rolecall.cli("audit", "prune", ROLECALL_AUDIT_RETENTION_DAYS="7")
    found = records(rolecall)
    everything = json.dumps(found)
    for secret in (
        key["secret_key"], engine["password"], application["client_secret"], made["password"], made["secret_key"], told,
        link["link"].partition("code=")[2], webhook["secret"], rotated["secret"], "path-of-a-credential",
    ):  # fmt: skip
        assert secret not in everything
    return [row for row in found if row["id"] not in earlier]


@pytest.mark.parametrize("command", sorted(NOTED))
def test_a_command_that_changes_something_is_recorded_before_and_after(
    trail: list[dict[str, Any]], command: str
) -> None:
    begun, done = [row for row in trail if (row["dialect"], row["action"]) == ("cli", command)][:2]
    assert (begun["outcome"], done["outcome"]) == ("begun", "done")
    assert begun["request_id"] == done["request_id"]
    assert (done["dialect"], done["client"]) == ("cli", getpass.getuser())
    assert done["owner_id"] is not None


@pytest.mark.parametrize("command", sorted(OPERATIONS))
def test_a_command_that_is_an_operation_is_recorded_as_one(trail: list[dict[str, Any]], command: str) -> None:
    row = next(row for row in trail if (row["dialect"], row["action"]) == ("cli", command))
    assert (row["dialect"], row["outcome"], row["client"]) == ("cli", "recorded", getpass.getuser())
    assert row["operation"] is not None


@pytest.mark.parametrize("action", sorted(AT_START))
def test_what_was_made_at_the_start_is_recorded(trail: list[dict[str, Any]], action: str) -> None:
    rows = [row for row in trail if row["action"] == action]
    assert {row["outcome"] for row in rows} == {"begun", "done"}
    assert all(row["target"] for row in rows if row["outcome"] == "done")


def test_what_fails_is_recorded_as_failed(rolecall: Rolecall) -> None:
    rolecall.cli("key", "disable", "AKIDaudited", check=False)
    begun, failed = records(rolecall, "--target", "AKIDaudited")
    assert (begun["outcome"], failed["outcome"], failed["reason"]) == ("begun", "failed", "CommandError")


def test_a_call_is_found_by_its_request_id(rolecall: Rolecall, name: Callable[[str], str]) -> None:
    user = name("asked")
    answer = rolecall.ok("CreateAccount", UserName=user, Type="normal", Password="Audited_password1")
    (row,) = records(rolecall, "--request-id", answer["RequestId"])
    assert (row["action"], row["target"], row["outcome"]) == ("CreateAccount", user, "recorded")
    assert row["client"] == "127.0.0.1"
    assert user in rolecall.cli("audit", "list", "--target", user).stdout


@contextmanager
def following(rolecall: Rolecall, *options: str) -> Iterator[Iterator[dict[str, Any]]]:
    """The records that `audit --follow` prints."""
    command = [PROGRAM, "audit", "--follow", "--json", *options, "--data", rolecall.data]
    process = subprocess.Popen(command, env=rolecall.environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield map(json.loads, process.stdout)
    finally:
        process.terminate()
        process.communicate()


def test_followed_records_come_as_they_are_added_and_from_any_position_again(
    rolecall: Rolecall, name: Callable[[str], str]
) -> None:
    """Also one whose transaction began before that of others that were printed already."""
    user = name("followed")
    note = "insert into audit (dialect, action, target, outcome) values ('cli', %s, %s, 'done')"
    with (
        following(rolecall, "--target", user) as printed,
        psycopg.connect(store_admin(rolecall.data), options="-c search_path=rolecall") as slow,
    ):
        slow.execute(note, ("slow", user))
        rolecall.ok("CreateAccount", UserName=user, Type="normal", Password="Audited_password1")
        rolecall.ok("ModifyAccountRemark", UserName=user, Remark="r")
        seen = [next(printed) for _ in range(2)]
        slow.commit()
        seen.append(next(printed))
    assert [row["action"] for row in seen] == ["CreateAccount", "ModifyAccountRemark", "slow"]
    assert seen[2]["id"] < seen[0]["id"]
    positions = [row["position"] for row in seen]
    assert positions == sorted(positions)
    with following(rolecall, "--target", user, "--after", str(positions[0])) as printed:
        assert [next(printed), next(printed)] == seen[1:]
    with following(rolecall, "--target", user, "--after", "0") as printed:
        assert next(printed) == seen[0]


@pytest.mark.parametrize("options", [("--follow", "--offset", "1"), ("--after", "1")], ids=str)
def test_options_that_do_not_go_together_are_refused(rolecall: Rolecall, options: tuple[str, ...]) -> None:
    assert rolecall.cli("audit", *options, check=False).returncode == 1


def test_the_trail_verifies_and_is_exported_whole(
    rolecall: Rolecall, trail: list[dict[str, Any]], tmp_path: Path
) -> None:
    file = tmp_path / "trail.jsonl"
    deadline = time.monotonic() + PATIENCE
    while True:  # the server chains meanwhile; what it is at is chained by nobody else
        file.unlink(missing_ok=True)
        rolecall.cli("audit", "export", str(file))
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        if {row["id"] for row in trail} <= {line["id"] for line in lines} or time.monotonic() > deadline:
            break
    assert {row["id"] for row in trail} <= {line["id"] for line in lines}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [line["position"] for line in lines] == list(range(1, len(lines) + 1))
    (found,) = json.loads(rolecall.cli("audit", "verify", "--json").stdout)
    assert found["ok"] is True
    assert found["records"] >= len(lines)
    assert "are unchanged" in rolecall.cli("audit", "verify").stdout
    again = rolecall.cli("audit", "export", str(file), check=False)
    assert (again.returncode, "File exists" in again.stderr) == (1, True)
    assert rolecall.cli("audit", "export", "-").stdout.startswith('{"id": ')


def test_nothing_is_pruned_where_all_is_kept(rolecall: Rolecall) -> None:
    done = rolecall.cli("audit", "prune", check=False)
    assert (done.returncode, "all records are kept" in done.stderr) == (1, True)
    wrong = rolecall.cli("audit", "prune", check=False, ROLECALL_AUDIT_RETENTION_DAYS="3")
    assert (wrong.returncode, "at least 7 days" in wrong.stderr) == (1, True)
