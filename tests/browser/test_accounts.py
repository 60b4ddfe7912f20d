"""Accounts and databases in the console: clicked through, and then asked of the server itself."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import require_accessible
from tests.conftest import Rolecall

PASSWORD = "Console_password1"


def confirm(page: Page, **secrets: str) -> None:
    """Fill in the secrets of the second step and confirm it."""
    expect(page.get_by_role("heading", name="What this does")).to_be_visible()
    for name, text in secrets.items():
        page.fill(f"#input-{name}", text)
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("status").filter(has_text="Done.")).to_be_visible()


def signs_in(rolecall: Rolecall, name: str, password: str) -> bool:
    engine = rolecall.ready["engines"]["postgres"]
    try:
        psycopg.connect(
            host=engine["host"], port=engine["port"], user=name, password=password, dbname="postgres"
        ).close()
    except psycopg.OperationalError:
        return False
    return True


def test_an_account_is_created_locked_unlocked_given_a_password_and_deleted(
    rolecall: Rolecall, visit: Callable[..., Page], name: Callable[[], str]
) -> None:
    account = name()
    page = visit(f"/console/instances/{rolecall.instance_id}")
    page.get_by_role("link", name="Create an account").click()
    page.fill("#input-name", "pg_not_allowed")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#input-name-fault")).to_be_visible()
    require_accessible(page)
    page.fill("#input-name", account)
    page.fill("#input-remark", "made by hand")
    page.get_by_role("button", name="Continue").click()
    require_accessible(page)
    confirm(page, password=PASSWORD)
    assert not signs_in(rolecall, account, "wrong")
    assert signs_in(rolecall, account, PASSWORD)
    page.goto(f"/console/instances/{rolecall.instance_id}/accounts/{account}")
    require_accessible(page)
    expect(page.get_by_text("made by hand").first).to_be_visible()
    page.get_by_role("link", name="Lock").click()
    confirm(page)
    assert not signs_in(rolecall, account, PASSWORD)
    page.get_by_role("link", name="Unlock").click()
    confirm(page)
    page.get_by_role("link", name="Reset the password").click()
    confirm(page, password="Another_password1")
    assert signs_in(rolecall, account, "Another_password1")
    page.get_by_role("link", name="Delete").click()
    confirm(page)
    assert not signs_in(rolecall, account, "Another_password1")


def test_a_user_of_mariadb_is_created_and_granted_a_database(
    rolecall: Rolecall, visit: Callable[..., Page], name: Callable[..., str]
) -> None:
    if "openstack" not in rolecall.ready:
        pytest.skip("MariaDB is not installed")
    user, database = name("u"), name("d")
    instance = rolecall.ready["openstack"]["instance_id"]
    page = visit(f"/console/instances/{instance}/databases")
    page.get_by_role("link", name="Create a database").click()
    page.fill("#input-name", database)
    page.get_by_role("button", name="Continue").click()
    confirm(page)
    page.goto(f"/console/instances/{instance}")
    page.get_by_role("link", name="Create an account").click()
    page.fill("#input-name", user)
    page.get_by_role("button", name="Continue").click()
    confirm(page, password=PASSWORD)
    page.goto(f"/console/instances/{instance}/users/{user}%40%25")
    page.get_by_role("link", name="Grant").click()
    page.fill("#input-database", database)
    page.get_by_role("button", name="Continue").click()
    confirm(page)
    expect(page.get_by_role("cell", name=database)).to_be_visible()
    expect(page.get_by_role("heading", name="aliyun")).to_be_visible()
    require_accessible(page)
