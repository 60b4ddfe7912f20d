"""`rolecall backup` and `rolecall restore`: a full home under load, restored into a new one; and what is refused."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.conftest import PROGRAM, Rolecall, store_admin
from tests.programs import ROLECALL, forks
from tests.waiting import PATIENCE, until

PASSWORD = "Backed_up_password1"
PASSPHRASE = "correct horse battery staple"


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """The program without a data directory of its own, and without settings but these."""
    return forks().run(ROLECALL, [*map(str, arguments)], environment, timeout=PATIENCE)


def table(running: Rolecall, *words: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(running.cli(*words, "--json").stdout)
    return rows


def token_of(running: Rolecall) -> str:
    there = running.ready["openstack"]
    user = {"name": there["username"], "password": there["password"], "domain": {"id": "default"}}
    scope = {"project": {"id": there["project_id"]}}
    identity = {"methods": ["password"], "password": {"user": user}}
    body = {"auth": {"identity": identity, "scope": scope}}
    return httpx.post(f"{there['auth_url']}/auth/tokens", json=body, timeout=60).headers["x-subject-token"]


def has_mariadb_user(running: Rolecall, name: str) -> bool:
    """It is asked by its name: other tests leave more users there than a page shows."""
    there = running.ready["openstack"]
    url = f"{there['database_url']}/instances/{there['instance_id']}/users/{name}"
    return httpx.get(url, headers={"x-auth-token": token_of(running)}, timeout=60).status_code == 200


def sign_in(running: Rolecall, name: str) -> httpx.Response:
    there = running.tencent
    form = {"grant_type": "password", "username": name, "password": "hashcat", "scope": "openid"}
    form["client_id"] = there["oidc_client_id"]
    return httpx.post(f"{there['oidc_issuer']}/oauth2/token", data=form, timeout=60)


@dataclass
class Load:
    """Creates accounts until it is stopped; `created` are those whose creation was acknowledged."""

    running: Rolecall
    prefix: str
    created: list[str] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def work(self) -> None:
        while not self.stopping.is_set():
            user = f"{self.prefix}_{len(self.created)}"
            self.running.ok("CreateAccount", UserName=user, Type="normal", Password=PASSWORD)
            self.created.append(user)


@dataclass
class Backup:
    file: Path
    user: str
    keys: list[tuple[str, str]]
    before: list[str]
    """Accounts that were acknowledged before the backup began."""
    load: Load
    master_key: str


@pytest.fixture(scope="module")
def backup(rolecall: Rolecall, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backup]:
    """A backup of the run's Rolecall, made under load, after accounts, keys and users were created."""
    place = tmp_path_factory.mktemp("backup")
    user = f"kept_{secrets.token_hex(4)}"
    (owner,) = table(rolecall, "key", "create")
    (sub_user,) = table(rolecall, "sub-user", "add", user, "--key")
    keys = [(row["secret_id"], row["secret_key"]) for row in (owner, sub_user)]
    users = place / "users.csv"
    users.write_text(f"user_name,password_hash\n{user},{{SSHA}}FLzWcQqyle6Mo7NvrwXCMAmRzXQxNjYxMTYzNw==\n")
    rolecall.cli("user", "import", str(users), "--store", str(rolecall.tencent["user_store_id"]))
    there = rolecall.ready["openstack"]
    created = httpx.post(
        f"{there['database_url']}/instances/{there['instance_id']}/users",
        json={"users": [{"name": user, "password": PASSWORD, "databases": []}]},
        headers={"x-auth-token": token_of(rolecall)},
        timeout=60,
    )
    assert created.status_code == 202
    load = Load(rolecall, f"loaded_{secrets.token_hex(4)}")
    thread = threading.Thread(target=load.work)
    thread.start()
    try:
        until(lambda: len(load.created) > 3)
        before = list(load.created)
        rolecall.cli("backup", str(place / "file"))
        during = len(load.created)
        until(lambda: len(load.created) > during)
    finally:
        load.stopping.set()
        thread.join()
    master_key = json.loads((rolecall.data / "secrets.json").read_text())["master_key"]
    return Backup(place / "file", user, keys, before, load, master_key)


@dataclass
class Home:
    """A data directory that a backup was restored to, after a restore that was killed."""

    data: Path
    refused: subprocess.CompletedProcess[str]
    """`up` between the two."""


