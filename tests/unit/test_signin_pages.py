"""The pages a browser sees: what protects them, who is let in, what a session is good for, and the console."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs
from tests.unit.signin_desk import START, Desk, content, form_of, header, location

from rolecall.domain.directories.model import UserStatus
from rolecall.domain.operations.model import Change
from rolecall.signin.messages import MESSAGES
from rolecall.values import Language, Reply, Request, Secret

VERIFIER = "v" * 60


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    one = Desk()
    yield one
    one.passwords.close()


def text(reply: Reply) -> str:
    return reply.body.decode()


def says(reply: Reply, key: str, **values: object) -> bool:
    shown = text(reply).replace("&#39;", "'")
    return MESSAGES[Language.ENGLISH][key].format(**values) in shown


async def test_the_page_is_guarded_labelled_escaped_and_needs_neither_script_nor_anything_else(
    desk: Desk,
) -> None:
    application = desk.add_application()
    asked = desk.request_of(application, VERIFIER, login_hint='"><script>alert(1)</script>')
    page = await desk.get("/oauth2/authorize", asked)
    policy = header(page, "content-security-policy")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action" not in policy  # Chromium holds it against the redirects behind the callback
    assert "base-uri 'none'" in policy
    assert "script-src" not in policy
    assert header(page, "x-frame-options") == "DENY"
    assert header(page, "x-content-type-options") == "nosniff"
    assert header(page, "referrer-policy") == "no-referrer"
    assert header(page, "cache-control") == "no-store"
    shown = text(page)
    assert "<script" not in shown
    assert not re.search(r"(src|href)=\"(https?:)?//", shown)
    assert "Shop &lt;customers&gt;" in shown
    assert "Till &amp; more" in shown
    assert '<html lang="en-US">' in shown
    for field in re.findall(r"<input id=\"(\w+)\"", shown):
        assert f'<label for="{field}">' in shown
    assert 'autocomplete="username"' in shown
    assert 'autocomplete="current-password"' in shown


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("en-GB,en;q=0.9,zh;q=0.1", "en-US"),
        ("fr, zh;q=0.5", "zh-CN"),
        ("fr", "en-US"),
        ("zh;q=nonsense", "en-US"),
        ("", "en-US"),
    ],
)
async def test_the_page_is_in_the_browsers_language(desk: Desk, accepted: str, language: str) -> None:
    asked = desk.request_of(desk.add_application(), VERIFIER)
    page = await desk.ask(
        "GET", desk.base + "/oauth2/authorize", "&".join(f"{k}={v}" for k, v in asked.items()),
        headers={"accept-language": accepted},
    )  # fmt: skip
    assert f'<html lang="{language}">' in text(page)


async def test_ui_locales_are_preferred_to_the_browsers_language(desk: Desk) -> None:
    asked = desk.request_of(desk.add_application(), VERIFIER, ui_locales="fr zh-TW")
    assert '<html lang="zh-CN">' in text(await desk.get("/oauth2/authorize", asked))


def test_every_word_is_there_in_both_languages_with_the_same_facts() -> None:
    english, chinese = MESSAGES[Language.ENGLISH], MESSAGES[Language.CHINESE]
    assert english.keys() == chinese.keys()
    for key, words in english.items():
        assert set(re.findall(r"{\w+}", words)) == set(re.findall(r"{\w+}", chinese[key]))


async def test_a_form_without_its_token_or_from_a_foreign_page_signs_nobody_in(desk: Desk) -> None:
    user, asked = await desk.add_user(), desk.request_of(desk.add_application(), VERIFIER)
    page = await desk.get("/oauth2/authorize", asked)
    action, hidden = form_of(page)
    path, _, query = action.partition("?")
    filled = {"login": user.name or "", "password": "Right_password1"}
    for form, headers in (
        (filled, {}),
        ({**filled, "csrf": "x" * 43}, {}),
        ({**filled, **hidden}, {"sec-fetch-site": "cross-site"}),
        ({**filled, **hidden}, {"sec-fetch-site": "same-site"}),
    ):
        reply = await desk.ask("POST", path, query, form, headers)
        assert reply.status == 403
        assert says(reply, "stale")
    desk.cookies.clear()
    assert (await desk.ask("POST", path, query, {**filled, **hidden})).status == 403
    assert desk.users.signed_in_from == []


async def test_nobody_learns_from_the_page_who_has_an_account(desk: Desk) -> None:
    asked = desk.request_of(desk.add_application(), VERIFIER)
    users = [
        await desk.add_user(),
        await desk.add_user(status=UserStatus.FROZEN),
        await desk.add_user(status=UserStatus.LOCKED),
        await desk.add_user(locked_until=datetime.fromtimestamp(START + 60, UTC)),
    ]
    shown = set()
    for login, password in [("nobody", "x"), *((user.name or "", "x") for user in users)] + [
        (user.name or "", "Right_password1") for user in users[1:]
    ]:
        reply = await desk.sign_in_with(asked, login, password)
        assert reply.status == 403
        shown.add(text(reply).replace(login, "LOGIN"))
    assert len(shown) == 1
    assert says(reply, "wrong")


async def test_a_user_is_locked_after_too_many_failures_and_no_longer_than_was_said(desk: Desk) -> None:
    user, asked = await desk.add_user(), desk.request_of(desk.add_application(), VERIFIER)
    for _ in range(3):
        assert (await desk.sign_in_with(asked, user.name or "", "wrong")).status == 403
    desk.now += 800
    assert (await desk.sign_in_with(asked, user.name or "")).status == 403
    desk.now += 101
    assert (await desk.sign_in_with(asked, user.name or "")).status == 303
    assert desk.users.users[user.id].failed_sign_ins == 0


async def test_an_address_with_too_many_failures_is_told_how_long_to_wait() -> None:
    desk = Desk(address_failures=1)
    user, asked = await desk.add_user(), desk.request_of(desk.add_application(), VERIFIER)
    await desk.sign_in_with(asked, "nobody", "x")
    reply = await desk.sign_in_with(asked, user.name or "")
    assert reply.status == 429
    assert header(reply, "retry-after") == "901"
    assert says(reply, "too_many", seconds=901)
    desk.passwords.close()


async def test_the_neighbours_of_an_ipv6_client_count_as_one() -> None:
    desk = Desk(address_failures=1, client="2001:db8::1")
    asked = desk.request_of(desk.add_application(), VERIFIER)
    await desk.sign_in_with(asked, "nobody", "x")
    desk.client = "2001:db8::ffff:2"
    assert (await desk.sign_in_with(asked, "nobody", "x")).status == 429
    desk.client = "2001:db8:0:1::1"
    assert (await desk.sign_in_with(asked, "nobody", "x")).status == 403
    desk.passwords.close()


async def test_cookies_are_secure_hidden_from_scripts_and_bound_to_the_host(desk: Desk) -> None:
    user, asked = await desk.add_user(), desk.request_of(desk.add_application(), VERIFIER)
    reply = await desk.sign_in_with(asked, user.name or "")
    (cookie,) = (value for name, value in reply.headers if name == "set-cookie")
    assert cookie.startswith(f"__Host-rolecall-{desk.store.id.hex}=")
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Lax; Secure")
    desk.secure = False
    desk.cookies.clear()
    reply = await desk.sign_in_with(asked, user.name or "")
    (cookie,) = (value for name, value in reply.headers if name == "set-cookie")
    assert cookie.startswith(f"rolecall-{desk.store.id.hex}=")
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Lax")


async def test_a_session_is_made_anew_at_every_sign_in_and_the_one_before_ends(desk: Desk) -> None:
    user, asked = await desk.add_user(), desk.request_of(desk.add_application(), VERIFIER)
    await desk.sign_in_with(asked, user.name or "")
    first = dict(desk.cookies)
    await desk.sign_in_with(asked | {"prompt": "login"}, user.name or "")
    name = f"__Host-rolecall-{desk.store.id.hex}"
    assert desk.cookies[name] != first[name]
    assert len(desk.kept.sessions) == 1
    desk.cookies = first
    assert location(await desk.get("/oauth2/authorize", asked | {"prompt": "none"}))[1]["error"]


async def test_who_has_signed_in_is_sent_on_without_a_page(desk: Desk) -> None:
    user, application = await desk.add_user(), desk.add_application()
    other = desk.add_application(name="Other")
    await desk.sign_in_with(desk.request_of(application, VERIFIER), user.name or "")
    for prompt in ("", "none"):
        _, answer = location(
            await desk.get("/oauth2/authorize", desk.request_of(other, VERIFIER, prompt=prompt))
        )
        assert "code" in answer
        assert answer["state"] == "st&te=1"


@pytest.mark.parametrize(
    ("changes", "later"),
    [({"prompt": "login"}, 0), ({"max_age": "10"}, 11), ({"max_age": "0"}, 0), ({"id_token_hint": "x"}, 0)],
)
async def test_the_password_is_asked_for_again_where_the_application_wants_it(
    desk: Desk, changes: dict[str, str], later: float
) -> None:
    user, application = await desk.add_user(), desk.add_application()
    await desk.sign_in_with(desk.request_of(application, VERIFIER), user.name or "")
    desk.now += later
    page = await desk.get("/oauth2/authorize", desk.request_of(application, VERIFIER, **changes))
    assert page.status == 200
    assert 'type="password"' in text(page)
    answer = location(await desk.send(page, login=user.name or "", password="Right_password1"))[1]
    assert "code" in answer


@pytest.mark.parametrize("prompt", ["consent", "select_account"])
async def test_where_consent_or_a_choice_is_asked_for_the_user_goes_on_by_hand(
    desk: Desk, prompt: str
) -> None:
    user, application = await desk.add_user(), desk.add_application()
    asked = desk.request_of(application, VERIFIER)
    await desk.sign_in_with(asked, user.name or "")
    page = await desk.get("/oauth2/authorize", asked | {"prompt": prompt})
    assert says(page, "continue_as", name="Nick")
    assert 'type="password"' not in text(page)
    assert "prompt=login" in text(page)  # the way to sign in as another user
    refused = await desk.send(page, csrf="x")
    assert refused.status == 403
    assert "code" in location(await desk.send(page))[1]


@pytest.mark.parametrize("change", [{"status": UserStatus.FROZEN}, {"password_hash": "other"}, None])
async def test_a_session_ends_with_its_user_at_once(desk: Desk, change: dict[str, object] | None) -> None:
    user, asked = await desk.add_user(), desk.request_of(desk.add_application(), VERIFIER)
    await desk.sign_in_with(asked, user.name or "")
    if change is None:
        del desk.users.users[user.id]
    else:
        desk.users.users[user.id] = replace(user, **change)
    assert (await desk.get("/oauth2/authorize", asked)).status == 200
    answer = location(await desk.get("/oauth2/authorize", asked | {"prompt": "none"}))[1]
    assert answer["error"] == "login_required"


@pytest.mark.parametrize("steps", [[3601], [3500] * 13])
async def test_a_session_ends_when_it_was_not_used_for_an_hour_and_after_twelve(
    desk: Desk, steps: list[int]
) -> None:
    user, asked = await desk.add_user(), desk.request_of(desk.add_application(), VERIFIER, prompt="none")
    await desk.sign_in_with(asked | {"prompt": ""}, user.name or "")
    answers = []
    for seconds in steps:
        desk.now += seconds
        answers.append(location(await desk.get("/oauth2/authorize", asked))[1])
    assert all("code" in answer for answer in answers[:-1])
    assert answers[-1]["error"] == "login_required"
    assert desk.kept.sessions == {}


async def test_a_password_that_must_be_changed_is_changed_before_anything_else(desk: Desk) -> None:
    user, application = await desk.add_user(must_reset=True), desk.add_application()
    asked = desk.request_of(application, VERIFIER)
    reply = await desk.sign_in_with(asked, user.name or "")
    assert location(reply)[0].endswith(f"{desk.base}/password")
    silent = location(await desk.get("/oauth2/authorize", asked | {"prompt": "none"}))[1]
    assert silent["error"] == "login_required"
    query = header(reply, "location").partition("?")[2]
    page = await desk.get("/password", query)
    assert says(page, "must_change")
    for new, repeat, key, status in (
        ("New_password1", "New_password2", "password_differs", 400),
        ("short", "short", "password_short", 400),
        ("x" * 2000, "x" * 2000, "password_short", 400),
        ("Right_password1", "Right_password1", "password_same", 400),
    ):
        again = await desk.send(page, new=new, repeat=repeat)
        assert (again.status, says(again, key)) == (status, True), key
    assert (await desk.send(page, new="New_password1", repeat="New_password1", csrf="x")).status == 403
    before = dict(desk.cookies)
    answer = location(await desk.send(page, new="New_password1", repeat="New_password1"))[1]
    assert "code" in answer
    assert not desk.users.users[user.id].must_reset
    assert desk.cookies != before
    assert "code" in location(await desk.get("/oauth2/authorize", asked | {"prompt": "none"}))[1]
    assert (await desk.sign_in_with(asked | {"prompt": "login"}, user.name or "")).status == 403
    reply = await desk.sign_in_with(asked | {"prompt": "login"}, user.name or "", "New_password1")
    assert reply.status == 303


async def test_the_page_to_change_the_password_is_for_nobody_else(desk: Desk) -> None:
    user, asked = await desk.add_user(), desk.request_of(desk.add_application(), VERIFIER)
    page = await desk.get("/password", asked)
    assert 'name="new"' not in text(page)
    await desk.sign_in_with(asked, user.name or "")
    assert 'name="new"' not in text(await desk.get("/password", asked))
    reply = await desk.post("/password", {"new": "Another_pass1", "repeat": "Another_pass1"}, asked)
    assert 'name="new"' not in text(reply)
    assert desk.users.users[user.id].password_hash == user.password_hash


async def test_the_users_own_change_is_recorded_as_its_own_and_made_by_nobody_of_the_owners(
    desk: Desk,
) -> None:
    user, asked = await desk.add_user(must_reset=True), desk.request_of(desk.add_application(), VERIFIER)
    query = header(await desk.sign_in_with(asked, user.name or ""), "location").partition("?")[2]
    page = await desk.get("/password", query)
    await desk.send(page, new="New_password1", repeat="New_password1")
    (record,) = desk.users.records
    caller = record.origin.caller
    assert (record.change, record.target) == (Change.USER_PASSWORD, user.id.hex)
    assert record.detail == {"store": desk.store.id.hex, "own": True}
    assert (record.origin.client, record.origin.action) == (desk.client, "ChangePassword")
    assert (caller.owner_id, caller.principal, caller.access_key_id) == (
        desk.store.owner_id,
        0,
        f"user:{user.id.hex}",
    )
    assert not caller.is_owner


async def test_a_password_that_was_replaced_while_its_user_chose_one_stays(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, asked = await desk.add_user(must_reset=True), desk.request_of(desk.add_application(), VERIFIER)
    query = header(await desk.sign_in_with(asked, user.name or ""), "location").partition("?")[2]
    page = await desk.get("/password", query)
    hashing = desk.passwords.hash

    async def meanwhile(password: Secret) -> str:
        desk.users.users[user.id] = replace(user, password_hash="the administrator's")
        return await hashing(password)

    monkeypatch.setattr(desk.passwords, "hash", meanwhile)
    reply = await desk.send(page, new="New_password1", repeat="New_password1")
    assert reply.status == 403
    assert desk.users.users[user.id].password_hash == "the administrator's"
    assert desk.users.records == []


async def test_changing_a_password_may_take_a_quarter_of_an_hour_and_no_more(desk: Desk) -> None:
    user, asked = await desk.add_user(must_reset=True), desk.request_of(desk.add_application(), VERIFIER)
    query = header(await desk.sign_in_with(asked, user.name or ""), "location").partition("?")[2]
    page = await desk.get("/password", query)
    desk.now += 901
    reply = await desk.send(page, new="New_password1", repeat="New_password1")
    assert 'name="new"' not in text(reply)
    assert desk.users.users[user.id].must_reset


async def test_signing_out_is_asked_about_unless_the_application_shows_the_users_id_token(desk: Desk) -> None:
    user, application = await desk.add_user(), desk.add_application()
    asked = desk.request_of(application, VERIFIER)
    code = location(await desk.sign_in_with(asked, user.name or ""))[1]["code"]
    granted = content(
        await desk.token(
            application, grant_type="authorization_code", code=code, code_verifier=VERIFIER,
            redirect_uri=application.redirect_uris[0],
        )
    )  # fmt: skip
    silent = asked | {"prompt": "none"}
    leave = {"post_logout_redirect_uri": "https://shop.example/bye", "state": "s"}
    page = await desk.get("/oauth2/logout", leave | {"client_id": application.id})
    assert says(page, "sign_out_sure")
    assert "code" in location(await desk.get("/oauth2/authorize", silent))[1]
    assert (await desk.send(page, csrf="x")).status == 200
    assert "code" in location(await desk.get("/oauth2/authorize", silent))[1]
    place, answer = location(await desk.send(page))
    assert (place, answer) == ("https://shop.example/bye", {"state": "s"})
    assert location(await desk.get("/oauth2/authorize", silent))[1]["error"] == "login_required"
    await desk.sign_in_with(asked, user.name or "")
    desk.now += timedelta(minutes=30).total_seconds()
    evil = leave | {"post_logout_redirect_uri": "https://evil.example/", "id_token_hint": granted["id_token"]}
    reply = await desk.get("/oauth2/logout", evil)
    assert (reply.status, header(reply, "location")) == (200, "")
    assert says(reply, "signed_out")
    assert location(await desk.get("/oauth2/authorize", silent))[1]["error"] == "login_required"


async def test_the_id_token_of_somebody_else_signs_nobody_out(desk: Desk) -> None:
    one, other, application = await desk.add_user(), await desk.add_user(), desk.add_application()
    granted = content(
        await desk.token(
            application, grant_type="password", username=other.name or "", password="Right_password1"
        )
    )
    asked = desk.request_of(application, VERIFIER)
    await desk.sign_in_with(asked, one.name or "")
    page = await desk.get("/oauth2/logout", {"id_token_hint": granted["id_token"]})
    assert says(page, "sign_out_sure")
    assert "code" in location(await desk.get("/oauth2/authorize", asked | {"prompt": "none"}))[1]
    hinted = desk.request_of(application, VERIFIER, prompt="none", id_token_hint=granted["id_token"])
    assert location(await desk.get("/oauth2/authorize", hinted))[1]["error"] == "login_required"


async def test_a_crash_is_answered_logged_and_counted_as_that_of_any_call(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In JSON where programs call, else on a page; without what went wrong."""

    async def crash(*_: object) -> None:
        raise RuntimeError("a detail")

    application = desk.add_application()
    monkeypatch.setattr(desk.provider, "application", crash)
    with capture_logs() as logs:
        told = await desk.token(application, grant_type="refresh_token", refresh_token="x")
        shown = await desk.get("/oauth2/authorize", {"client_id": application.id})
    assert (told.status, content(told)["error"]) == (500, "server_error")
    assert (shown.status, shown.code) == (500, "server_error")
    assert b"a detail" not in told.body + shown.body
    crashed = [
        (line["service"], line["action"], line["log_level"]) for line in logs if line["event"] == "call"
    ]
    assert crashed == [("provider", path, "warning") for path in ("/oauth2/token", "/oauth2/authorize")]
    assert [report[:4] for report in desk.reports[-2:]] == [
        ("oidc", "provider", path, "server_error") for path in ("/oauth2/token", "/oauth2/authorize")
    ]


async def test_a_body_that_was_dropped_is_no_empty_form(desk: Desk) -> None:
    """The intake drops bodies while it receives too many: the client is told to come back."""

    async def crowded(path: str) -> Reply:
        request = Request(
            "POST",
            f"{desk.base}{path}",
            "",
            (),
            b"",
            desk.client,
            secure=True,
            received=desk.now,
            crowded=True,
        )
        return await desk.router.answer(request)

    page = await crowded("/oauth2/authorize")
    assert (page.status, header(page, "retry-after")) == (503, "1")
    assert says(page, "busy")
    answer = await crowded("/oauth2/token")
    assert (answer.status, content(answer)["error"]) == (503, "temporarily_unavailable")
    assert header(answer, "access-control-allow-origin") == "*"
