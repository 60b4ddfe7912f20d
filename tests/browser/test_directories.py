"""Directories in the console: clicked through, then asked of the API and of the OpenID provider."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import require_accessible, require_fits
from tests.conftest import Rolecall
from tests.server.cam import PASSWORD as CONSOLE_PASSWORD
from tests.server.cam import Cam
from tests.server.ciam import Ciam, somebody
from tests.server.signin_browser import Relying, quickstart

HOSTILE = "<script>alert(1)</script>\"'><b>"


def confirm(page: Page, **typed: str) -> None:
    """Fill in the secrets of the second step and confirm it."""
    expect(page.get_by_role("heading", name="What this does")).to_be_visible()
    for name, text in typed.items():
        page.fill(f"#input-{name}", text)
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("status").filter(has_text="Done.")).to_be_visible()


def signs_in(rolecall: Rolecall, user: str, password: str) -> bool:
    """By the password grant of the quickstart's application."""
    return quickstart(rolecall).by_password(user, password).status_code == 200


def test_a_user_is_created_found_frozen_restored_reset_and_deleted(
    rolecall: Rolecall, visit: Callable[..., Page]
) -> None:
    ciam, new = Ciam(rolecall), somebody()
    name = new["UserName"]
    page = visit(f"/console/directories/{ciam.store}")
    page.get_by_role("link", name="Create a user", exact=True).click()
    page.fill("#input-name", name)
    page.fill("#input-phone", "not a number")
    page.fill("#input-email", new["Email"])
    page.fill("#input-nickname", HOSTILE)
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#input-phone-fault")).to_be_visible()
    page.fill("#input-phone", new["PhoneNumber"])
    page.get_by_role("button", name="Continue").click()
    confirm(page, password=new["Password"])
    assert signs_in(rolecall, name, new["Password"])

    page.fill("#search", new["Email"][:14].upper())
    page.get_by_role("button", name="Search").click()
    require_accessible(page)
    page.get_by_role("link", name=name, exact=True).click()
    user = page.url.rpartition("/")[2]
    expect(page.get_by_text(HOSTILE)).to_be_visible()
    require_accessible(page)

    page.get_by_role("link", name="Freeze").click()
    confirm(page)
    assert not signs_in(rolecall, name, new["Password"])
    expect(page.get_by_role("link", name="Reset the password")).to_have_count(0)
    page.get_by_role("link", name="Restore").click()
    confirm(page)
    assert signs_in(rolecall, name, new["Password"])

    page.get_by_role("link", name="Reset the password").click()
    confirm(page)
    fresh = page.locator("dd code").inner_text()
    assert not signs_in(rolecall, name, new["Password"])
    assert signs_in(rolecall, name, fresh)
    page.get_by_role("link", name="Continue").click()
    expect(page.get_by_text(fresh)).to_have_count(0)

    page.get_by_role("link", name="Edit", exact=True).click()
    expect(page.locator("#input-email")).to_have_value(new["Email"])
    page.fill("#input-nickname", "")
    page.get_by_role("button", name="Continue").click()
    confirm(page)
    shown = ciam.shown(user)
    assert shown is not None
    assert (shown["Nickname"], shown["Email"]) == ("", new["Email"])

    page.get_by_role("link", name="Delete", exact=True).click()
    confirm(page)
    assert ciam.shown(user) is None


def test_a_group_gets_a_user_and_loses_it(rolecall: Rolecall, visit: Callable[..., Page]) -> None:
    ciam, group = Ciam(rolecall), f"{HOSTILE}{secrets.token_hex(4)}"
    user = ciam.create()
    page = visit(f"/console/directories/{ciam.store}/groups")
    page.get_by_role("link", name="Create a group").click()
    page.fill("#input-name", group)
    page.get_by_role("button", name="Continue").click()
    confirm(page)
    page.goto(f"/console/directories/{ciam.store}/users/{user['UserId']}")
    page.get_by_role("link", name="Add to a group").click()
    page.fill("#search", group)
    page.get_by_role("button", name="Search").click()
    require_accessible(page)
    page.get_by_role("link", name="Add:").click()
    confirm(page)
    shown = ciam.shown(user["UserId"])
    assert shown is not None
    assert shown["UserGroupNames"] == [group]
    page.get_by_role("link", name=group, exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name=user["UserName"]).click()
    page.get_by_role("link", name="Remove from the group").click()
    confirm(page)
    shown = ciam.shown(user["UserId"])
    assert shown is not None
    assert shown["UserGroupNames"] == []
    page.goto(f"/console/directories/{ciam.store}/groups?search={group[-8:]}")
    page.get_by_role("link", name="Edit:").click()
    page.fill("#input-description", "described")
    page.get_by_role("button", name="Continue").click()
    confirm(page)
    page.goto(f"/console/directories/{ciam.store}/groups?search={group[-8:]}")
    expect(page.get_by_role("cell", name="described")).to_be_visible()
    page.get_by_role("link", name="Delete:").click()
    confirm(page)


