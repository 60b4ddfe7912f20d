"""`rolecall env`: what a shell takes from it, and that the vendors' own command lines work by it alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import PATIENCE, PROGRAM, Rolecall

from rolecall.cli.client_files import configuration
from rolecall.cli.env import Client, variables
from rolecall.cli.errors import CommandError

READY = {
    "endpoint": "https://127.0.0.1:7653",
    "ca_file": "/home/o'neill/tls/ca.pem",
    "tencent": {
        "secret_id": "AKID1", "secret_key": "s3cret", "region": "ap-guangzhou", "postgres_instance_id": "postgres-1",
    },
    "aliyun": {
        "access_key_id": "AKID1", "access_key_secret": "s3cret", "region_id": "cn-hangzhou", "instance_id": "pd-1",
    },
    "openstack": {
        "auth_url": "https://127.0.0.1:7653/v3", "username": "AKID1", "password": "s3cret", "project_id": "1",
        "instance_id": "0c11687a",
    },
    "engines": {"postgres": {"host": "127.0.0.1", "port": 30932, "database": "postgres"}},
}  # fmt: skip


def shell(rolecall: Rolecall, script: str, home: Path) -> str:
    """What a script prints in a shell that knows nothing but the place of the data."""
    done = subprocess.run(
        ["sh", "-euc", script],
        env={
            "PATH": f"{PROGRAM.parent}:/usr/bin:/bin",
            "HOME": str(home),
            "ROLECALL_DATA": str(rolecall.data),
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_tccli_works_by_what_the_shell_takes_over(rolecall: Rolecall, tmp_path: Path) -> None:
    script = """eval "$(rolecall env tccli)"
    tccli postgres DescribeAccounts --endpoint $TENCENTCLOUD_ENDPOINT --DBInstanceId $TENCENTCLOUD_INSTANCE_ID"""
    assert "Details" in json.loads(shell(rolecall, script, tmp_path))


def test_the_openstack_client_does_too(rolecall: Rolecall, tmp_path: Path) -> None:
    if "openstack" not in rolecall.ready:
        pytest.skip("no MariaDB on this system")
    script = """eval "$(rolecall env openstack)"
    openstack database instance show $TROVE_INSTANCE_ID -f json"""
    shown = json.loads(shell(rolecall, script, tmp_path))
    assert shown["id"] == rolecall.ready["openstack"]["instance_id"]


def test_a_program_of_postgresql_finds_the_server(rolecall: Rolecall, tmp_path: Path) -> None:
    engine = rolecall.ready["engines"]["postgres"]
    script = f"""eval "$(rolecall env servers)"
    PGUSER={engine["user"]} PGPASSWORD='{engine["password"]}' {sys.executable} -c '
import psycopg
print(psycopg.connect().info.port)'"""
    assert shell(rolecall, script, tmp_path).strip() == str(engine["port"])


@pytest.mark.parametrize("client", [None, *(client for client in Client if client is not Client.curl)])
def test_a_shell_and_json_give_the_same(rolecall: Rolecall, tmp_path: Path, client: Client | None) -> None:
    if "openstack" not in rolecall.ready:
        pytest.skip("no MariaDB on this system")
    words = "env" if client is None else f"env {client}"
    script = f"""eval "$(rolecall {words})"
    {sys.executable} -c 'import json, os; print(json.dumps(dict(os.environ)))'"""
    as_json = json.loads(shell(rolecall, f"rolecall {words} --json", tmp_path))
    assert as_json == variables(rolecall.ready, client)
    assert as_json.items() <= json.loads(shell(rolecall, script, tmp_path)).items()


