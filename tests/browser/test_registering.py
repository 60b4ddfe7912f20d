"""Servers of one's own in the console: registered, checked, changed, unregistered, and refused."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import require_accessible, require_fits
from tests.conftest import Rolecall

HOSTILE = "<script>alert(1)</script>\"'><b>"


@pytest.fixture
def administrator(rolecall: Rolecall) -> Iterator[str]:
    """A role that may administer accounts, but may not read verifiers. Its password: its name and ``_secret``."""
    name = f"admin_{secrets.token_hex(4)}"
    rolecall.sql(f"create role {name} login createrole createdb password '{name}_secret'")
    yield name
    rolecall.sql(f"revoke all on pg_catalog.pg_authid from {name}")
    rolecall.sql(f"drop role {name}")


def instances(rolecall: Rolecall) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(rolecall.cli("instance", "list", "--json").stdout)
    return listed


def fill(page: Page, **typed: str) -> None:
    for name, text in typed.items():
        page.fill(f"#input-{name}", text)


def go_on(page: Page, password: str, button: str = "Continue") -> None:
    page.fill("#input-password", password)
    page.get_by_role("button", name=button).click()
    assert password not in page.content()


def test_a_server_is_registered_checked_changed_and_unregistered(
    rolecall: Rolecall, visit: Callable[..., Page]
) -> None:
    engine, name = rolecall.ready["engines"]["postgres"], f"{HOSTILE}{secrets.token_hex(3)}"
    page = visit("/console/instances", size="narrow")
    page.get_by_role("link", name="Register a server").click()
    fill(page, host=engine["host"], port=str(engine["port"]), administrator=engine["user"], name=name)
    go_on(page, engine["password"])
    expect(page.get_by_text("is a superuser")).to_be_visible()
    expect(page.get_by_text("on this machine")).to_be_visible()
    require_accessible(page)
    require_fits(page)
    assert name not in {row["name"] for row in instances(rolecall)}
    go_on(page, engine["password"], "Confirm")
    expect(page.get_by_role("status").filter(has_text="Done.")).to_be_visible()
    (row,) = [row for row in instances(rolecall) if row["name"] == name]
    assert (row["state"], row["region"]) == ("running", "ap-guangzhou")

    page.get_by_role("link", name=name).click()
    page.get_by_role("link", name="Check", exact=True).click()
    expect(page.get_by_text("is a superuser")).to_be_visible()
    expect(page.get_by_text("statement", exact=False).first).to_be_visible()
    page.get_by_role("link", name=name).click()
    page.get_by_role("link", name="Edit", exact=True).click()
    expect(page.locator("#input-port")).to_have_value(str(engine["port"]))
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Nothing was changed")).to_be_visible()
    rolecall.cli("instance", "set", row["id"], "--account-quota", "5")
    fill(page, account_quota="6")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("was changed since")
    expect(page.locator("#input-account_quota")).to_have_value("6")
    page.select_option("#input-verifier_write", "catalog")
    page.check("#input-isolated")
    fill(page, callers="100000000001, 100000000002", account_quota="7")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("pg_authid (catalog)")).to_be_visible()
    page.get_by_role("button", name="Confirm").click()
    (row,) = [row for row in instances(rolecall) if row["name"] == name]
    assert (row["state"], row["verifier_write"]) == ("isolated", "catalog")
    assert row["listed_callers"] == [100000000001, 100000000002]
    rolecall.cli("instance", "set", row["id"], "--allow-all")

    page.goto(f"/console/instances/{row['id']}")
    page.get_by_role("link", name="Unregister").click()
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("status").filter(has_text="Done.")).to_be_visible()
    assert name not in {row["name"] for row in instances(rolecall)}
    records = json.loads(rolecall.cli("audit", "list", "--json", "--target", row["id"]).stdout)
    assert [(each["dialect"], each["action"], each["outcome"]) for each in records] == [
        ("console", "instance add", "done"),
        ("cli", "instance set", "begun"),
        ("cli", "instance set", "done"),
        ("console", "instance set", "done"),
        ("cli", "instance set", "begun"),
        ("cli", "instance set", "done"),
        ("console", "instance remove", "done"),
    ]
    assert engine["password"] not in json.dumps(records)


def test_what_is_missing_on_a_server_is_shown_with_its_repair(
    rolecall: Rolecall, visit: Callable[..., Page], administrator: str
) -> None:
    engine, before = rolecall.ready["engines"]["postgres"], len(instances(rolecall))
    password = f"{administrator}_secret"
    page = visit("/console/new-instance")
    fill(page, host="not a host", port=str(engine["port"]), administrator=administrator)
    go_on(page, "wrong_password")
    expect(page.locator("#input-host-fault")).to_be_visible()
    fill(page, host=engine["host"], port="0")
    go_on(page, "wrong_password")
    expect(page.locator("#input-port-fault")).to_be_visible()
    fill(page, port=str(engine["port"]))
    go_on(page, "wrong_password")
    expect(page.get_by_text("password authentication failed")).to_be_visible()
    require_accessible(page)
    page.select_option("#input-sslmode", "verify-full")
    go_on(page, password)
    expect(page.get_by_text("SSL", exact=False).first).to_be_visible()
    expect(page.get_by_text("not registered")).to_be_visible()
    page.select_option("#input-sslmode", "")
    go_on(page, password)
    expect(page.get_by_text("cannot read pg_authid")).to_be_visible()
    repair = f'GRANT SELECT ON pg_catalog.pg_authid TO "{administrator}"'
    expect(page.get_by_text(repair)).to_be_visible()
    fill(page, port="1")
    go_on(page, password)
    expect(page.get_by_text("not registered")).to_be_visible()
    rolecall.sql(repair)
    fill(page, port=str(engine["port"]), public_id=rolecall.instance_id)
    go_on(page, password)
    go_on(page, password, "Confirm")
    expect(page.locator("#input-public_id-fault")).to_be_visible()
    assert len(instances(rolecall)) == before


def test_a_mariadb_server_is_registered_too(rolecall: Rolecall, visit: Callable[..., Page]) -> None:
    if "mysql" not in rolecall.ready["engines"]:
        pytest.skip("MariaDB is not installed")
    engine, name = rolecall.ready["engines"]["mysql"], f"maria_{secrets.token_hex(3)}"
    page = visit("/console/new-instance", dark=True, language="zh-CN", size="narrow")
    page.select_option("#input-engine", "mariadb")
    fill(page, host=engine["host"], port=str(engine["port"]), administrator=engine["user"], name=name)
    go_on(page, "wrong_password", "继续")
    expect(page.get_by_text("Access denied")).to_be_visible()
    go_on(page, engine["password"], "继续")
    require_accessible(page)
    require_fits(page)
    go_on(page, engine["password"], "确认")
    expect(page.get_by_role("status").filter(has_text="已完成")).to_be_visible()
    (row,) = [row for row in instances(rolecall) if row["name"] == name]
    assert row["ids"].keys() == {"aliyun", "openstack"}
    rolecall.cli("instance", "remove", row["id"])