def test_a_store_is_created_renamed_and_deleted(rolecall: Rolecall, visit: Callable[..., Page]) -> None:
    name = f"{HOSTILE}{secrets.token_hex(4)}"
    page = visit("/console/directories")
    page.get_by_role("link", name="Create a user store").click()
    page.fill("#input-name", name)
    page.get_by_role("button", name="Continue").click()
    confirm(page)
    page.get_by_role("link", name=name).click()
    store = page.url.rpartition("/")[2]
    page.get_by_role("link", name="Edit the user store").click()
    expect(page.locator("#input-name")).to_have_value(name)
    page.fill("#input-name", f"{name}2")
    page.get_by_role("button", name="Continue").click()
    confirm(page)
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{name}2")
    user = Ciam(rolecall, store).create()
    page.goto(f"/console/directories/{store}/log")
    expect(page.get_by_role("link", name=user["UserName"])).to_be_visible()
    require_accessible(page)
    page.goto(f"/console/directories/{store}/delete")
    confirm(page)
    code = Ciam(rolecall, store).code("DescribeUserById", UserId=user["UserId"])
    assert code == "FailedOperation.InvalidUserStore"


def test_what_is_not_there_is_not_found(rolecall: Rolecall, visit: Callable[..., Page]) -> None:
    page = visit("/console/directories")
    store = Ciam(rolecall).store
    for path in ("0" * 32, "nothing", f"{store}/users/{'0' * 32}", f"{store}/users/x/freeze"):
        answer = page.goto(f"/console/directories/{path}")
        assert answer is not None
        assert answer.status == 404, path
    assert re.search("nothing here", page.inner_text("main"))


def test_an_application_is_registered_and_deleted(rolecall: Rolecall, visit: Callable[..., Page]) -> None:
    ciam = Ciam(rolecall)
    user, name = ciam.create(), f"{HOSTILE}{secrets.token_hex(4)}"
    page = visit(f"/console/directories/{ciam.store}/applications")
    page.get_by_role("link", name="Register an application").click()
    page.fill("#input-name", name)
    page.fill("#input-redirect_uris", "http://elsewhere.example/callback")
    page.check("#input-password_grant")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("plain http")
    page.fill("#input-redirect_uris", "http://127.0.0.1:1/callback\nhttps://app.example/callback")
    page.get_by_role("button", name="Continue").click()
    confirm(page)
    client, secret = (page.locator("dd code").nth(place).inner_text() for place in (0, 1))
    require_accessible(page)
    issuer = f"{rolecall.endpoint}/oidc/{ciam.store}"
    relying = Relying(issuer, client, "http://127.0.0.1:1/callback", secret)
    assert relying.by_password(user["UserName"], "Right-Horse-42").status_code == 200
    page.get_by_role("link", name="Continue").click()
    expect(page.get_by_text(secret)).to_have_count(0)
    row = page.get_by_role("row").filter(has_text=client)
    row.get_by_role("link", name="Forbid the password grant").click()
    confirm(page)
    assert relying.by_password(user["UserName"], "Right-Horse-42").status_code == 400
    row.get_by_role("link", name="Delete").click()
    confirm(page)
    assert relying.by_password(user["UserName"], "Right-Horse-42").status_code == 401
    page.get_by_role("link", name="Rotate the signing key").click()
    confirm(page)
    page.goto("/console/operations?action=application")
    page.fill("#action", "application rotate-key")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("cell", name="console application rotate-key").first).to_be_visible()


