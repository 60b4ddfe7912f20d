"""Scripts in names, servers that are down, sessions that end in a form, and visitors who may only read."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import asyncmy
import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import require_accessible, require_fits
from tests.conftest import Rolecall

SCRIPTS = ("<img src=x onerror=alert(1)>", "</td><script>alert(1)</script>", "\"' onmouseover=alert(1) x='")
"""Names that SQL permits. The fixture `visit` fails if one of them runs, or the policy has to prevent it."""

LONGEST = 30
"""Seconds to a page beside a server that is down, on a busy machine; alone it takes less than two, and without
deadlines a minute, or for ever."""

PASSWORD = "Visitor_password1"


@pytest.fixture
def hostile(rolecall: Rolecall) -> Iterator[None]:
    for name in SCRIPTS:
        quoted = name.replace('"', '""')
        rolecall.sql(f'CREATE ROLE "{quoted}" LOGIN')
        rolecall.sql(f"""COMMENT ON ROLE "{quoted}" IS '{name.replace("'", "''")}'""")
    rolecall.sql('CREATE DATABASE "<script>alert(1)</script>"')
    yield
    rolecall.sql('DROP DATABASE "<script>alert(1)</script>"')
    for name in SCRIPTS:
        quoted = name.replace('"', '""')
        rolecall.sql(f'DROP ROLE "{quoted}"')


@pytest.mark.usefixtures("hostile")
def test_names_and_comments_that_hold_scripts_are_text(
    rolecall: Rolecall, visit: Callable[..., Page]
) -> None:
    address = f"/console/instances/{rolecall.instance_id}"
    page = visit(address, size="narrow")
    for name in SCRIPTS:
        page.goto(address)
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
        require_fits(page)
    page.goto(f"{address}/databases")
    expect(page.get_by_text("<script>alert(1)</script>", exact=True).first).to_be_visible()
    require_accessible(page)


def test_so_are_names_of_mariadb(rolecall: Rolecall, visit: Callable[..., Page]) -> None:
    if "openstack" not in rolecall.ready:
        pytest.skip("MariaDB is not installed")
    name = "it's \"<b>quoted"
    on_mariadb(rolecall, f"CREATE DATABASE `{name}`")
    try:
        page = visit(f"/console/instances/{rolecall.ready['openstack']['instance_id']}/databases")
        expect(page.get_by_text(name, exact=True).first).to_be_visible()
    finally:
        on_mariadb(rolecall, f"DROP DATABASE `{name}`")


def on_mariadb(rolecall: Rolecall, statement: str) -> None:
    """In a thread of its own, as Playwright's event loop is in this one."""
    engine = rolecall.ready["engines"]["mysql"]

    async def run() -> None:
        keywords = {name: engine[name] for name in ("host", "port", "user", "password")}
        connection = await asyncmy.connect(**keywords)
        async with connection.cursor() as cursor:
            await cursor.execute(statement)
        await connection.ensure_closed()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, run()).result()


