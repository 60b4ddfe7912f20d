"""Requests to the console that no page of its own makes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from tests.unit.signin_desk import OWNER, START, Desk, header
from tests.unit.test_console_sign_in import at_console, create_initial_objects

from rolecall.console import pages, sign_in
from rolecall.domain.access.sign_in_links import SignInLinks
from rolecall.values import Request


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    one = Desk()
    create_initial_objects(one)
    yield one
    one.passwords.close()


async def test_a_form_of_a_foreign_page_does_not_sign_out(desk: Desk) -> None:
    """Browsers leave a SameSite cookie out of it, and would obey an answer that ends the cookie."""
    await at_console(desk)
    kept, desk.cookies = dict(desk.cookies), {}
    for path in ("sign-out", "password"):
        foreign = await desk.ask(
            "POST", f"/console/{path}", form={}, headers={"sec-fetch-site": "cross-site"}
        )
        assert header(foreign, "location") == "/console/sign-in"
        assert "set-cookie" not in dict(foreign.headers)
    desk.cookies = kept
    assert (await desk.ask("GET", "/console")).status == 200


async def test_a_browser_that_prepares_for_a_visit_does_not_use_the_link(desk: Desk) -> None:
    code = (await SignInLinks(desk.links).create(OWNER, datetime.fromtimestamp(START, UTC))).reveal()
    desk.client = "127.0.0.1"
    for name, value in (
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "prefetch"),
        ("x-moz", "prefetch"),
    ):
        early = await desk.ask("GET", "/console/link", {"code": code}, headers={name: value})
        assert (early.status, desk.kept.sessions) == (503, {})
    assert header(await desk.ask("GET", "/console/link", {"code": code}), "location") == "/console"


async def test_pages_say_which_methods_they_take_and_take_head(desk: Desk) -> None:
    for path in ("/console/sign-in", "/console/password"):
        assert header(await desk.ask("PUT", path), "allow") == "GET, POST"
    assert header(await desk.ask("GET", "/console/sign-out"), "allow") == "POST"
    assert header(await desk.ask("HEAD", "/console/link"), "allow") == "GET"
    assert (await desk.ask("HEAD", "/console/sign-in")).status == 200
    await at_console(desk)
    refused = await desk.ask("DELETE", "/console")
    assert (refused.status, header(refused, "allow")) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    "wanted",
    [
        "/console/../oauth2/x",
        "/console/%2e%2E/x",
        "/console/./../x",
        "/console/.%2e",
        "/console/..#x",
        "/console/..?x",
        "//elsewhere.example/console/",
        "https://elsewhere.example/console",
        "/console\\..",
        "/consoles",
        "javascript:/console/",
        "/console/\r\nset-cookie: a=b",
    ],
)
async def test_a_sign_in_leads_nowhere_but_into_the_console(desk: Desk, wanted: str) -> None:
    assert header(await at_console(desk, next=wanted), "location") == "/console"


async def test_a_sign_in_leads_to_the_page_that_was_wanted(desk: Desk) -> None:
    for wanted in ("/console/instances/a.b/accounts/..x", "/console/people?name=../x"):
        assert header(await at_console(desk, next=wanted), "location") == wanted
    assert sign_in._inside("/console?x") == "/console?x"


def test_a_name_with_slashes_stays_one_segment_of_an_address() -> None:
    template = pages._environment.from_string("/console/databases/{{ name|urlencode }}/delete")
    assert "/accounts/" not in template.render(name="../accounts/admin")


async def test_a_form_that_was_not_kept_does_not_pass_for_an_empty_one(desk: Desk) -> None:
    await at_console(desk)
    form = Request("POST", "/console/me", "", (), b"", desk.client, False, desk.now, crowded=True)
    refused = await desk.router_of("/console").answer(form)
    assert (refused.status, header(refused, "retry-after")) == (503, "1")