@pytest.mark.parametrize("look", [{}, {"dark": True, "size": "narrow", "language": "zh-CN"}])
def test_sign_in_pages_have_the_name_and_the_colour_of_their_store(
    rolecall: Rolecall, visit: Callable[..., Page], look: dict[str, object]
) -> None:
    relying = quickstart(rolecall)
    store = Ciam(rolecall).store
    page = visit(f"/console/directories/{store}/colour")
    page.fill("#input-colour", "teal")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("#rrggbb")
    page.fill("#input-colour", "#FFD166")
    page.get_by_role("button", name="Continue").click()
    confirm(page)
    desk = visit(relying.asking, signed_in=False, **look)
    brand = desk.locator(".brand")
    expect(brand).to_have_text("quickstart")
    expect(brand).to_have_css("background-color", "rgb(255, 209, 102)")
    expect(brand).to_have_css("color", "rgb(0, 0, 0)")
    require_accessible(desk)
    require_fits(desk)
    desk.fill("#login", "no such user")
    desk.fill("#password", "wrong")
    desk.locator("button").click()
    expect(desk.get_by_role("alert")).to_be_visible()
    require_accessible(desk)
    rolecall.cli("store", "set", store, "--colour", "none")
    desk.goto(relying.asking)
    expect(brand).to_have_css("background-color", "rgb(29, 78, 216)")


def test_an_import_shows_how_far_it_came_and_what_it_refused(
    rolecall: Rolecall, visit: Callable[..., Page], tmp_path: Path
) -> None:
    ciam = Ciam(rolecall)
    taken = ciam.create()["UserName"]
    name = f"imported{secrets.token_hex(4)}"
    file = tmp_path / "users.csv"
    file.write_text(f"user_name\n{name}\n{taken}\n")
    rolecall.cli("user", "import", str(file), "--store", ciam.store, check=False)
    page = visit(f"/console/directories/{ciam.store}/import")
    row = page.get_by_role("row").filter(has_text="finished").first
    expect(row.get_by_role("cell").nth(3)).to_have_text("1")
    row.get_by_role("link").click()
    expect(page.get_by_role("cell", name="user_name is taken")).to_be_visible()
    require_accessible(page)


def test_a_sub_user_sees_and_changes_what_policies_permit(
    rolecall: Rolecall, visit: Callable[..., Page]
) -> None:
    ciam, cam = Ciam(rolecall), Cam(rolecall)
    user = ciam.create()
    added = cam.add(ConsoleLogin=1, Password=CONSOLE_PASSWORD, NeedResetPassword=0)
    page = visit("/console/sign-in", signed_in=False)
    page.fill("#owner", str(rolecall.ready["owner"]["uin"]))
    page.fill("#name", added["Name"])
    page.fill("#password", CONSOLE_PASSWORD)
    page.get_by_role("button", name="Sign in").first.click()
    page.goto("/console/directories")
    expect(page.locator(".notice.warn")).to_be_visible()
    expect(page.get_by_role("link", name="Create a user store")).to_have_count(0)
    store = f"/console/directories/{ciam.store}"
    answer = page.goto(store)
    assert answer is not None
    assert answer.status == 404
    actions = ["ListUserStore", "ListUser", "DescribeUserById", "UpdateUserStatus"]
    statement = {"effect": "allow", "action": [f"ciam:{each}" for each in actions], "resource": ["*"]}
    document = json.dumps({"version": "2.0", "statement": [statement]})
    policy = cam.ok("CreatePolicy", PolicyName=f"p{secrets.token_hex(6)}", PolicyDocument=document)
    cam.ok("AttachUserPolicy", PolicyId=policy["PolicyId"], AttachUin=added["Uin"])
    page.goto(f"{store}/users/{user['UserId']}")
    expect(page.get_by_role("link", name="Reset the password")).to_have_count(0)
    expect(page.get_by_role("link", name="Applications")).to_have_count(0)
    require_accessible(page)
    page.get_by_role("link", name="Freeze").click()
    confirm(page)
    assert not signs_in(rolecall, user["UserName"], "Right-Horse-42")
    none = "0" * 32
    refused = (
        "/applications", "/import", f"/import/{none}", f"/imports/{none}", f"/imports/{none}/refused", "/colour",
        "/delete", "/groups", f"/users/{user['UserId']}/delete",
    )  # fmt: skip
    for path in refused:
        answer = page.goto(f"{store}{path}")
        assert answer is not None
        assert answer.status == 403, path
