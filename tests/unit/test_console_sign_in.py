"""The console's sign-in: who is let in, by what, what a session is good for, and what is kept of a form."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from tests.unit.signin_desk import OWNER, START, Desk, form_of, header, location

from rolecall.console.texts import TEXTS
from rolecall.domain.access.sign_in_links import VALID, SignInLinks
from rolecall.domain.messages import Page
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Reply

VERIFIER = "v" * 60


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    one = Desk()
    yield one
    one.passwords.close()


def text(reply: Reply) -> str:
    return reply.body.decode()


def says(reply: Reply, key: str, **facts: object) -> bool:
    return TEXTS[key][0].format(**facts) in html.unescape(text(reply))


async def at_console(desk: Desk, password: str = "Right_1", **changes: str) -> Reply:
    page = await desk.ask("GET", "/console/sign-in")
    filled = {"owner": str(OWNER.number), "name": "ann", "secret_password": password} | changes
    return await desk.send(page, **filled)


def create_initial_objects(desk: Desk) -> None:
    moment = datetime.fromtimestamp(START, UTC)
    used, unused = (
        SimpleNamespace(id=f"AKID{name}", active=active, created_at=moment)
        for name, active in (("used", True), ("unused", False))
    )
    desk.people.answers = {
        "ListKeys": (used, unused),
        "ShowKeyUses": (SimpleNamespace(key_id="AKIDused", used_at=moment),),
        "PageGroupsOf": Page((SimpleNamespace(name="Operators & co"),), 1),
        "PageAttached": Page((SimpleNamespace(policy=SimpleNamespace(name="ReadOnly")),), 1),
    }


async def test_a_sub_user_signs_in_at_the_console_and_sees_who_it_is_and_its_keys(desk: Desk) -> None:
    create_initial_objects(desk)
    reply = await desk.ask("GET", "/console")
    assert location(reply)[0].endswith("/console/sign-in")
    reply = await at_console(desk)
    assert (reply.status, header(reply, "location")) == (303, "/console")
    shown = await desk.ask("GET", "/console")
    assert shown.status == 200
    for what in (
        "ann",
        "700000000001",
        "AKIDused",
        "AKIDunused",
        "Operators &amp; co",
        "ReadOnly",
        "&lt;b&gt;",
    ):
        assert what in text(shown)
    assert says(shown, "inactive")
    assert {origin.caller.principal for origin in desk.people.origins} == {700000000001}
    left = await desk.send(shown)
    assert header(left, "location") == "/console/sign-in"
    assert (await desk.ask("GET", "/console")).status == 303
    assert desk.kept.sessions == {}


@pytest.mark.parametrize(
    "changes", [{"owner": "100000000002"}, {"owner": ""}, {"name": "bob"}, {"secret_password": "wrong"}]
)
async def test_whoever_is_not_let_in_to_the_console_reads_the_same(
    desk: Desk, changes: dict[str, str]
) -> None:
    reply = await at_console(desk, **changes)
    assert reply.status == 403
    assert says(reply, "wrong")
    assert desk.kept.counts["address:192.0.2.1"].number == 1
    assert desk.kept.sessions == {}


async def test_the_consoles_forms_are_tied_to_the_browser_too(desk: Desk) -> None:
    create_initial_objects(desk)
    assert (await at_console(desk, csrf="x")).status == 403
    await at_console(desk)
    home = await desk.ask("GET", "/console")
    assert (await desk.send(home, csrf="x")).status == 403
    change = await desk.ask("GET", "/console/password")
    filled = {"secret_current": "Right_1", "secret_new": "Fresh_pass1", "secret_repeat": "Fresh_pass1"}
    assert (await desk.send(change, csrf="x", **filled)).status == 403
    assert (await desk.ask("GET", "/console")).status == 200
    assert desk.people.user.password_hash == "hash of Right_1"


async def test_a_sub_user_that_must_change_its_password_can_do_nothing_else(desk: Desk) -> None:
    create_initial_objects(desk)
    desk.people.user = replace(desk.people.user, must_reset_password=True)
    reply = await at_console(desk)
    assert header(reply, "location") == "/console/password"
    assert header(await desk.ask("GET", "/console"), "location") == "/console/password"
    page = await desk.ask("GET", "/console/password")
    assert says(page, "must_change")
    for filled, key, status in (
        (
            {"secret_current": "Right_1", "secret_new": "Fresh_pass1", "secret_repeat": "other"},
            "password_differs",
            400,
        ),
        (
            {"secret_current": "wrong", "secret_new": "Fresh_pass1", "secret_repeat": "Fresh_pass1"},
            "password_wrong",
            403,
        ),
        (
            {"secret_current": "Right_1", "secret_new": "short", "secret_repeat": "short"},
            "password_rules",
            400,
        ),
    ):
        again = await desk.send(page, **filled)
        assert (again.status, says(again, key)) == (status, True), key
    before = dict(desk.cookies)
    done = await desk.send(
        page, secret_current="Right_1", secret_new="Fresh_pass1", secret_repeat="Fresh_pass1"
    )
    assert header(done, "location") == "/console"
    assert desk.cookies != before
    assert (await desk.ask("GET", "/console")).status == 200
    assert len(desk.kept.sessions) == 1


async def test_whoever_must_change_the_password_meanwhile_gets_no_further(desk: Desk) -> None:
    create_initial_objects(desk)
    await at_console(desk)
    assert (await desk.ask("GET", "/console")).status == 200
    desk.people.user = replace(desk.people.user, must_reset_password=True)
    assert header(await desk.ask("GET", "/console"), "location") == "/console/password"
    page = await desk.ask("GET", "/console/password")
    assert says(page, "must_change")
    await desk.send(page, secret_current="Right_1", secret_new="Fresh_pass1", secret_repeat="Fresh_pass1")
    assert (await desk.ask("GET", "/console")).status == 200


@pytest.mark.parametrize("change", [{"password_hash": "other"}, {"console_login": False}, None])
async def test_a_console_session_ends_with_its_sub_user_at_once(
    desk: Desk, change: dict[str, object] | None
) -> None:
    create_initial_objects(desk)
    await at_console(desk)
    if change is None:
        desk.people.gone = True
    else:
        desk.people.user = replace(desk.people.user, **change)
    assert header(await desk.ask("GET", "/console"), "location") == "/console/sign-in"


async def test_the_console_waits_with_an_address_and_with_a_full_queue(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise Refused(Reason.HASHING_BUSY)

    for _ in range(50):
        await at_console(desk, "wrong")
    reply = await at_console(desk)
    assert (reply.status, header(reply, "retry-after")) == (429, "901")
    desk.client = "192.0.2.9"
    monkeypatch.setattr(desk.people, "at_console", full)
    assert (await at_console(desk)).status == 503


async def test_a_users_session_opens_no_console_and_a_sub_users_no_provider(desk: Desk) -> None:
    create_initial_objects(desk)
    user, asked = await desk.add_user(), desk.request_of(desk.add_application(), VERIFIER)
    await desk.sign_in_with(asked, user.name or "")
    session = desk.cookies[f"__Host-rolecall-{desk.store.id.hex}"]
    desk.cookies = {"__Host-rolecall-console": session}
    assert (await desk.ask("GET", "/console")).status == 303
    desk.cookies = {}
    await at_console(desk)
    desk.cookies = {f"__Host-rolecall-{desk.store.id.hex}": desk.cookies["__Host-rolecall-console"]}
    answer = location(await desk.get("/oauth2/authorize", asked | {"prompt": "none"}))[1]
    assert answer["error"] == "login_required"


async def as_owner(desk: Desk, key_id: str, secret: str) -> Reply:
    """Send the second form of the sign-in page."""
    action, hidden = form_of(await desk.ask("GET", "/console/sign-in"))
    filled = {**hidden, "as": "owner", "key_id": key_id, "secret_key": secret}
    return await desk.ask("POST", action, "", filled)


async def test_an_owner_signs_in_by_an_access_key_and_out_when_it_is_disabled(desk: Desk) -> None:
    create_initial_objects(desk)
    key_id, secret = await desk.keys.create(OWNER)
    for wrong in ((key_id, "wrong"), ("AKIDnone", secret.reveal()), (key_id, "")):
        refused = await as_owner(desk, *wrong)
        assert (refused.status, says(refused, "wrong_key")) == (403, True)
        assert secret.reveal() not in text(refused)
    assert header(await as_owner(desk, key_id, secret.reveal()), "location") == "/console"
    shown = await desk.ask("GET", "/console")
    assert (shown.status, str(OWNER.number) in text(shown)) == (200, True)
    await desk.keys._repository.set_key_active(key_id, active=False)
    assert header(await desk.ask("GET", "/console"), "location") == "/console/sign-in"
    assert (await as_owner(desk, key_id, secret.reveal())).status == 403


async def test_a_sub_users_key_signs_calls_and_not_pages(desk: Desk) -> None:
    key_id, secret = await desk.keys.create(OWNER, desk.people.user.number)
    assert (await as_owner(desk, key_id, secret.reveal())).status == 403
    assert desk.kept.sessions == {}


async def test_a_link_signs_the_owner_in_once_on_this_machine_and_in_time(desk: Desk) -> None:
    create_initial_objects(desk)
    links, now = SignInLinks(desk.links), datetime.fromtimestamp(START, UTC)
    code = (await links.create(OWNER, now)).reveal()
    elsewhere = await desk.ask("GET", "/console/link", {"code": code})
    assert (elsewhere.status, says(elsewhere, "link_elsewhere")) == (403, True)
    desk.client = "127.0.0.1"
    assert (await desk.ask("HEAD", "/console/link", {"code": code})).status == 405
    assert header(await desk.ask("GET", "/console/link", {"code": code}), "location") == "/console"
    assert (await desk.ask("GET", "/console")).status == 200
    desk.cookies = {}
    again = await desk.ask("GET", "/console/link", {"code": code})
    assert (again.status, says(again, "link_invalid")) == (403, True)
    late = (await links.create(OWNER, now - VALID)).reveal()
    assert (await desk.ask("GET", "/console/link", {"code": late})).status == 403
    assert code not in repr(desk.audit.entries)


async def test_what_was_typed_is_kept_when_the_session_has_ended_except_secrets(desk: Desk) -> None:
    create_initial_objects(desk)
    typed = {"csrf": "old", "UserName": "<app>", "Remark": "kept & sent", "secret_Password": "Typed_1"}
    ours = {"sec-fetch-site": "same-origin"}
    page = await desk.ask("POST", "/console/instances/pg-1", "tab=new", typed, ours)
    assert (page.status, says(page, "session_ended")) == (401, True)
    assert "Typed_1" not in text(page)
    resumed = await desk.send(page, owner=str(OWNER.number), name="ann", secret_password="Right_1")
    assert (resumed.status, says(resumed, "resume_hint")) == (200, True)
    action, hidden = form_of(resumed)
    assert action == "/console/instances/pg-1?tab=new"
    assert hidden == {"csrf": hidden["csrf"], "UserName": "<app>", "Remark": "kept & sent"}
    assert 'name="secret_Password" type="password"' in text(resumed)
    assert hidden["csrf"] != "old"


async def test_nothing_that_a_foreign_page_posts_is_kept(desk: Desk) -> None:
    for site in ("cross-site", "same-site", ""):
        headers = {"sec-fetch-site": site} if site else {}
        page = await desk.ask("POST", "/console/instances", "", {"UserName": "theirs"}, headers)
        assert (page.status, "theirs" in text(page)) == (403, False)


@pytest.mark.parametrize(
    ("wanted", "led_to"),
    [
        ("/console/people?page=2", "/console/people?page=2"),
        ("https://elsewhere.example/", "/console"),
        ("//elsewhere.example/console", "/console"),
        ("/consoles", "/console"),
        ("/console/\\elsewhere", "/console"),
    ],
)
async def test_a_sign_in_leads_to_the_page_that_was_wanted_and_nowhere_else(
    desk: Desk, wanted: str, led_to: str
) -> None:
    create_initial_objects(desk)
    page = await desk.ask("GET", "/console/sign-in", {"next": wanted})
    entered = await desk.send(page, owner=str(OWNER.number), name="ann", secret_password="Right_1")
    assert header(entered, "location") == led_to


async def test_the_pages_speak_the_language_that_was_chosen(desk: Desk) -> None:
    chosen = await desk.ask(
        "POST", "/console/language", "", {"language": "zh-CN", "next": "/console/sign-in"}
    )
    assert header(chosen, "location") == "/console/sign-in"
    page = await desk.ask("GET", "/console/sign-in")
    assert ('lang="zh-CN"' in text(page), TEXTS["console_sign_in"][1] in text(page)) == (True, True)


async def test_a_page_loads_its_files_from_here_and_may_keep_them(desk: Desk) -> None:
    page = await desk.ask("GET", "/console/sign-in")
    policy = header(page, "content-security-policy")
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    files = re.findall(r'(?:src|href)="(/console/static/[^"]+)"', text(page))
    assert len(set(files)) == 3
    for path in files:
        file = await desk.ask("GET", path)
        assert (file.status, "immutable" in header(file, "cache-control")) == (200, True)
    assert (await desk.ask("GET", files[0].replace("static/", "static/0"))).status == 404
