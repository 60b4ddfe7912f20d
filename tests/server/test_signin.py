"""Users of a user store sign in over the wire: made and refused through the API, and kept whole under races."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import bcrypt
import httpx
import pytest
from tests.conftest import Rolecall
from tests.server.ciam import Ciam
from tests.server.conftest import store_rows
from tests.server.signin_browser import Browser, Relying, query_of, quickstart, said

PASSWORD = "Right-Horse-42"


@pytest.fixture(scope="module")
def ciam(rolecall: Rolecall) -> Ciam:
    return Ciam(rolecall)


@pytest.fixture
def relying(rolecall: Rolecall) -> Relying:
    return quickstart(rolecall)


@pytest.fixture
def browser() -> Iterator[Browser]:
    with Browser() as one:
        yield one


def granted(relying: Relying, browser: Browser, user: dict[str, Any]) -> dict[str, Any]:
    """By way of the page."""
    answer = query_of(browser.sign_in(relying.asking, user["UserName"], PASSWORD))
    assert answer["state"] == "a state"
    assert answer["iss"] == relying.issuer
    return said(relying.redeem(answer["code"]))


def claims(token: str) -> dict[str, Any]:
    return dict(json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==")))


def test_a_user_that_createuser_made_signs_in_and_the_api_knows_when(
    ciam: Ciam, relying: Relying, browser: Browser
) -> None:
    user = ciam.create(Nickname="Ann 🌷")
    before = ciam.shown(user["UserId"])
    assert before is not None
    assert not before["AlreadyFirstLogin"]
    tokens = granted(relying, browser, user)
    assert claims(tokens["id_token"])["sub"] == user["UserId"]
    told = said(relying.userinfo(tokens["access_token"]))
    assert (told["sub"], told["nickname"]) == (user["UserId"], "Ann 🌷")
    after = ciam.shown(user["UserId"])
    assert after is not None
    assert after["AlreadyFirstLogin"]
    signed_in = claims(tokens["id_token"])["auth_time"]
    assert abs(after["LastSignOn"] / 1000 - signed_in) < 2


@pytest.mark.parametrize("field", ["UserName", "PhoneNumber", "Email"])
def test_name_phone_number_and_mail_sign_in_by_the_password_grant(
    ciam: Ciam, relying: Relying, field: str
) -> None:
    user = ciam.create()
    shown = ciam.shown(user["UserId"])
    assert shown is not None
    tokens = said(relying.by_password(shown[field], PASSWORD, auth_source_id="0" * 32))
    assert tokens.keys() >= {"access_token", "id_token", "token_type", "expires_in", "scope"}
    assert tokens["token_type"] == "Bearer"
    assert claims(tokens["id_token"])["sub"] == user["UserId"]


def test_a_deleted_user_is_refused_everywhere_at_once(
    rolecall: Rolecall, strict: Rolecall, ciam: Ciam, relying: Relying, browser: Browser
) -> None:
    user = ciam.create()
    tokens = granted(relying, browser, user)
    code = query_of(browser.get(relying.asking))["code"]
    elsewhere = quickstart(rolecall, replica=strict)
    assert elsewhere.userinfo(tokens["access_token"]).status_code == 200
    ciam.ok("DeleteUsers", UserIds=[user["UserId"]])
    for replica in (relying, elsewhere):
        assert said(replica.userinfo(tokens["access_token"]), 401)["error"] == "invalid_token"
        assert said(replica.refresh(tokens["refresh_token"]), 400)["error"] == "invalid_grant"
        assert said(replica.by_password(user["UserName"], PASSWORD), 400)["error"] == "invalid_grant"
    assert said(relying.redeem(code), 400)["error"] == "invalid_grant"
    assert browser.get(relying.asking).status_code == 200  # the page again: nobody is signed in
    assert browser.sign_in(relying.asking, user["UserName"], PASSWORD).status_code == 403


@pytest.mark.parametrize("status", ["FREEZE", "LOCK"])
def test_a_frozen_or_locked_user_is_refused_at_once_until_that_is_lifted(
    ciam: Ciam, relying: Relying, browser: Browser, status: str
) -> None:
    user = ciam.create()
    tokens = granted(relying, browser, user)
    ciam.ok("UpdateUserStatus", UserId=user["UserId"], Status=status)
    assert relying.userinfo(tokens["access_token"]).status_code == 401
    assert said(relying.refresh(tokens["refresh_token"]), 400)["error"] == "invalid_grant"
    assert browser.sign_in(relying.asking, user["UserName"], PASSWORD).status_code == 403
    ciam.ok("UpdateUserStatus", UserId=user["UserId"], Status="NORMAL")
    assert relying.userinfo(tokens["access_token"]).status_code == 200
    assert relying.by_password(user["UserName"], PASSWORD).status_code == 200


@pytest.mark.parametrize("action", ["SetPassword", "ResetPassword"])
def test_another_password_ends_sessions_and_tokens(
    ciam: Ciam, relying: Relying, browser: Browser, action: str
) -> None:
    user = ciam.create()
    tokens = granted(relying, browser, user)
    given = {"Password": "Other-Horse-43"} if action == "SetPassword" else {}
    password = ciam.ok(action, UserId=user["UserId"], **given).get("Password", "Other-Horse-43")
    assert relying.userinfo(tokens["access_token"]).status_code == 401
    assert relying.refresh(tokens["refresh_token"]).status_code == 400
    assert browser.get(relying.asking).status_code == 200
    assert relying.by_password(user["UserName"], PASSWORD).status_code == 400
    assert relying.by_password(user["UserName"], password).status_code == 200


def test_tokens_of_one_replica_are_good_on_the_others(
    rolecall: Rolecall, strict: Rolecall, ciam: Ciam, relying: Relying
) -> None:
    elsewhere = quickstart(rolecall, replica=strict)
    first = said(relying.by_password(ciam.create()["UserName"], PASSWORD))
    second = said(elsewhere.refresh(first["refresh_token"]))
    assert relying.userinfo(second["access_token"]).status_code == 200
    kid = {
        json.loads(base64.urlsafe_b64decode(one["id_token"].split(".")[0] + "=="))["kid"]
        for one in (first, second)
    }
    assert kid == {one["kid"] for one in httpx.get(f"{relying.issuer}/oauth2/jwks").json()["keys"][:1]}


def at_once(work: Callable[[], httpx.Response], times: int = 8) -> list[int]:
    with ThreadPoolExecutor(times) as pool:
        return sorted(one.status_code for one in pool.map(lambda _: work(), range(times)))


def test_a_code_that_is_redeemed_many_times_at_once_is_good_for_one_at_most(
    ciam: Ciam, relying: Relying, browser: Browser
) -> None:
    answer = query_of(browser.sign_in(relying.asking, ciam.create()["UserName"], PASSWORD))
    assert at_once(lambda: relying.redeem(answer["code"])) == [200] + [400] * 7


def test_a_refresh_token_that_is_used_many_times_at_once_ends_its_family(
    ciam: Ciam, relying: Relying
) -> None:
    tokens = said(relying.by_password(ciam.create()["UserName"], PASSWORD))
    assert at_once(lambda: relying.refresh(tokens["refresh_token"])) == [200] + [400] * 7
    assert relying.userinfo(tokens["access_token"]).status_code == 401


def test_a_revoked_token_is_refused(ciam: Ciam, relying: Relying) -> None:
    tokens = said(relying.by_password(ciam.create()["UserName"], PASSWORD))
    assert relying.post("/oauth2/revoke", token=tokens["refresh_token"]).status_code == 200
    assert relying.userinfo(tokens["access_token"]).status_code == 401
    assert relying.refresh(tokens["refresh_token"]).status_code == 400


def test_a_user_of_one_store_signs_in_to_no_other(rolecall: Rolecall, ciam: Ciam, relying: Relying) -> None:
    name = f"store {secrets.token_hex(4)}"
    other = str(ciam.call("CreateUserStore", {"UserPoolName": name})["UserStoreId"])
    added = application(rolecall, other, "--public")
    theirs = Relying(f"{rolecall.endpoint}/oidc/{other}", added["client_id"], "https://shop.example/cb")
    user = ciam.create()
    tokens = said(relying.by_password(user["UserName"], PASSWORD))
    assert said(theirs.by_password(user["UserName"], PASSWORD), 400)["error"] == "invalid_grant"
    assert theirs.userinfo(tokens["access_token"]).status_code == 401
    assert theirs.refresh(tokens["refresh_token"]).status_code == 400
    mine = Ciam(rolecall, other).create()
    assert theirs.by_password(mine["UserName"], PASSWORD).status_code == 200
    assert "Error" not in ciam.call("DeleteUserStore", {"UserPoolId": other})
    assert theirs.by_password(mine["UserName"], PASSWORD).status_code == 404
    assert other not in rolecall.cli("application", "list").stdout


def application(rolecall: Rolecall, store: str, *options: str) -> dict[str, Any]:
    """A new one, as the command line shows it."""
    uri = () if "--redirect-uri" in options else ("--redirect-uri", "https://shop.example/cb")
    done = rolecall.cli("application", "add", "--store", store, *uri, "--password-grant", "--json", *options)
    return dict(json.loads(done.stdout)[0])


def test_an_application_is_added_listed_and_deleted_by_the_command_line(
    rolecall: Rolecall, strict: Rolecall, ciam: Ciam, until: Callable[[Callable[[], bool]], None]
) -> None:
    added = application(rolecall, ciam.store, "--name", "Till", "--logout-uri", "https://shop.example/bye")
    assert len(added["client_secret"]) == 43
    listed = json.loads(rolecall.cli("application", "list", "--store", ciam.store, "--json").stdout)
    (row,) = (one for one in listed if one["client_id"] == added["client_id"])
    assert row["redirect_uris"] == ["https://shop.example/cb"]
    assert "client_secret" not in row
    relying = Relying(
        rolecall.tencent["oidc_issuer"], added["client_id"], "https://shop.example/cb", added["client_secret"]
    )
    elsewhere = Relying(
        relying.issuer.replace(rolecall.endpoint, strict.endpoint), relying.client_id, "", relying.secret
    )
    itself = {"grant_type": "client_credentials"}
    tokens = said(relying.post("/oauth2/token", **itself))
    assert elsewhere.post("/oauth2/token", **itself).status_code == 200
    asked = relying.post("/oauth2/introspect", token=tokens["access_token"])
    assert said(asked)["active"] is True
    rolecall.cli("application", "delete", added["client_id"])
    until(lambda: relying.post("/oauth2/token", **itself).status_code == 401)
    until(lambda: elsewhere.post("/oauth2/token", **itself).status_code == 401)
    gone = rolecall.cli("application", "delete", added["client_id"], check=False)
    assert (gone.returncode, gone.stderr.count("\n")) == (1, 1)


def test_an_address_that_codes_must_not_be_sent_to_is_refused_in_one_line(
    rolecall: Rolecall, ciam: Ciam
) -> None:
    uri = ("--redirect-uri", "http://shop.example/cb")
    done = rolecall.cli("application", "add", "--store", ciam.store, *uri, "--public", check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr


def test_a_native_applications_own_scheme_and_loopback_addresses_are_registered(
    rolecall: Rolecall, ciam: Ciam
) -> None:
    uris = ("com.example.app:/cb", "http://[::1]:9000/cb", "http://localhost/cb")
    options = [word for uri in uris for word in ("--redirect-uri", uri)]
    added = application(rolecall, ciam.store, "--public", *options)
    assert added["redirect_uris"] == list(uris)
    assert added["client_secret"] is None
    for uri in uris:
        page = httpx.get(Relying(rolecall.tencent["oidc_issuer"], added["client_id"], uri).asking)
        assert page.status_code == 200
        assert (
            "form-action" not in page.headers["content-security-policy"]
        )  # tests/clients/test_oidc_browser.py


def test_applications_of_one_store_have_names_of_their_own(rolecall: Rolecall, ciam: Ciam) -> None:
    name = secrets.token_hex(4)
    application(rolecall, ciam.store, "--name", name)
    uri = ("--redirect-uri", "https://shop.example/cb")
    twice = rolecall.cli("application", "add", "--store", ciam.store, *uri, "--name", name, check=False)
    nowhere = rolecall.cli("application", "add", "--store", "0" * 32, *uri, check=False)
    assert (twice.returncode, nowhere.returncode) == (1, 1)
    assert name in twice.stderr
    assert "user store" in nowhere.stderr


def test_a_rotated_key_is_told_to_every_replica_and_the_old_one_stays_for_a_while(
    rolecall: Rolecall, strict: Rolecall, ciam: Ciam, until: Callable[[Callable[[], bool]], None]
) -> None:
    relying, elsewhere = quickstart(rolecall), quickstart(rolecall, replica=strict)

    def published(one: Relying) -> list[str]:
        return [key["kid"] for key in httpx.get(f"{one.issuer}/oauth2/jwks").json()["keys"]]

    before = published(relying)
    assert published(elsewhere) == before
    fresh = rolecall.cli("application", "rotate-key", "--store", ciam.store).stdout.split()[0]
    for one in (relying, elsewhere):
        until(lambda one=one: published(one) == [fresh, *before])  # type: ignore[misc]
    token = said(relying.by_password(ciam.create()["UserName"], PASSWORD))["id_token"]
    assert json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))["kid"] == fresh


def test_nothing_that_opens_anything_is_in_the_store_or_the_log(
    rolecall: Rolecall, ciam: Ciam, browser: Browser
) -> None:
    added = application(rolecall, ciam.store)
    relying = Relying(
        rolecall.tencent["oidc_issuer"], added["client_id"], "https://shop.example/cb", added["client_secret"]
    )
    tokens = granted(relying, browser, ciam.create())
    code = query_of(browser.get(relying.asking))["code"]
    shown = [added["client_secret"], code, relying.verifier, PASSWORD, tokens["id_token"]]
    shown += [tokens["access_token"], tokens["refresh_token"], *browser.client.cookies.values()]
    assert len(shown) == 9
    tables = store_rows(rolecall, "select tablename from pg_tables where schemaname = 'rolecall'")
    for (table,) in tables:
        kept = " ".join(row for (row,) in store_rows(rolecall, f"select t::text from {table} t"))
        assert not [text for text in shown if text in kept], table
        assert not [text for text in shown if text.encode().hex() in kept], table
        assert "PRIVATE KEY" not in kept
        assert b"PRIVATE KEY".hex() not in kept
    logs = "".join(log.read_text() for log in rolecall.data.parent.glob("*.log"))
    assert not [text for text in shown if text in logs]


def test_the_pages_style_is_the_one_that_its_policy_permits(relying: Relying, browser: Browser) -> None:
    page = browser.get(relying.asking)
    style = re.search(r"<style>(.*?)</style>", page.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    "name",
    ["كاتب", "👩‍👩‍👧", "x" * 5000, "a\0b", "' or ''='", "%", "\u202ename", ""],
    ids=["right to left", "emoji", "long", "NUL", "SQL", "wildcard", "turned", "empty"],
)  # fmt: skip
def test_names_of_every_kind_are_refused_like_any_other(
    relying: Relying, browser: Browser, name: str
) -> None:
    answer = relying.by_password(name, PASSWORD)
    assert said(answer, 400)["error"] == ("invalid_grant" if name and "\0" not in name else "invalid_request")
    assert browser.sign_in(relying.asking, name, PASSWORD).status_code in (400, 403)


def test_a_password_of_a_megabyte_is_refused_before_it_is_hashed(relying: Relying, browser: Browser) -> None:
    assert said(relying.by_password("somebody", "x" * 2**20), 413)["error"] == "invalid_request"
    assert browser.sign_in(relying.asking, "somebody", "x" * 2**20).status_code == 413
    assert said(relying.by_password("somebody", "x" * 60_000), 400)["error"] == "invalid_grant"


def imported(rolecall: Rolecall, folder: Path, ciam: Ciam, **row: object) -> str:
    """The name of a user that came from another directory."""
    name = f"imported{secrets.token_hex(4)}"
    file = folder / f"{name}.ndjson"
    file.write_text(json.dumps({"user_name": name, **row}) + "\n")
    rolecall.cli("user", "import", str(file), "--store", ciam.store)
    return name


def test_an_imported_users_old_hash_is_verified_once_and_replaced(
    rolecall: Rolecall, ciam: Ciam, relying: Relying, tmp_path: Path
) -> None:
    old = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    name = imported(rolecall, tmp_path, ciam, password_hash=old)

    def kept() -> str:
        return str(store_rows(rolecall, "select password_hash from users where name = %s", name)[0][0])

    assert relying.by_password(name, "wrong").status_code == 400
    assert kept() == old
    tokens = said(relying.by_password(name, PASSWORD))
    assert kept().startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert relying.userinfo(tokens["access_token"]).status_code == 200
    assert relying.by_password(name, PASSWORD).status_code == 200


def test_a_password_that_must_be_changed_is_changed_at_the_page(
    rolecall: Rolecall, ciam: Ciam, relying: Relying, browser: Browser, tmp_path: Path
) -> None:
    old = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    profile = {"profile.zone": "Asia/Shanghai", "profile.locale": "zh-CN", "profile.name": "阿娜"}
    name = imported(rolecall, tmp_path, ciam, password_hash=old, must_reset=True, **profile)
    assert said(relying.by_password(name, PASSWORD), 400)["error"] == "invalid_grant"
    page = browser.follow(browser.sign_in(relying.asking, name, PASSWORD))
    assert page.status_code == 200
    assert browser.send(page, new=PASSWORD, repeat=PASSWORD).status_code == 400
    answer = browser.send(page, new="Other-Horse-43", repeat="Other-Horse-43")
    tokens = said(relying.redeem(query_of(answer)["code"]))
    told = said(relying.userinfo(tokens["access_token"]))
    assert (told["zoneinfo"], told["locale"], told["name"]) == ("Asia/Shanghai", "zh-CN", "阿娜")
    assert relying.by_password(name, PASSWORD).status_code == 400
    assert relying.by_password(name, "Other-Horse-43").status_code == 200


@pytest.fixture(scope="module")
def wary(tmp_path_factory: pytest.TempPathFactory, start: Callable[..., Rolecall]) -> Iterator[Rolecall]:
    """A Rolecall that locks early."""
    running = start(
        tmp_path_factory.mktemp("wary") / "data",
        ROLECALL_RATE_LIMIT="off",
        ROLECALL_SIGN_IN_FAILURES="3",
        ROLECALL_SIGN_IN_ADDRESS_FAILURES="8",
        ROLECALL_PUBLIC_URL="https://accounts.example",
        ROLECALL_TRUSTED_PROXIES='["127.0.0.1"]',
    )
    yield running
    running.stop()


def test_a_user_is_locked_after_too_many_failures_and_an_address_after_more(wary: Rolecall) -> None:
    ciam = Ciam(wary)
    user = ciam.create()
    ready = wary.tencent
    issuer = ready["oidc_issuer"].replace("https://accounts.example", wary.endpoint)
    one, other = (
        Relying(
            issuer, ready["oidc_client_id"], ready["oidc_redirect_uri"], headers={"x-forwarded-for": address}
        )
        for address in ("192.0.2.1", "192.0.2.2")
    )
    for _ in range(3):
        assert one.by_password(user["UserName"], "wrong").status_code == 400
    refused = said(other.by_password(user["UserName"], PASSWORD), 400)
    assert refused == said(one.by_password("nobody", "wrong"), 400)
    shown = ciam.shown(user["UserId"])
    assert shown is not None
    assert shown["LockTime"]
    another = ciam.create()
    for _ in range(4):
        one.by_password("nobody", "wrong")
    answer = one.by_password(another["UserName"], PASSWORD)
    assert said(answer, 429)["error"] == "temporarily_unavailable"
    assert 0 < int(answer.headers["retry-after"]) <= 901
    assert other.by_password(another["UserName"], PASSWORD).status_code == 200
    ciam.ok("UpdateUserStatus", UserId=user["UserId"], Status="NORMAL")
    assert other.by_password(user["UserName"], PASSWORD).status_code == 200


def test_passwords_shown_for_tokens_of_openstack_count_for_the_same_address(wary: Rolecall) -> None:
    def asked(address: str) -> httpx.Response:
        user = {"name": "nobody", "password": "wrong", "domain": {"id": "default"}}
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}
        headers = {"x-forwarded-for": address}
        return httpx.post(f"{wary.endpoint}/v3/auth/tokens", json=body, headers=headers)

    assert [asked("192.0.2.7").status_code for _ in range(8)] == [401] * 8
    refused = asked("192.0.2.7")
    assert refused.status_code == 413
    assert 0 < int(refused.headers["retry-after"]) <= 901
    assert "Only" not in refused.text
    assert asked("192.0.2.8").status_code == 401
    ready = wary.tencent
    issuer = ready["oidc_issuer"].replace("https://accounts.example", wary.endpoint)
    relying = Relying(
        issuer, ready["oidc_client_id"], ready["oidc_redirect_uri"], headers={"x-forwarded-for": "192.0.2.7"}
    )
    assert relying.by_password("nobody", "wrong").status_code == 429


def test_the_public_url_is_the_issuer_whatever_host_was_asked(wary: Rolecall) -> None:
    issuer = wary.tencent["oidc_issuer"]
    assert issuer == f"https://accounts.example/oidc/{wary.tencent['user_store_id']}"
    path = issuer.removeprefix("https://accounts.example")
    found = httpx.get(f"{wary.endpoint}{path}/.well-known/openid-configuration").json()
    assert found["issuer"] == issuer
    assert found["token_endpoint"].startswith(issuer)
