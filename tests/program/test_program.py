"""The program as a person uses it: what it prints, keeps, refuses and leaves behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.conftest import PATIENCE, store_admin
from tests.programs import ROLECALL, forks
from tests.waiting import until

PROGRAM = Path(sys.executable).with_name("rolecall")
PASSWORD = "Test_password1"


@pytest.fixture(scope="module")
def own(start: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A Rolecall of this module's own, which tests may stop and start."""
    running = start(tmp_path_factory.mktemp("program") / "data")
    yield running
    if running.process.poll() is None:
        running.stop()


def listing(rolecall: Any, *arguments: str) -> list[dict[str, Any]]:
    return list(json.loads(rolecall.cli(*arguments, "--json").stdout))


def test_the_ready_file_lists_what_works_and_is_private(rolecall: Any) -> None:
    assert set(rolecall.ready) >= {"endpoint", "owner", "tencent", "engines"}
    assert set(rolecall.ready["owner"]) == {"uin", "app_id"}
    assert set(rolecall.ready["tencent"]) >= {"secret_id", "secret_key", "region", "postgres_instance_id"}
    assert set(rolecall.ready["engines"]["postgres"]) == {"host", "port", "user", "password", "database"}
    for file in ("ready.json", "secrets.json", "connection.json"):
        assert stat.S_IMODE((rolecall.data / file).stat().st_mode) == 0o600


def test_the_engine_asks_for_a_scram_password_on_loopback_only(rolecall: Any) -> None:
    rules = rolecall.sql("select type, auth_method, error from pg_hba_file_rules")
    assert {method for _, method, _ in rules} == {"scram-sha-256"}
    assert rolecall.sql("show listen_addresses") == [("127.0.0.1",)]
    assert rolecall.sql("show password_encryption") == [("scram-sha-256",)]
    with pytest.raises(psycopg.OperationalError):
        rolecall.sql("select 1", password="wrong")


def test_accounts_and_operations_are_listed(rolecall: Any, name: Callable[[str], str]) -> None:
    ours, foreign, gone = name("ours"), name("foreign"), name("gone")
    for user in (ours, gone):
        rolecall.ok("CreateAccount", UserName=user, Type="normal", Password=PASSWORD, Remark="r1")
    rolecall.sql(f"create role {foreign} login")
    rolecall.sql(f"drop role {gone}")
    on = ("account", "list", "--instance", rolecall.instance_id)
    standings = {row["name"]: row["standing"] for row in listing(rolecall, *on)}
    assert (standings[ours], standings[foreign], standings[gone]) == ("managed", "foreign", "missing")
    rolecall.sql(f"create role {gone} login")
    standings = {row["name"]: row["standing"] for row in listing(rolecall, *on)}
    assert standings[gone] == "changed"
    (operation,) = [row for row in listing(rolecall, "operation", "list") if row["target"] == ours]
    assert operation["state"] == "recorded"
    assert operation["action"] == "CreateAccount"
    assert operation["principal"] == rolecall.ready["owner"]["uin"]
    assert operation["access_key_id"] == rolecall.tencent["secret_id"]
    assert ours in rolecall.cli("account", "list").stdout
    assert "account.create" in rolecall.cli("operation", "list").stdout


def test_a_refused_change_is_in_the_audit_trail_with_its_reason(
    rolecall: Any, name: Callable[[str], str]
) -> None:
    user = name("twice")
    rolecall.ok("CreateAccount", UserName=user, Type="normal")
    assert rolecall.code("CreateAccount", UserName=user, Type="normal") == "FailedOperation.PreCheckError"
    states = [
        (row["state"], row["reason"])
        for row in listing(rolecall, "operation", "list")
        if row["target"] == user
    ]
    assert states == [("refused", "account-taken"), ("recorded", "")]


