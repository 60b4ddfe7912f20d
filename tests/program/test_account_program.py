"""`rolecall account` beside a serving Rolecall: what it changes on the servers, what it prints, and how it fails."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.conftest import PATIENCE, Rolecall, store_admin
from tests.programs import ROLECALL, forks
from tests.waiting import until

from rolecall.store.replica import REPLICA_LOCKS

PASSWORD = "Given_password1"


@pytest.fixture
def password_file(tmp_path: Path) -> str:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    return str(file)


@pytest.fixture
def account(rolecall: Rolecall, name: Callable[[str], str], password_file: str) -> Iterator[str]:
    """An account on PostgreSQL that the command line created."""
    user = name("operated")
    cli(rolecall, "create", user, "--password-file", password_file, "--remark", "by hand")
    yield user
    cli(rolecall, "delete", user, "--yes", "--if-exists")


def cli(
    rolecall: Rolecall, command: str, *arguments: str, check: bool = True
) -> subprocess.CompletedProcess[str]:
    return rolecall.cli("account", command, *arguments, "--instance", rolecall.instance_id, check=check)


def row(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    (found,) = json.loads(done.stdout)
    return dict(found)


def test_a_created_account_logs_in_and_every_dialect_shows_it(rolecall: Rolecall, account: str) -> None:
    assert rolecall.can_log_in(account, PASSWORD)
    assert rolecall.accounts()[account]["Remark"] == "by hand"
    shown = row(cli(rolecall, "show", account, "--json"))
    assert (shown["name"], shown["kind"], shown["standing"], shown["remark"]) == (
        account, "normal", "managed", "by hand",
    )  # fmt: skip
    assert "by hand" in cli(rolecall, "show", account).stdout


def test_a_generated_password_is_shown_once_and_is_the_accounts(
    rolecall: Rolecall, name: Callable[[str], str]
) -> None:
    user = name("operated")
    made = row(cli(rolecall, "create", user, "--generate", "--json"))
    assert rolecall.can_log_in(user, made["password"])
    again = cli(rolecall, "password", user, "--generate").stdout.strip()
    assert again != made["password"]
    assert rolecall.can_log_in(user, again)
    assert again not in cli(rolecall, "show", user, "--json").stdout
    cli(rolecall, "delete", user, "--yes")


def test_a_password_is_read_from_standard_input(rolecall: Rolecall, account: str, tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.write_text("Another_password1\n")
    arguments = ["account", "password", account, "--instance", rolecall.instance_id, "--password-file", "-"]
    with given.open("rb") as source, (tmp_path / "output").open("w+b") as output:
        forked = forks().start(
            ROLECALL,
            [*arguments, "--data", rolecall.data],
            rolecall.environment,
            stdin=source,
            stdout=output,
            stderr=output,
        )
        assert forked.wait(PATIENCE) == 0
    assert rolecall.can_log_in(account, "Another_password1")


def test_a_locked_account_cannot_log_in_until_it_is_unlocked(rolecall: Rolecall, account: str) -> None:
    assert row(cli(rolecall, "lock", account, "--json"))["done"] == "locked"
    assert not rolecall.can_log_in(account, PASSWORD)
    assert row(cli(rolecall, "show", account, "--json"))["locked"] is True
    cli(rolecall, "unlock", account)
    assert rolecall.can_log_in(account, PASSWORD)


def test_a_deletion_is_confirmed_or_not_done(rolecall: Rolecall, account: str) -> None:
    refused = cli(rolecall, "delete", account, check=False)
    assert (refused.returncode, "--yes" in refused.stderr) == (1, True)
    assert rolecall.can_log_in(account, PASSWORD)
    assert "is deleted" in cli(rolecall, "delete", account, "--yes").stdout
    assert not rolecall.can_log_in(account, PASSWORD)
    cli(rolecall, "delete", account, "--yes", "--if-exists")


def test_a_managed_password_is_printed_and_not_set(rolecall: Rolecall, name: Callable[[str], str]) -> None:
    user = name("operated")
    cli(rolecall, "create", user, "--managed")
    told = row(cli(rolecall, "password", user, "--json"))["password"]
    assert rolecall.can_log_in(user, told)
    refused = cli(rolecall, "password", user, "--generate", check=False)
    assert (refused.returncode, refused.stderr) == (
        1,
        f"rolecall: Rolecall manages the password of `{user}`\n",
    )
    cli(rolecall, "delete", user, "--yes")


def test_accounts_on_mariadb_have_a_host_and_grants(rolecall: Rolecall, name: Callable[[str], str]) -> None:
    if "aliyun" not in rolecall.ready:
        pytest.skip("no MariaDB on this system")
    user, instance = name("op")[:14], rolecall.ready["openstack"]["instance_id"]
    on = ("--instance", instance, "--host", "127.0.0.1")
    quota = ("instance", "set", rolecall.ready["aliyun"]["instance_id"], "--account-quota")
    rolecall.cli(*quota, "0")
    try:
        rolecall.cli("account", "create", user, *on, "--generate")
        rolecall.cli("account", "lock", user, *on)
        shown = row(rolecall.cli("account", "show", user, *on, "--json"))
        assert (shown["host"], shown["locked"], shown["grants"]) == ("127.0.0.1", True, [])
        rolecall.cli("account", "unlock", user, *on)
        rolecall.cli("account", "delete", user, *on, "--yes")
        missing = rolecall.cli(
            "account", "create", user, *on, "--generate", "--grant", "no_such_db=read-only", check=False
        )
        assert (missing.returncode, "there is no database `no_such_db`" in missing.stderr) == (1, True)
    finally:
        rolecall.cli(*quota, "3")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("create", "x" * 64, "--generate"), "not one that the server can have"),
        (("create", "pg_me", "--generate"), "is reserved"),
        (("create", "nobody"), "--password-file"),
        (("create", "nobody", "--managed", "--generate"), "--managed makes the password"),
        (("create", "nobody", "--generate", "--grant", "shop=all"), "is not DATABASE=ACCESS"),
        (("lock", "nobody_is_there"), "there is no account `nobody_is_there`"),
        (("delete", "nobody_is_there", "--yes"), "there is no account"),
        (("password", "nobody_is_there"), "is not managed"),
        (("create", "nobody", "--password-file", "/nonexistent"), "No such file"),
    ],
)
def test_what_is_wrong_is_one_line(rolecall: Rolecall, arguments: tuple[str, ...], words: str) -> None:
    done = cli(rolecall, *arguments, check=False)
    assert done.returncode == 1
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_protected_account_is_not_changed(rolecall: Rolecall, name: Callable[[str], str]) -> None:
    administrator = name("other_admin")
    rolecall.sql(f"create role {administrator} login superuser")
    done = cli(rolecall, "lock", administrator, check=False)
    assert (done.returncode, "is protected" in done.stderr) == (1, True)
    rolecall.sql(f"drop role {administrator}")


def test_a_serving_replica_leaves_the_operations_of_a_running_command_alone(
    rolecall: Rolecall, name: Callable[[str], str], tmp_path: Path
) -> None:
    """The command holds its replica's lock in the store while its operation is open: recovery takes over dead ones."""
    user, engine = name("operated"), rolecall.ready["engines"]["postgres"]
    login = {key: engine[key] for key in ("host", "port", "user", "password")}
    locks = "from pg_locks l where l.locktype = 'advisory' and l.classid::bigint = %s"
    serving = f"select l.objid::bigint {locks}"
    held = f"""select count(*) from operations o where o.target = %s and o.state = 'accepted'
        and not o.replica = any(%s) and exists (select {locks} and l.objid::bigint = o.replica)"""
    with (
        psycopg.connect(**login, dbname="postgres") as blocking,
        psycopg.connect(store_admin(rolecall.data), autocommit=True) as store,
        (tmp_path / "output").open("w+b") as output,
    ):
        others = [number for (number,) in store.execute(serving, (REPLICA_LOCKS,)).fetchall()]
        blocking.execute("lock table pg_authid in share mode")
        command = [
            "account",
            "create",
            user,
            "--generate",
            "--instance",
            "quickstart",
            "--data",
            rolecall.data,
        ]
        forked = forks().start(ROLECALL, command, rolecall.environment, stdout=output, stderr=output)
        until(lambda: store.execute(held, (user, others, REPLICA_LOCKS)).fetchone() == (1,))
        blocking.rollback()
        assert forked.wait(PATIENCE) == 0
    cli(rolecall, "delete", user, "--yes")


def test_an_instance_is_named_by_its_id_or_its_name(rolecall: Rolecall, account: str) -> None:
    found = json.loads(
        rolecall.cli(
            "account", "list", "--instance", "quickstart", "--filter", account.upper(), "--json"
        ).stdout
    )
    assert [one["name"] for one in found] == [account]
    unknown = rolecall.cli("account", "list", "--instance", "no such", check=False)
    assert (unknown.returncode, "no instance `no such`" in unknown.stderr) == (1, True)


def test_one_instance_is_checked(rolecall: Rolecall) -> None:
    checks = json.loads(rolecall.cli("instance", "check", "quickstart", "--json").stdout)
    assert checks[0]["check"] == f"instance {rolecall.instance_id}"
    assert all(check["ok"] for check in checks)
    url = "postgresql://nobody@127.0.0.1:1/postgres"
    added = rolecall.cli("instance", "add", url, "--unchecked", "--json", ROLECALL_INSTANCE_PASSWORD=PASSWORD)
    instance = json.loads(added.stdout)[0]["id"]
    failed = rolecall.cli("instance", "check", instance, "--json", check=False)
    rolecall.cli("instance", "remove", instance)
    assert (failed.returncode, json.loads(failed.stdout)[0]["ok"]) == (1, False)
