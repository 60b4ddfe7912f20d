"""Sub-users at the console, over the wire: made through the API, and shown what the API knows."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from tests.conftest import Rolecall
from tests.server.cam import PASSWORD, Cam
from tests.server.signin_browser import Browser

NEW = "Fresh-Horse-43"


@pytest.fixture(scope="module")
def cam(rolecall: Rolecall) -> Cam:
    return Cam(rolecall)


@pytest.fixture
def browser() -> Iterator[Browser]:
    with Browser(address=f"198.51.100.{secrets.randbelow(250) + 1}") as one:
        yield one


def enter(cam: Cam, browser: Browser, name: str, password: str = PASSWORD, owner: str = "") -> Any:
    page = browser.get(f"{cam.rolecall.endpoint}/console/sign-in")
    number = owner or str(cam.rolecall.ready["owner"]["uin"])
    return browser.send(page, owner=number, name=name, secret_password=password)


def test_a_sub_user_signs_in_and_sees_itself_its_keys_and_its_groups(cam: Cam, browser: Browser) -> None:
    added = cam.add(ConsoleLogin=1, UseApi=1, Password=PASSWORD, NeedResetPassword=0, Remark="<i>till</i>")
    cam.as_user(added).call("GetUserAppId")
    group = f"group-{secrets.token_hex(4)}"
    made = cam.ok("CreateGroup", GroupName=group)["GroupId"]
    cam.ok("AddUserToGroup", Info=[{"Uid": added["Uid"], "GroupId": made}])
    entered = enter(cam, browser, added["Name"])
    assert browser.follow(entered).url.path == "/console"
    home = browser.get(f"{cam.rolecall.endpoint}/console/me")
    assert home.status_code == 200
    for what in (added["Name"], str(added["Uin"]), added["SecretId"], group, "&lt;i&gt;till&lt;/i&gt;"):
        assert what in home.text
    assert added["SecretKey"] not in home.text
    assert "198.51.100." in home.text
    shown = cam.ok("GetUser", Name=added["Name"])
    assert shown["RecentlyLoginIP"] in home.text
    assert shown["RecentlyLoginTime"]
    left = browser.send(home)
    assert left.headers["location"] == "/console/sign-in"
    assert browser.get(f"{cam.rolecall.endpoint}/console").status_code == 303


def test_a_password_that_must_be_changed_is_changed_first(cam: Cam, browser: Browser) -> None:
    added = cam.add(ConsoleLogin=1, Password=PASSWORD, NeedResetPassword=1)
    page = browser.follow(enter(cam, browser, added["Name"]))
    assert page.url.path == "/console/password"
    home = f"{cam.rolecall.endpoint}/console"
    assert browser.get(home).headers["location"] == "/console/password"
    for new, status in (("weak", 400), (PASSWORD, 400)):
        assert (
            browser.send(page, secret_current=PASSWORD, secret_new=new, secret_repeat=new).status_code
            == status
        )
    assert browser.send(page, secret_current="wrong", secret_new=NEW, secret_repeat=NEW).status_code == 403
    before = dict(browser.client.cookies)
    done = browser.send(page, secret_current=PASSWORD, secret_new=NEW, secret_repeat=NEW)
    assert browser.follow(done).url.path == "/console"
    assert dict(browser.client.cookies) != before
    with Browser() as other:
        assert enter(cam, other, added["Name"]).status_code == 403
        assert other.follow(enter(cam, other, added["Name"], NEW)).url.path == "/console"


def test_whoever_may_not_sign_in_reads_the_same(cam: Cam, browser: Browser) -> None:
    allowed = cam.add(ConsoleLogin=1, Password=PASSWORD, NeedResetPassword=0)["Name"]
    without = cam.add(ConsoleLogin=0)["Name"]
    answers = {
        name: enter(cam, browser, *who)
        for name, who in {
            "unknown": ("nobody", PASSWORD),
            "wrong": (allowed, "wrong"),
            "no console login": (without, PASSWORD),
            "another owner": (allowed, PASSWORD, "100000000099"),
            "no owner": (allowed, PASSWORD, "x"),
        }.items()
    }
    assert {answer.status_code for answer in answers.values()} == {403}
    messages = {answer.text.split('id="message">')[1].split("<")[0] for answer in answers.values()}
    assert len(messages) == 1
    assert enter(cam, browser, allowed).status_code == 303


@pytest.mark.parametrize("change", ["delete", "no console login", "another password"])
def test_a_session_ends_with_what_it_hangs_on(cam: Cam, browser: Browser, change: str) -> None:
    name = cam.add(ConsoleLogin=1, Password=PASSWORD, NeedResetPassword=0)["Name"]
    home = browser.follow(enter(cam, browser, name))
    assert home.status_code == 200
    if change == "delete":
        cam.ok("DeleteUser", Name=name, Force=1)
    elif change == "no console login":
        cam.ok("UpdateUser", Name=name, ConsoleLogin=0)
    else:
        cam.ok("UpdateUser", Name=name, ConsoleLogin=1, Password=NEW, NeedResetPassword=0)
    again = browser.get(f"{cam.rolecall.endpoint}/console")
    assert again.headers["location"] == "/console/sign-in"


def test_a_form_from_a_foreign_page_does_nothing(cam: Cam, browser: Browser) -> None:
    name = cam.add(ConsoleLogin=1, Password=PASSWORD, NeedResetPassword=0)["Name"]
    home = browser.follow(enter(cam, browser, name))
    browser.client.headers["sec-fetch-site"] = "cross-site"
    assert browser.send(home).status_code == 403
    del browser.client.headers["sec-fetch-site"]
    assert browser.get(f"{cam.rolecall.endpoint}/console").status_code == 200


def test_nothing_else_is_at_the_console(cam: Cam, browser: Browser) -> None:
    endpoint = cam.rolecall.endpoint
    assert browser.get(f"{endpoint}/console").headers["location"] == "/console/sign-in"
    assert browser.client.post(f"{endpoint}/console/sign-out").status_code == 303
    name = cam.add(ConsoleLogin=1, Password=PASSWORD, NeedResetPassword=0)["Name"]
    enter(cam, browser, name)
    assert browser.get(f"{endpoint}/console/nothing").status_code == 404
    assert browser.client.put(f"{endpoint}/console").status_code == 405


def test_a_browser_at_the_bare_address_is_led_to_the_console_and_a_client_is_answered(
    cam: Cam, browser: Browser
) -> None:
    endpoint = cam.rolecall.endpoint
    led = browser.client.get(f"{endpoint}/", headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert (led.status_code, led.headers["location"]) == (303, "/console")
    discovered = browser.client.get(f"{endpoint}/", headers={"accept": "application/json"})
    assert discovered.status_code == 300


def test_the_owner_signs_in_by_the_link_that_the_command_prints(cam: Cam, browser: Browser) -> None:
    (printed,) = json.loads(cam.rolecall.cli("console", "--json").stdout)
    elsewhere = browser.get(printed["link"])
    assert (elsewhere.status_code, "on the machine where Rolecall runs" in elsewhere.text) == (403, True)
    with Browser() as here:
        home = here.follow(here.get(printed["link"]))
        assert (home.status_code, str(cam.rolecall.ready["owner"]["uin"]) in home.text) == (200, True)
        assert here.get(printed["link"]).status_code == 403