def test_a_new_key_signs_and_a_disabled_one_is_refused_at_its_next_call(rolecall: Any) -> None:
    (made,) = listing(rolecall, "key", "create")
    signed = {"secret_id": made["secret_id"], "secret_key": made["secret_key"]}
    assert "Error" not in rolecall.call("DescribeRegions", **signed)
    rolecall.cli("key", "disable", made["secret_id"])
    assert rolecall.call("DescribeRegions", **signed)["Error"]["Code"] == "AuthFailure.SecretIdNotFound"
    rolecall.cli("key", "enable", made["secret_id"])
    assert "Error" not in rolecall.call("DescribeRegions", **signed)
    shown = rolecall.cli("key", "list", "--json").stdout
    assert made["secret_id"] in shown
    assert made["secret_key"] not in shown


def test_an_instance_is_added_shown_and_removed_without_its_password_showing(
    rolecall: Any, name: Callable[[str], str]
) -> None:
    engine = rolecall.ready["engines"]["postgres"]
    url = f"postgresql://{engine['user']}@{engine['host']}:{engine['port']}/postgres"
    added = rolecall.cli("instance", "add", url, "--json", ROLECALL_INSTANCE_PASSWORD=engine["password"])
    (instance,) = json.loads(added.stdout)
    user = name("added")
    assert "Error" not in rolecall.call(
        "CreateAccount", {"DBInstanceId": instance["id"], "UserName": user, "Type": "normal"}
    )
    shown = (
        rolecall.cli("instance", "show", instance["id"], "--json").stdout
        + rolecall.cli("instance", "list").stdout
    )
    assert (
        json.loads(rolecall.cli("instance", "show", instance["id"], "--json").stdout)[0]["state"] == "running"
    )
    assert engine["password"] not in shown + added.stdout
    rolecall.cli("instance", "remove", instance["id"])
    answer = rolecall.call("DescribeAccounts", {"DBInstanceId": instance["id"]})
    assert answer["Error"]["Code"] == "ResourceNotFound.InstanceNotFoundError"
    assert rolecall.sql("select 1 from pg_roles where rolname = %s", user) == [(1,)]


def test_verifiers_are_stored_in_the_way_that_the_instance_has(
    rolecall: Any, name: Callable[[str], str]
) -> None:
    """Of one server that is registered twice: as one of Rolecall's own, and by an operator."""
    engine = rolecall.ready["engines"]["postgres"]
    url = f"postgresql://{engine['user']}@{engine['host']}:{engine['port']}/postgres"
    added = rolecall.cli("instance", "add", url, "--json", ROLECALL_INSTANCE_PASSWORD=engine["password"])
    registered = json.loads(added.stdout)[0]["id"]

    def expect(instance: str, way: str) -> None:
        user = name("stored")
        made = {"DBInstanceId": instance, "UserName": user, "Type": "normal", "Password": PASSWORD}
        assert "Error" not in rolecall.call("CreateAccount", made)
        reset = {"DBInstanceId": instance, "UserName": user, "Password": PASSWORD + "2"}
        assert "Error" not in rolecall.call("ResetAccountPassword", reset)
        login = {"user": user, "password": PASSWORD + "2"}
        assert rolecall.sql("select current_user::text", **login) == [(user,)]
        rows = listing(rolecall, "audit", "list", "--target", user)
        assert {row["action"] for row in rows} == {"CreateAccount", "ResetAccountPassword"}
        assert {row["detail"]["verifier_write"] for row in rows} == {way}
        assert listing(rolecall, "instance", "show", instance)[0]["verifier_write"] == way
        doctor = rolecall.cli("doctor", "--json", check=False)  # other tests may leave what it finds
        (found,) = [
            row for row in json.loads(doctor.stdout) if row["check"] == f"instance {instance} verifiers"
        ]
        assert found["ok"]
        assert way in found["detail"]

    expect(rolecall.instance_id, "catalog")
    expect(registered, "statement")
    rolecall.cli("instance", "set", registered, "--verifier-write", "catalog")
    expect(registered, "catalog")
    rolecall.cli("instance", "set", registered, "--verifier-write", "statement")
    expect(registered, "statement")
    rolecall.cli("instance", "remove", registered)