def test_values_are_quoted_for_a_shell(tmp_path: Path) -> None:
    (tmp_path / "ready.json").write_text(json.dumps(READY))
    script = 'eval "$(rolecall env openstack)"; printf %s "$OS_CACERT"'
    done = subprocess.run(
        ["sh", "-euc", script],
        env={
            "PATH": f"{PROGRAM.parent}:/usr/bin:/bin",
            "HOME": str(tmp_path),
            "ROLECALL_DATA": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert done.stdout == READY["ca_file"]


def test_the_tencentcloud_provider_is_led_to_names_of_this_machine() -> None:
    found = variables(READY, Client.terraform)
    assert (found["TENCENTCLOUD_PROTOCOL"], found["TENCENTCLOUD_DOMAIN"]) == ("HTTPS", "localhost:7653")


@pytest.mark.parametrize(("words", "said"), [(["env"], "start `rolecall up` first"), (["env", "gcp"], "gcp")])
def test_without_a_running_rolecall_or_with_another_client_it_says_why(
    tmp_path: Path, words: list[str], said: str
) -> None:
    done = subprocess.run(
        [PROGRAM, *words, "--data", tmp_path], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode > 0
    assert done.stdout == ""
    assert said in done.stderr


def test_without_mariadb_the_other_clients_are_served() -> None:
    ready = {name: value for name, value in READY.items() if name not in ("aliyun", "openstack")}
    assert "TENCENTCLOUD_SECRET_ID" in variables(ready)
    assert "OS_USERNAME" not in variables(ready, Client.terraform)


def test_curl_has_a_token(rolecall: Rolecall, tmp_path: Path) -> None:
    if "openstack" not in rolecall.ready:
        pytest.skip("no MariaDB on this system")
    script = """eval "$(rolecall env curl)"
    curl --silent --fail --header "X-Auth-Token: $OS_TOKEN" $OS_DATABASE_URL/instances
    rolecall env curl --format config | curl --silent --fail --config - $OS_DATABASE_URL/instances"""
    first, second = (
        json.loads(line) for line in shell(rolecall, script, tmp_path).replace("}{", "}\n{").splitlines()
    )
    assert first == second
    assert rolecall.ready["openstack"]["instance_id"] in {one["id"] for one in first["instances"]}


def test_the_openstack_client_works_by_its_own_file(rolecall: Rolecall, tmp_path: Path) -> None:
    if "openstack" not in rolecall.ready:
        pytest.skip("no MariaDB on this system")
    script = """mkdir -p ~/.config/openstack
    rolecall env openstack --format config > ~/.config/openstack/clouds.yaml
    openstack --os-cloud rolecall database instance list -f json"""
    found = {one["ID"] for one in json.loads(shell(rolecall, script, tmp_path))}
    assert rolecall.ready["openstack"]["instance_id"] in found


SECRET = "a'b\\c$d \"e"


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--shell", "fish"), "set -gx TENCENTCLOUD_SECRET_KEY 'a\\'b\\\\c$d \"e'"),
        (("--shell", "powershell"), "$env:TENCENTCLOUD_SECRET_KEY = 'a''b\\c$d \"e'"),
        (("--format", "dotenv"), 'TENCENTCLOUD_SECRET_KEY="a\'b\\\\c\\$d \\"e"'),
        (("--format", "dotenv"), "TENCENTCLOUD_REGION=ap-guangzhou"),
    ],
)
def test_values_are_quoted_for_other_shells(tmp_path: Path, options: tuple[str, ...], line: str) -> None:
    ready = READY | {"tencent": {**READY["tencent"], "secret_key": SECRET}}  # type: ignore[dict-item]
    (tmp_path / "ready.json").write_text(json.dumps(ready))
    command = [PROGRAM, "env", "tencent", *options, "--data", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert line in done.stdout.splitlines()


def test_terraform_has_blocks_of_its_providers() -> None:
    text = configuration(READY | {"ca_file": "/a/${b}"}, Client.terraform)
    assert 'provider "tencentcloud" {\n  secret_id  = "AKID1"\n' in text
    assert '  domain     = "localhost:7653"\n}\n\nprovider "openstack" {\n' in text
    assert '  cacert_file    = "/a/$${b}"\n' in text


def test_the_files_of_other_clients_are_json() -> None:
    assert json.loads(configuration(READY, Client.tccli)) == {"secretId": "AKID1", "secretKey": "s3cret"}
    (profile,) = json.loads(configuration(READY, Client.aliyun))["profiles"]
    assert profile["access_key_secret"] == "s3cret"


@pytest.mark.parametrize("client", [None, Client.servers])
def test_a_file_is_of_one_client_that_has_one(client: Client | None) -> None:
    with pytest.raises(CommandError, match="needs one of the clients aliyun, curl"):
        configuration(READY, client)