@pytest.fixture(scope="module")
def home(backup: Backup, tmp_path_factory: pytest.TempPathFactory) -> Home:
    data = tmp_path_factory.mktemp("restored") / "data"
    with subprocess.Popen(
        [PROGRAM, "restore", backup.file, "--data", data],
        env={"ROLECALL_MASTER_KEY": backup.master_key},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        until(lambda: (data / "store" / "cluster").exists())
        process.kill()
    refused = run("up", "--data", data, "--listen", "127.0.0.1:0")
    # A data directory that is named is meant, whatever the settings say.
    settings = {
        "ROLECALL_MASTER_KEY": backup.master_key,
        "ROLECALL_DATABASE_URL": "postgresql://127.0.0.1:1/none",
    }
    done = run("restore", backup.file, "--data", data, **settings)
    assert done.returncode == 0, done.stderr
    return Home(data, refused)


@pytest.fixture(scope="module")
def restored(home: Home, start: Callable[..., Rolecall]) -> Iterator[Rolecall]:
    running = start(home.data, ROLECALL_RATE_LIMIT="off")
    yield running
    assert running.stop() == 0


def test_a_restore_that_was_killed_is_repeated_before_up_starts(home: Home) -> None:
    assert home.refused.returncode == 1
    assert "was interrupted: repeat `rolecall restore`" in home.refused.stderr
    assert not (home.data / "restoring").exists()


def test_a_backup_is_readable_by_its_owner_alone(backup: Backup) -> None:
    assert backup.file.stat().st_mode & 0o777 == 0o600
    content = backup.file.read_bytes()
    for secret in (backup.user, backup.master_key, *(key for pair in backup.keys for key in pair)):
        assert secret.encode() not in content


def test_every_key_signs_in_a_restored_home(backup: Backup, restored: Rolecall) -> None:
    for secret_id, secret_key in backup.keys:
        answer = restored.call("DescribeDBInstances", {}, secret_id=secret_id, secret_key=secret_key)
        code = answer.get("Error", {}).get("Code")  # a sub-user's is refused after its signature was verified
        assert code in (None, "AuthFailure.UnauthorizedOperation"), answer


def test_every_account_is_listed_in_a_restored_home(backup: Backup, restored: Rolecall) -> None:
    """Under the state that it had: its role is the same one, by its number."""
    rows = {
        row["name"]: row["standing"]
        for row in table(restored, "account", "list", "--instance", restored.instance_id)
    }
    assert {rows.get(name) for name in backup.before} == {"managed"}
    assert restored.can_log_in(backup.before[0], PASSWORD)
    assert has_mariadb_user(restored, backup.user)


def test_what_was_open_in_a_backup_is_settled_by_its_mark(backup: Backup, restored: Rolecall) -> None:
    """An account that the server has, and the store accepted, is recorded; none is between the two."""
    open_ = table(restored, "operation", "list", "--state", "accepted")
    assert [row for row in open_ if str(row["target"]).startswith("loaded_")] == []
    operations = {
        row["target"]: row["state"] for row in table(restored, "operation", "list", "--limit", "10000")
    }
    rows = {
        row["name"]: row["standing"]
        for row in table(restored, "account", "list", "--instance", restored.instance_id)
    }
    for name in backup.load.created:
        if operations.get(name) == "recorded":
            assert rows[name] == "managed"
        elif name in rows:
            assert rows[name] == "foreign"  # created after the store was read and before its server was


def test_users_sign_in_to_a_restored_home(backup: Backup, restored: Rolecall) -> None:
    answer = sign_in(restored, backup.user)
    assert answer.status_code == 200, answer.text


def test_the_audit_trail_of_a_restored_home_is_whole_and_ends_with_the_restore(
    backup: Backup, restored: Rolecall
) -> None:
    assert "are unchanged" in restored.cli("audit", "verify").stdout
    (row,) = table(restored, "audit", "list", "--action", "restore")
    assert (row["outcome"], row["detail"]["release"]) == ("done", "0.1.0")


def test_changes_go_on_in_a_restored_home(restored: Rolecall, name: Callable[[str], str]) -> None:
    user = name("after")
    restored.ok("CreateAccount", UserName=user, Type="normal", Password=PASSWORD)
    assert restored.can_log_in(user, PASSWORD)


def test_a_data_directory_that_is_not_empty_is_refused(backup: Backup, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run("restore", backup.file, "--data", tmp_path, ROLECALL_MASTER_KEY=backup.master_key)
    assert (done.returncode, done.stderr) == (
        1,
        f"rolecall: {tmp_path} is not empty: restore into a new directory\n",
    )
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@pytest.fixture(scope="module")
def small(rolecall: Rolecall, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a store of the operator's, with an owner and a backup of it in FILE."""
    environment = database(rolecall)
    assert run("key", "create", "--owner", **environment).returncode == 0
    file = tmp_path_factory.mktemp("small") / "file"
    done = run("backup", file, **environment)
    assert done.returncode == 0, done.stderr
    return {**environment, "FILE": str(file)}


def database(rolecall: Rolecall) -> dict[str, str]:
    """The settings of a store in an empty database."""
    store, name = store_admin(rolecall.data), f"backup_{secrets.token_hex(4)}"
    with psycopg.connect(store, autocommit=True) as admin:
        admin.execute(f"create database {name}".encode())
    keys = json.loads((rolecall.data / "secrets.json").read_text())
    return {
        "ROLECALL_DATABASE_URL": make_conninfo(store, dbname=name),
        "ROLECALL_MASTER_KEY": keys["master_key"],
    }


def has_tables(environment: dict[str, str]) -> bool:
    with psycopg.connect(environment["ROLECALL_DATABASE_URL"]) as connection:
        found = connection.execute("select count(*) from pg_tables where schemaname = 'rolecall'").fetchone()
    return found != (0,)


def test_a_store_is_restored_into_an_empty_database_once(rolecall: Rolecall, small: dict[str, str]) -> None:
    target = database(rolecall)
    assert run("restore", small["FILE"], **target).returncode == 0
    before, after = (run("key", "list", "--json", **where).stdout for where in (small, target))
    assert json.loads(before) == json.loads(after)
    again = run("restore", small["FILE"], **target)
    assert again.returncode == 1
    assert again.stderr == "rolecall: the store has tables already: restore into an empty database\n"


def test_a_passphrase_holds_the_master_key(rolecall: Rolecall, small: dict[str, str], tmp_path: Path) -> None:
    file, passphrase, key = tmp_path / "backup", tmp_path / "passphrase", tmp_path / "master.key"
    passphrase.write_text(PASSPHRASE + "\n")
    assert run("backup", file, "--passphrase-file", passphrase, **small).returncode == 0
    target = database(rolecall)
    del target["ROLECALL_MASTER_KEY"]
    done = run("restore", file, "--passphrase-file", passphrase, "--master-key-out", key, **target)
    assert done.returncode == 0, done.stderr
    assert key.stat().st_mode & 0o777 == 0o600
    listed = run("key", "list", "--json", **target, ROLECALL_MASTER_KEY_FILE=str(key))
    assert json.loads(listed.stdout)


def cut(content: bytes) -> bytes:
    return content[:-1]


def without_a_chunk(content: bytes) -> bytes:
    return content[: 54 + 1024 * 1024 + 16] if len(content) > 2**20 + 200 else content[:54]


def changed(content: bytes) -> bytes:
    return content[:-20] + bytes([content[-20] ^ 1]) + content[-19:]


def of_another_file(content: bytes) -> bytes:
    return b"x" + content[1:]


@pytest.mark.parametrize("damage", [cut, without_a_chunk, changed, of_another_file])
def test_a_damaged_backup_changes_nothing(
    rolecall: Rolecall, small: dict[str, str], tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    file = tmp_path / "damaged"
    file.write_bytes(damage(Path(small["FILE"]).read_bytes()))
    target = database(rolecall)
    for where in ((), ("--data", tmp_path / "data")):
        done = run("restore", file, *where, **target)
        assert done.returncode == 1
        assert re.fullmatch(
            "rolecall: the (backup is truncated|backup does not open|file is not a backup).*\n", done.stderr
        )
    assert not has_tables(target)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("master", "the backup is encrypted under another master key"),
        ("none", "the backup is encrypted under a master key: set ROLECALL_MASTER_KEY_FILE"),
        ("passphrase", "the backup is encrypted under the master key, not under a passphrase"),
    ],
)
def test_another_key_opens_no_backup(
    rolecall: Rolecall, small: dict[str, str], tmp_path: Path, key: str, message: str
) -> None:
    target = database(rolecall)
    arguments: tuple[object, ...] = ()
    if key == "master":
        target["ROLECALL_MASTER_KEY"] = run("key", "master").stdout.strip()
    elif key == "none":
        del target["ROLECALL_MASTER_KEY"]
    else:
        (tmp_path / "passphrase").write_text(PASSPHRASE)
        arguments = ("--passphrase-file", tmp_path / "passphrase")
    done = run("restore", small["FILE"], *arguments, **target)
    assert (done.returncode, done.stderr) == (1, f"rolecall: {message}\n")
    assert not has_tables(target)


def test_a_wrong_passphrase_opens_no_backup(small: dict[str, str], tmp_path: Path) -> None:
    file, passphrase = tmp_path / "backup", tmp_path / "passphrase"
    passphrase.write_text(PASSPHRASE)
    assert run("backup", file, "--passphrase-file", passphrase, **small).returncode == 0
    passphrase.write_text(PASSPHRASE[::-1])
    done = run("restore", file, "--check", "--passphrase-file", passphrase, **small)
    assert done.returncode == 1
    assert done.stderr.startswith("rolecall: the backup does not open: the key or the passphrase is wrong")
    passphrase.write_text("short")
    assert "at least 12 characters" in run("backup", file, "--passphrase-file", passphrase, **small).stderr


def test_a_backup_migrates_no_store(rolecall: Rolecall, tmp_path: Path) -> None:
    target = database(rolecall)
    done = run("backup", tmp_path / "backup", **target)
    assert done.returncode == 1
    assert "the schema of an earlier release" in done.stderr
    assert not has_tables(target)
    assert not (tmp_path / "backup").exists()


def test_a_backup_replaces_no_file(small: dict[str, str]) -> None:
    done = run("backup", small["FILE"], **small)
    assert done.returncode == 1
    assert run("restore", small["FILE"], "--check", **small).returncode == 0