def test_the_catalog_is_not_written_where_that_would_skip_something(
    rolecall: Any, name: Callable[[str], str]
) -> None:
    engine, plain, checked = rolecall.ready["engines"]["postgres"], name("plain"), name("checked")
    rolecall.sql(f"create role {plain} login createrole createdb password '{PASSWORD}'")
    rolecall.sql(f"create role {checked} login superuser password '{PASSWORD}'")
    rolecall.sql(f"alter role {checked} set session_preload_libraries = passwordcheck")
    reasons = {plain: "superuser", checked: "passwordcheck"}
    for administrator, reason in reasons.items():
        url = f"postgresql://{administrator}@{engine['host']}:{engine['port']}/postgres"
        added = rolecall.cli(
            "instance", "add", url, "--unchecked", "--json", ROLECALL_INSTANCE_PASSWORD=PASSWORD
        )
        instance = json.loads(added.stdout)[0]["id"]
        refused = rolecall.cli("instance", "set", instance, "--verifier-write", "catalog", check=False)
        assert refused.returncode == 1
        assert reason in refused.stderr
        assert listing(rolecall, "instance", "show", instance)[0]["verifier_write"] == "statement"
        rolecall.cli("instance", "remove", instance)
    if "aliyun" in rolecall.ready:
        other = rolecall.ready["aliyun"]["instance_id"]
        refused = rolecall.cli("instance", "set", other, "--verifier-write", "catalog", check=False)
        assert "one way" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("instance", "add", "postgresql://postgres@127.0.0.1:1/postgres"), "not registered"),
        (("instance", "add", "redis://root@127.0.0.1/x"), "postgresql://"),
        (("instance", "show", "postgres-nowhere"), "there is no instance"),
        (("key", "disable", "AKIDnothing"), "there is no access key"),
        (("instance", "add", "postgresql://a@h:99999999/x"), "the URL's host or port is malformed"),
        (("fault", "clear", "99999999999999999999"), "the store cannot hold a value"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(rolecall: Any, arguments: tuple[str, ...], told: str) -> None:
    done = rolecall.cli(*arguments, check=False, ROLECALL_INSTANCE_PASSWORD="x")
    assert done.returncode == 1
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_doctor_finds_everything_ok_or_names_the_fix(own: Any) -> None:
    """Where no other test leaves drift, open operations, or servers that are gone."""
    rows = listing(own, "doctor")
    assert {row["check"] for row in rows} >= {"store", "master key", "clock", "access keys", "operations"}
    assert [row for row in rows if not row["ok"]] == []
    wrong_key = own.cli("doctor", check=False, ROLECALL_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert wrong_key.returncode in (0, 1)  # --data names the store; the variable is not asked


def test_the_demo_creates_an_account_and_shows_its_row(rolecall: Any) -> None:
    shown = rolecall.cli("demo").stdout
    assert "CreateAccount" in shown
    assert "rolcanlogin=True" in shown
    if "aliyun" in rolecall.ready:  # or the third `make run` would exceed the vendor's quota of three
        instance = rolecall.ready["aliyun"]["instance_id"]
        accounts = listing(rolecall, "account", "list", "--instance", instance)
        assert [row["name"] for row in accounts if row["name"].startswith("demo_")] == []


def test_state_survives_a_restart_and_no_process_is_left(own: Any, start: Callable[..., Any]) -> None:
    own.ok("CreateAccount", UserName="survivor", Type="normal", Password=PASSWORD, Remark="stays")
    port, engine = own.ready["engines"]["postgres"]["port"], own.ready["engines"]["postgres"]
    assert own.stop() == 0
    assert not (own.data / "ready.json").exists()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=2)
    started = time.monotonic()
    again = start(own.data)
    took = time.monotonic() - started
    own.process, own.ready = again.process, again.ready
    assert again.ready["tencent"] == {**own.tencent}
    assert again.ready["engines"]["postgres"] == engine
    (account,) = again.ok("DescribeAccounts")["Details"]
    assert (account["UserName"], account["Remark"]) == ("survivor", "stays")
    assert again.can_log_in("survivor", PASSWORD)
    assert took < PATIENCE  # not a measurement: that is `make run`'s own; this only notices a hang


def test_a_reset_deletes_everything_and_a_seed_is_carried_out_at_the_start(
    own: Any, start: Callable[..., Any], tmp_path: Path
) -> None:
    seed = tmp_path / "seed.toml"
    seed.write_text('[[accounts]]\ninstance = "quickstart"\nname = "seeded"\ngenerate = true\n')
    own.cli("account", "create", "goes", "--generate", "--instance", "quickstart")
    refused = subprocess.run(
        [PROGRAM, "up", "--reset", "--yes", "--data", own.data],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (refused.returncode, "another `rolecall up` is using" in refused.stderr) == (1, True)
    assert own.stop() == 0
    unsure = subprocess.run(
        [PROGRAM, "up", "--reset", "--data", own.data],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    assert (unsure.returncode, "--yes confirms" in unsure.stderr) == (1, True)
    again = start(own.data, "--reset", "--yes", "--seed", seed)
    assert again.ready["tencent"]["secret_id"] != own.ready["tencent"]["secret_id"]
    own.process, own.ready = again.process, again.ready
    assert {row["name"] for row in listing(own, "account", "list")} & {"goes", "seeded"} == {"seeded"}
    kept = json.loads((tmp_path / "seed.toml.secrets.json").read_text())
    assert own.can_log_in("seeded", kept["accounts/quickstart/seeded"]["password"])


def test_a_reset_leaves_a_directory_of_others_alone(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("mine")
    done = subprocess.run(
        [PROGRAM, "up", "--reset", "--yes", "--data", tmp_path],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, "is not a data directory" in done.stderr) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


def test_a_second_up_on_the_same_data_is_refused(rolecall: Any) -> None:
    done = subprocess.run(
        [PROGRAM, "up", "--data", rolecall.data, "--listen", "127.0.0.1:0"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 1
    assert "another `rolecall up` is using" in done.stderr
    assert rolecall.data.joinpath("ready.json").exists()


def test_a_taken_port_is_one_clear_line_and_the_servers_are_stopped(rolecall: Any, tmp_path: Path) -> None:
    done = subprocess.run(
        [PROGRAM, "up", "--data", tmp_path / "d", "--listen", rolecall.netloc],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 1
    assert "in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_kind_kill_stops_everything(
    start: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    running = start(tmp_path_factory.mktemp("kill") / "data")
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(120) == 0
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", running.ready["engines"]["postgres"]["port"]), timeout=2)


@pytest.fixture
def production(rolecall: Any, name: Callable[[str], str], tmp_path: Path) -> dict[str, str]:
    """The environment of a production Rolecall: a database of its own on the run's store server, and a key file."""
    store = store_admin(rolecall.data)
    database = name("production")
    with psycopg.connect(store, autocommit=True) as admin:
        admin.execute(f"create database {database}".encode())
    key_file = tmp_path / "master.key"
    key_file.write_text(forks().run(ROLECALL, ["key", "master"], os.environ, check=True).stdout)
    return {
        **os.environ,
        "ROLECALL_DATABASE_URL": make_conninfo(store, dbname=database),
        "ROLECALL_MASTER_KEY_FILE": str(key_file),
        "ROLECALL_RATE_LIMIT": "off",
        "ROLECALL_LOG_LEVEL": "warning",
    }


def run(environment: dict[str, str], *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return forks().run(ROLECALL, arguments, environment, timeout=PATIENCE, check=check)


def test_serve_runs_several_workers_on_a_store_of_ones_own(
    rolecall: Any, production: dict[str, str], name: Callable[[str], str]
) -> None:
    (key,) = json.loads(run(production, "key", "create", "--owner", "--json").stdout)
    engine = rolecall.ready["engines"]["postgres"]
    production["ROLECALL_INSTANCE_PASSWORD"] = engine["password"]
    url = f"postgresql://{engine['user']}@{engine['host']}:{engine['port']}/postgres"
    run(production, "instance", "add", url, "--id", "postgres-prod0001")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{probe.getsockname()[1]}"
    process = subprocess.Popen([PROGRAM, "serve", "--workers", "2", "--listen", endpoint[7:]], env=production)
    try:
        await_ready(endpoint)
        users = [name("worker") for _ in range(8)]
        for user in users:
            answer = rolecall.call(
                "CreateAccount",
                {
                    "DBInstanceId": "postgres-prod0001",
                    "UserName": user,
                    "Type": "normal",
                    "Password": PASSWORD,
                },
                endpoint=endpoint,
                secret_id=key["secret_id"],
                secret_key=key["secret_key"],
            )
            assert "Error" not in answer
        assert rolecall.can_log_in(users[0], PASSWORD)
        counted = (
            'rolecall_calls_total{action="CreateAccount",code="ok",dialect="tencent",service="postgres"} 8.0'
        )
        assert counted in httpx.get(endpoint + "/metrics").text
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) in (0, -signal.SIGTERM)


def await_ready(endpoint: str) -> None:
    def is_ready() -> bool:
        try:
            return httpx.get(endpoint + "/readyz").status_code == 200
        except httpx.TransportError:
            return False

    until(is_ready)


def test_a_wrong_or_missing_master_key_is_told_before_anything_is_served(
    production: dict[str, str], tmp_path: Path
) -> None:
    run(production, "key", "create", "--owner")
    other = tmp_path / "other.key"
    other.write_text(run(production, "key", "master").stdout)
    wrong = run({**production, "ROLECALL_MASTER_KEY_FILE": str(other)}, "key", "list", check=False)
    assert (wrong.returncode, "not the one that sealed" in wrong.stderr) == (1, True)
    without = {
        variable: value for variable, value in production.items() if variable != "ROLECALL_MASTER_KEY_FILE"
    }
    missing = run(without, "serve", check=False)
    assert (missing.returncode, "ROLECALL_MASTER_KEY_FILE" in missing.stderr) == (1, True)


def test_a_rotated_master_key_opens_and_reseals_everything(production: dict[str, str]) -> None:
    (key,) = json.loads(run(production, "key", "create", "--owner", "--json").stdout)
    file = Path(production["ROLECALL_MASTER_KEY_FILE"])
    fresh = run(production, "key", "master").stdout
    file.write_text(fresh + file.read_text())
    resealed = run(production, "key", "reseal")
    assert "resealed" in resealed.stdout
    file.write_text(fresh)
    assert key["secret_id"] in run(production, "key", "list").stdout
    assert "Traceback" not in run(production, "doctor", check=False).stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_an_ordinary_user_can_run_it_too(tmp_path_factory: pytest.TempPathFactory) -> None:
    """`rolecall up` as an unprivileged account, where that account can reach the program."""
    place = Path("/tmp") / f"rolecall-user-{os.getpid()}"
    place.mkdir(mode=0o700)
    shutil.chown(place, "nobody", "nogroup")
    nobody: dict[str, Any] = {"user": "nobody", "group": "nogroup", "extra_groups": [], "cwd": "/tmp"}
    try:
        subprocess.run([PROGRAM, "version"], check=True, capture_output=True, **nobody)
    except (PermissionError, subprocess.CalledProcessError):
        shutil.rmtree(place)
        pytest.skip("the checkout is not reachable for an ordinary user")
    process = subprocess.Popen(
        [PROGRAM, "up", "--data", place / "data", "--listen", "127.0.0.1:0", "--ready-file", place / "ready.json"],
        user="nobody", group="nogroup", extra_groups=[], cwd="/tmp", env={**os.environ, "HOME": str(place)},
    )  # fmt: skip
    try:
        deadline = time.monotonic() + PATIENCE
        while not (place / "ready.json").exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 0
        shutil.rmtree(place)
