"""Stored secrets whose master key is not listed any more: each use is refused in words, and nothing crashes."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator

import httpx
import psycopg
import pytest
from tests.conftest import Rolecall, store_admin
from tests.server.cam import Cam
from tests.server.ciam import Ciam
from tests.server.signin_browser import Relying, said
from tests.server.test_console_files import send
from tests.server.visitor import Visitor

SAYS = "no listed master key sealed this"


@pytest.fixture(scope="module")
def owner(rolecall: Rolecall) -> Iterator[Visitor]:
    key = rolecall.tencent
    visitor = Visitor(
        Cam(rolecall), **{"as": "owner", "key_id": key["secret_id"], "secret_key": key["secret_key"]}
    )
    yield visitor
    visitor.browser.client.close()


def unseal(rolecall: Rolecall, table: str, column: str, where: str, *values: object) -> None:
    """Make values in the store those of another master key, whose tag begins at their second byte."""
    with psycopg.connect(store_admin(rolecall.data), autocommit=True) as store:
        other = f"set_byte({column}, 1, get_byte({column}, 1) # 255)"
        changed = store.execute(f"update {table} set {column} = {other} where {where}", values)
        assert changed.rowcount


@pytest.fixture
def user_store(rolecall: Rolecall) -> str:
    made = rolecall.cli("store", "add", f"s{secrets.token_hex(5)}", "--json").stdout
    return str(json.loads(made)[0]["store"])


def test_a_file_of_users_that_does_not_open_is_named_by_its_preview(
    rolecall: Rolecall, owner: Visitor, user_store: str
) -> None:
    at = send(owner, f"/console/directories/{user_store}/import", "x.csv", b"user_name\nx\n").headers[
        "location"
    ]
    unseal(rolecall, "import_upload_pieces", "sealed", "upload_id = %s", at.rpartition("/")[2])
    for page in (owner.get(at), owner.post(at, sent="1")):
        assert page.status_code == 503
        assert SAYS in page.text
        assert "ROLECALL_MASTER_KEY" in page.text
    began = owner.post(at, confirm="1", sent="1")  # which opens nothing
    assert owner.get(began.headers["location"]).status_code == 200


def test_an_access_key_that_does_not_open_signs_nothing(rolecall: Rolecall) -> None:
    (key,) = json.loads(rolecall.cli("key", "create", "--json").stdout)
    try:
        unseal(rolecall, "access_keys", "sealed_secret", "id = %s", key["secret_id"])
        refused = rolecall.call("DescribeRegions", secret_id=key["secret_id"], secret_key=key["secret_key"])
        assert refused["Error"]["Code"] == "InternalError"
        assert "master key" in refused["Error"]["Message"]
        page = httpx.post(
            f"{rolecall.endpoint}/v3/auth/tokens",
            json={"auth": {"identity": {"methods": ["password"], "password": {"user": {
                "name": key["secret_id"], "domain": {"id": "default"}, "password": key["secret_key"]}}}}},
        )  # fmt: skip
        assert page.status_code == 500
        assert "master key" in page.text
    finally:
        rolecall.cli("key", "disable", key["secret_id"])


def test_an_instance_whose_password_does_not_open_is_out_of_reach_and_the_others_are_not(
    rolecall: Rolecall, owner: Visitor
) -> None:
    engine = rolecall.ready["engines"]["postgres"]
    url = f"postgresql://{engine['user']}@{engine['host']}:{engine['port']}/postgres"
    added = rolecall.cli(
        "instance", "add", url, "--unchecked", "--json", ROLECALL_INSTANCE_PASSWORD=engine["password"]
    )
    instance = json.loads(added.stdout)[0]["id"]
    try:
        unseal(
            rolecall,
            "instances",
            "sealed_password",
            "id = (select instance_id from instance_faces where public_id = %s)",
            instance,
        )
        refused = rolecall.call("DescribeAccounts", {"DBInstanceId": instance})
        assert refused["Error"]["Code"].startswith("FailedOperation")
        listed = rolecall.call("DescribeDBInstances")["DBInstanceSet"]
        states = {each["DBInstanceId"]: each["DBInstanceStatus"] for each in listed}
        assert (states[instance], states[rolecall.instance_id]) == ("limited run", "running")
        assert owner.get("/console/instances").status_code == 200
        assert owner.get(f"/console/instances/{instance}").status_code == 200
        assert "engine-unreachable" in rolecall.cli("account", "list", "--instance", instance).stdout
        checked = rolecall.cli("instance", "check", instance, check=False)
        assert checked.returncode == 1
        assert SAYS in checked.stdout
        assert "Traceback" not in checked.stderr
    finally:
        rolecall.cli("instance", "remove", instance)


def test_a_user_store_whose_signing_key_does_not_open_signs_nobody_in(
    rolecall: Rolecall, user_store: str
) -> None:
    issuer = f"{rolecall.endpoint}/oidc/{user_store}"
    made = rolecall.cli(
        "application",
        "add",
        "--store",
        user_store,
        "--redirect-uri",
        "http://127.0.0.1:1/",
        "--public",
        "--password-grant",
        "--json",
    ).stdout
    user = Ciam(rolecall, user_store).create()
    relying = Relying(issuer, json.loads(made)[0]["client_id"], "http://127.0.0.1:1/")
    assert (
        httpx.get(f"{issuer}/oauth2/jwks").status_code == 200
    )  # which makes the key, and keeps it open by its id
    with psycopg.connect(store_admin(rolecall.data), autocommit=True) as store:
        store.execute("update signing_keys set id = md5(id) where store_id = %s", (user_store,))
    refused = said(relying.by_password(user["UserName"], "Right-Horse-42"), 503)
    assert refused["error"] == "temporarily_unavailable"