@pytest.fixture(params=["refuses", "is silent"])
def down(request: pytest.FixtureRequest, rolecall: Rolecall) -> Iterator[str]:
    """The id of an instance whose server refuses connections, or accepts them and says nothing."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        if request.param == "is silent":
            listener.listen(64)
        url = f"postgresql://postgres@127.0.0.1:{listener.getsockname()[1]}/postgres"
        added = rolecall.cli(
            "instance", "add", url, "--unchecked", "--json", ROLECALL_INSTANCE_PASSWORD="unused"
        )
        (instance,) = json.loads(added.stdout)
        yield str(instance["id"])
        rolecall.cli("instance", "remove", str(instance["id"]))


def test_beside_a_server_that_is_down_the_rest_works(
    rolecall: Rolecall, visit: Callable[..., Page], down: str
) -> None:
    page = visit("/console/me")
    at = f"/console/instances/{down}"
    for path in ("/console", "/console/instances", f"{at}/check", f"{at}/edit", at):
        began = time.monotonic()
        answer = page.goto(path)
        assert answer is not None
        assert (answer.status, time.monotonic() - began < LONGEST) == (200, True), path
        require_accessible(page)
    expect(page.get_by_text("unreachable").first).to_be_visible()
    page.get_by_role("link", name="Check", exact=True).click()
    expect(page.get_by_text("not usable")).to_be_visible()
    page.goto("/console/instances")
    row = page.get_by_role("row").filter(has_text=down)
    expect(row.get_by_text("unreachable")).to_be_visible()
    page.goto(f"/console/instances/{rolecall.instance_id}")
    expect(page.get_by_text("running", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="Accounts")).to_be_visible()


def test_a_form_whose_session_ended_is_shown_again_after_the_sign_in(
    rolecall: Rolecall, visit: Callable[..., Page], name: Callable[[], str]
) -> None:
    account = name()
    page = visit(f"/console/instances/{rolecall.instance_id}/new-account")
    page.fill("#input-name", account)
    page.fill("#input-remark", "typed before the session ended")
    page.context.clear_cookies()
    page.get_by_role("button", name="Continue").click()
    require_accessible(page)
    page.get_by_label("SecretId").fill(rolecall.tencent["secret_id"])
    page.get_by_label("SecretKey").fill(rolecall.tencent["secret_key"])
    page.get_by_role("button", name="Sign in").last.click()
    expect(page.get_by_text("typed before the session ended")).to_be_visible()
    require_accessible(page)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="What this does")).to_be_visible()
    expect(page.get_by_text(account).first).to_be_visible()


@pytest.fixture
def reader(rolecall: Rolecall, name: Callable[[str], str]) -> Iterator[str]:
    """The name of a sub-user that may read PostgreSQL instances, and nothing else."""

    def cam(action: str, **params: Any) -> dict[str, Any]:
        response = rolecall.call(action, params, service="cam", version="2019-01-16")
        assert "Error" not in response, response
        return response

    user, policy = name("reader"), name("reads")
    statement = {"effect": "allow", "action": "postgres:Describe*", "resource": "*"}
    document = json.dumps({"version": "2.0", "statement": [statement]})
    uin = cam("AddUser", Name=user, ConsoleLogin=1, Password=PASSWORD, NeedResetPassword=0)["Uin"]
    number = cam("CreatePolicy", PolicyName=policy, PolicyDocument=document)["PolicyId"]
    cam("AttachUserPolicy", PolicyId=number, AttachUin=uin)
    yield user
    cam("DeleteUser", Name=user, Force=1)
    cam("DeletePolicy", PolicyId=[number])


def test_who_may_only_read_is_offered_no_change_and_refused_one(
    rolecall: Rolecall, visit: Callable[..., Page], name: Callable[[], str], reader: str
) -> None:
    account = name()
    rolecall.ok("CreateAccount", UserName=account, Type="normal", Password=PASSWORD)
    page = visit("/console/sign-in", signed_in=False)
    page.get_by_label("Owner account number").fill(str(rolecall.ready["owner"]["uin"]))
    page.get_by_label("Sub-user name").fill(reader)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").first.click()
    page.get_by_role("link", name="Instances").first.click()
    page.get_by_role("link", name="quickstart", exact=True).click()
    expect(page.get_by_role("heading", name="Accounts")).to_be_visible()
    expect(page.get_by_role("link", name="Create an account")).to_have_count(0)
    address = f"/console/instances/{rolecall.instance_id}"
    page.goto(f"{address}/accounts/{account}")
    expect(page.get_by_role("heading", name=account, exact=True)).to_be_visible()
    expect(page.locator(".tools a")).to_have_count(0)
    for change in ("new-account", f"accounts/{account}/lock", f"accounts/{account}/delete", "new-database"):
        answer = page.goto(f"{address}/{change}")
        assert answer is not None
        assert answer.status == 403, change
        expect(page.get_by_role("button", name="Confirm")).to_have_count(0)
    for owners in (f"{address}/check", f"{address}/edit", f"{address}/remove", "/console/new-instance"):
        answer = page.goto(owners)
        assert answer is not None
        assert answer.status == 403, owners
    page.goto("/console/instances")
    expect(page.get_by_role("link", name="Register a server")).to_have_count(0)
    answer = page.goto("/console/operations")
    assert answer is not None
    assert answer.status == 403
    assert rolecall.can_log_in(account, PASSWORD)
    rolecall.ok("DeleteAccount", UserName=account)
