"""The OpenID providers: what they grant, and every refusal as the RFCs have it."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from tests.unit.signin_desk import START, Desk, challenge, content, failed, header, location

from rolecall.domain.directories.applications import ApplicationRefused, register
from rolecall.domain.directories.model import CustomAttribute, UserGroup, UserStatus
from rolecall.domain.directories.provider import Application
from rolecall.domain.reasons import Reason, Refused
from rolecall.domain.secrets.passwords import Verdict
from rolecall.values import Reply, Secret

VERIFIER = "a" * 50
AT_ONCE = [
    pytest.param({"status": UserStatus.FROZEN}, id="frozen"),
    pytest.param({"status": UserStatus.LOCKED}, id="locked"),
    pytest.param({"password_hash": "$argon2id$another"}, id="another password"),
    pytest.param(None, id="deleted"),
]


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    one = Desk()
    yield one
    one.passwords.close()


def refused(reply: Reply, status: int, error: str) -> dict[str, str]:
    said = content(reply)
    assert (reply.status, said["error"]) == (status, error), said
    assert said.keys() == {"error", "error_description"}
    return said


async def code_for(desk: Desk, **changes: str) -> tuple[str, object]:
    """A code for a public application with PKCE, by way of the page."""
    user, application = await desk.add_user(), desk.add_application()
    assert user.name is not None
    answer = await desk.sign_in_with(desk.request_of(application, VERIFIER, **changes), user.name)
    return location(answer)[1]["code"], (user, application)


async def redeemed(desk: Desk, code: str, application: object, /, **changes: str) -> Reply:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": application.redirect_uris[0],
        "code_verifier": VERIFIER,
    } | changes
    return await desk.token(application, **{k: v for k, v in form.items() if v})


async def test_discovery_names_endpoints_under_the_issuer_and_only_what_is_supported(desk: Desk) -> None:
    said = content(await desk.get("/.well-known/openid-configuration"))
    assert said["issuer"] == desk.issuer
    for endpoint in ("authorization", "token", "userinfo", "revocation", "introspection", "end_session"):
        assert said[f"{endpoint}_endpoint"].startswith(desk.issuer + "/")
    assert said["token_endpoint"] == desk.issuer + "/oauth2/token"
    assert said["userinfo_endpoint"] == desk.issuer + "/userinfo"
    assert said["response_types_supported"] == ["code"]
    assert said["code_challenge_methods_supported"] == ["S256"]
    assert said["id_token_signing_alg_values_supported"] == ["RS256"]


async def test_the_code_flow_ends_in_tokens_an_id_token_that_the_published_key_verifies_and_userinfo(
    desk: Desk,
) -> None:
    desk.users.groups = [
        UserGroup(uuid4(), desk.store.id, "buyers", "", datetime.now(UTC), datetime.now(UTC))
    ]
    scope = "openid profile phone address groups unknown"
    code, (user, application) = await code_for(desk, nonce="n-1", scope=scope)
    desk.now += 5
    granted = content(await redeemed(desk, code, application))
    assert granted["token_type"] == "Bearer"
    assert granted["scope"] == "openid profile phone address groups"
    keys = KeySet.import_key_set(content(await desk.get("/oauth2/jwks")))
    assert all("d" not in key.as_dict(private=False) for key in keys.keys)
    assert '"d"' not in json.dumps(content(await desk.get("/oauth2/jwks")))
    token = jwt.decode(granted["id_token"], keys, algorithms=["RS256"])
    assert token.header["kid"] == keys.keys[0].kid
    said = token.claims
    assert said["iss"] == desk.issuer
    assert said["sub"] == user.id.hex
    assert said["aud"] == application.id
    assert said["nonce"] == "n-1"
    assert (said["auth_time"], said["iat"]) == (START, START + 5)
    told = content(await desk.get("/userinfo", authorization=f"Bearer {granted['access_token']}"))
    assert told == {
        "sub": user.id.hex,
        "name": user.name,
        "preferred_username": user.name,
        "nickname": "Nick",
        "email": user.email,
        "zoneinfo": "Asia/Shanghai",
        "locale": "zh-CN",
        "gender": "female",
        "birthdate": "1990-01-01",
        "updated_at": START,
        "phone_number": user.phone,
        "phone_number_verified": False,
        "address": {"formatted": "Shenzhen"},
        "groups": ["buyers"],
    }


async def test_openid_alone_tells_name_mail_zone_and_language_and_no_phone_number(desk: Desk) -> None:
    user, application = await desk.add_user(), desk.add_application()
    granted = content(
        await desk.token(
            application, grant_type="password", username=user.email, password="Right_password1",
            scope="openid", auth_source_id="any",
        )
    )  # fmt: skip
    assert granted["scope"] == "openid"
    assert "id_token" in granted
    told = content(await desk.get("/userinfo", authorization=f"Bearer {granted['access_token']}"))
    assert told.keys() == {
        "sub", "name", "preferred_username", "nickname", "email", "zoneinfo", "locale", "updated_at",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": ""}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": "", "code_challenge_method": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"code_challenge": "too-short"}, "invalid_request"),
        ({"scope": "unknown"}, "invalid_scope"),
        ({"scope": 'op"enid'}, "invalid_scope"),
        ({"prompt": "none"}, "login_required"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "dance"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "x"}, "invalid_request"),
        ({"nonce": "n" * 2000}, "invalid_request"),
        ({"request": "eyJ"}, "request_not_supported"),
        ({"request_uri": "https://x.example"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
    ],
)  # fmt: skip
async def test_a_wrong_authorization_request_is_refused_by_a_redirect(
    desk: Desk, changes: dict[str, str], error: str
) -> None:
    application = desk.add_application()
    asked = desk.request_of(application, VERIFIER, **changes)
    place, said = location(await desk.get("/oauth2/authorize", asked))
    assert place == "https://shop.example/cb"
    assert said["error"] == error
    assert said["state"] == "st&te=1"
    assert said["iss"] == desk.issuer
    assert said["shop"] == "1"  # the registered URI's own query stays


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": ""},
        {"client_id": "nobody"},
        {"redirect_uri": ""},
        {"redirect_uri": "https://shop.example/cb"},
        {"redirect_uri": "https://shop.example/cb?shop=1&more=2"},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": "https://SHOP.example/cb?shop=1"},
    ],
)
async def test_an_unknown_application_or_address_is_told_on_a_page_and_never_by_a_redirect(
    desk: Desk, changes: dict[str, str]
) -> None:
    application = desk.add_application()
    reply = await desk.get("/oauth2/authorize", desk.request_of(application, VERIFIER, **changes))
    assert reply.status == 400
    assert header(reply, "location") == ""
    assert header(reply, "content-type").startswith("text/html")


async def test_an_application_of_another_store_is_unknown_here(desk: Desk) -> None:
    application = desk.add_application(store_id=uuid4(), secret="s")
    assert (await desk.get("/oauth2/authorize", desk.request_of(application))).status == 400
    refused(await desk.token(application, "s", grant_type="client_credentials"), 401, "invalid_client")


async def test_a_parameter_given_twice_is_refused(desk: Desk) -> None:
    application = desk.add_application()
    twice = f"client_id={application.id}&client_id={application.id}"
    assert (await desk.get("/oauth2/authorize", twice)).status == 400
    reply = await desk.post("/oauth2/token", [("grant_type", "password"), ("grant_type", "password")])
    refused(reply, 400, "invalid_request")


async def test_an_authorization_request_may_come_as_a_form(desk: Desk) -> None:
    application = desk.add_application()
    reply = await desk.post("/oauth2/authorize", desk.request_of(application, VERIFIER))
    assert reply.status == 200
    assert b"Till &amp; more" in reply.body


async def test_a_code_is_good_once_and_used_again_ends_what_was_granted_on_it(desk: Desk) -> None:
    code, (_, application) = await code_for(desk)
    granted = content(await redeemed(desk, code, application))
    refused(await redeemed(desk, code, application), 400, "invalid_grant")
    bearer = f"Bearer {granted['access_token']}"
    assert (await desk.get("/userinfo", authorization=bearer)).status == 401
    reply = await desk.token(application, grant_type="refresh_token", refresh_token=granted["refresh_token"])
    refused(reply, 400, "invalid_grant")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code": "unknown"}, "invalid_grant"),
        ({"code": ""}, "invalid_request"),
        ({"redirect_uri": ""}, "invalid_request"),
        ({"redirect_uri": "https://evil.example/"}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_request"),
        ({"code_verifier": "b" * 50}, "invalid_grant"),
    ],
)
async def test_a_code_with_something_wrong_is_refused_and_still_good_for_whom_it_was_made(
    desk: Desk, changes: dict[str, str], error: str
) -> None:
    code, (_, application) = await code_for(desk)
    refused(await redeemed(desk, code, application, **changes), 400, error)
    assert (await redeemed(desk, code, application)).status == 200


async def test_a_code_is_refused_to_another_application_and_after_a_minute(desk: Desk) -> None:
    code, (_, application) = await code_for(desk)
    refused(await redeemed(desk, code, desk.add_application()), 400, "invalid_grant")
    desk.now += 61
    refused(await redeemed(desk, code, application), 400, "invalid_grant")


async def test_a_verifier_for_a_code_without_a_challenge_is_refused(desk: Desk) -> None:
    """RFC 9700 2.1.1: somebody may have taken the challenge out."""
    user, application = await desk.add_user(), desk.add_application(secret="s3cret")
    answer = await desk.sign_in_with(desk.request_of(application), user.name or "")
    code = location(answer)[1]["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": application.redirect_uris[0]}
    refused(await desk.token(application, "s3cret", code_verifier=VERIFIER, **form), 400, "invalid_grant")
    assert (await desk.token(application, "s3cret", **form)).status == 200


@pytest.mark.parametrize("change", AT_ONCE)
async def test_a_code_is_refused_once_its_user_may_not_sign_in(
    desk: Desk, change: dict[str, object] | None
) -> None:
    code, (user, application) = await code_for(desk)
    befall(desk, user, change)
    refused(await redeemed(desk, code, application), 400, "invalid_grant")


def befall(desk: Desk, user: object, change: dict[str, object] | None) -> None:
    if change is None:
        del desk.users.users[user.id]
    else:
        desk.users.users[user.id] = replace(desk.users.users[user.id], **change)


async def tokens(desk: Desk, **form: str) -> tuple[dict[str, str], object, object]:
    user, application = await desk.add_user(), desk.add_application()
    given = {"grant_type": "password", "username": user.name, "password": "Right_password1"} | form
    return content(await desk.token(application, **given)), user, application


async def test_the_password_grant_takes_name_phone_or_mail_and_keeps_the_time_and_place(desk: Desk) -> None:
    user, application = await desk.add_user(), desk.add_application()
    for login in (user.name, user.phone, user.email):
        reply = await desk.token(
            application, grant_type="password", username=login or "", password="Right_password1"
        )
        assert reply.status == 200
    kept = desk.users.users[user.id]
    assert kept.last_sign_in_at == datetime.fromtimestamp(START, UTC)
    assert kept.signed_in_before
    assert desk.users.signed_in_from == ["192.0.2.1"] * 3


@pytest.mark.parametrize("change", AT_ONCE)
async def test_tokens_end_with_the_user_at_once(desk: Desk, change: dict[str, object] | None) -> None:
    granted, user, application = await tokens(desk)
    confidential = desk.add_application(secret="s")
    bearer = f"Bearer {granted['access_token']}"
    assert (await desk.get("/userinfo", authorization=bearer)).status == 200
    befall(desk, user, change)
    reply = await desk.get("/userinfo", authorization=bearer)
    refused(reply, 401, "invalid_token")
    assert 'error="invalid_token"' in header(reply, "www-authenticate")
    asked = {"client_id": confidential.id, "client_secret": "s", "token": granted["access_token"]}
    assert content(await desk.post("/oauth2/introspect", asked)) == {"active": False}
    reply = await desk.token(application, grant_type="refresh_token", refresh_token=granted["refresh_token"])
    refused(reply, 400, "invalid_grant")


async def test_too_many_failures_lock_signing_in_and_end_no_token(desk: Desk) -> None:
    """Anybody can cause them: nobody is signed out by a stranger."""
    granted, user, application = await tokens(desk)
    for _ in range(3):
        await desk.token(application, grant_type="password", username=user.name, password="wrong")
    reply = await desk.token(
        application, grant_type="password", username=user.name, password="Right_password1"
    )
    refused(reply, 400, "invalid_grant")
    bearer = f"Bearer {granted['access_token']}"
    assert (await desk.get("/userinfo", authorization=bearer)).status == 200


async def test_a_refresh_token_is_good_once_and_used_again_ends_its_family(desk: Desk) -> None:
    first, _, application = await tokens(desk, scope="openid profile")
    desk.now += 1000
    second = content(
        await desk.token(application, grant_type="refresh_token", refresh_token=first["refresh_token"])
    )
    assert second["refresh_token"] != first["refresh_token"]
    assert second["scope"] == "openid profile"
    claims = json.loads(base64.urlsafe_b64decode(second["id_token"].split(".")[1] + "=="))
    assert claims["auth_time"] == START
    narrowed = content(
        await desk.token(
            application, grant_type="refresh_token", refresh_token=second["refresh_token"], scope="openid"
        )
    )
    assert narrowed["scope"] == "openid"
    stolen = await desk.token(application, grant_type="refresh_token", refresh_token=first["refresh_token"])
    refused(stolen, 400, "invalid_grant")
    for ended in (second, narrowed):
        bearer = f"Bearer {ended['access_token']}"
        assert (await desk.get("/userinfo", authorization=bearer)).status == 401
    reply = await desk.token(application, grant_type="refresh_token", refresh_token=narrowed["refresh_token"])
    refused(reply, 400, "invalid_grant")


async def test_a_refresh_token_is_refused_for_more_to_others_too_late_and_in_the_wrong_place(
    desk: Desk,
) -> None:
    granted, _, application = await tokens(desk)
    form = {"grant_type": "refresh_token", "refresh_token": granted["refresh_token"]}
    refused(await desk.token(application, **form, scope="openid phone"), 400, "invalid_scope")
    refused(await desk.token(desk.add_application(), **form), 400, "invalid_grant")
    refused(await desk.token(application, grant_type="refresh_token"), 400, "invalid_request")
    access = form | {"refresh_token": granted["access_token"]}
    refused(await desk.token(application, **access), 400, "invalid_grant")
    bearer = f"Bearer {granted['refresh_token']}"
    refused(await desk.get("/userinfo", authorization=bearer), 401, "invalid_token")
    desk.now += timedelta(days=31).total_seconds()
    refused(await desk.token(application, **form), 400, "invalid_grant")


async def test_refreshing_ends_three_months_after_the_password_was_shown(desk: Desk) -> None:
    granted, _, application = await tokens(desk)
    for _ in range(4):
        desk.now += timedelta(days=25).total_seconds()
        reply = await desk.token(
            application, grant_type="refresh_token", refresh_token=granted["refresh_token"]
        )
        granted = content(reply)
        if reply.status != 200:
            break
    assert granted["error"] == "invalid_grant"
    assert desk.now - START == timedelta(days=100).total_seconds()


async def test_an_access_token_ends_after_a_quarter_of_an_hour(desk: Desk) -> None:
    granted, *_ = await tokens(desk)
    assert granted["expires_in"] == 900
    bearer = f"Bearer {granted['access_token']}"
    desk.now += 899
    assert (await desk.get("/userinfo", authorization=bearer)).status == 200
    desk.now += 1
    assert (await desk.get("/userinfo", authorization=bearer)).status == 401


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "implicit"}, "unsupported_grant_type"),
        ({"grant_type": "http://vendor.example/oauth2/grant-type/otp/sms"}, "unsupported_grant_type"),
        ({"grant_type": "password"}, "invalid_request"),
        ({"grant_type": "password", "username": "a"}, "invalid_request"),
        ({"grant_type": "password", "username": "a", "password": "b", "scope": "none"}, "invalid_scope"),
        ({"grant_type": "client_credentials"}, "unauthorized_client"),
    ],
)
async def test_a_wrong_token_request_is_refused(desk: Desk, form: dict[str, str], error: str) -> None:
    refused(await desk.token(desk.add_application(), **form), 400, error)


async def test_unknown_wrong_locked_and_frozen_are_refused_alike_after_as_much_work(desk: Desk) -> None:
    application = desk.add_application()
    right, frozen = await desk.add_user(), await desk.add_user(status=UserStatus.FROZEN)
    locked = await desk.add_user(locked_until=datetime.fromtimestamp(START + 60, UTC))
    passwordless = await desk.add_user(password_hash=None)
    said = set()
    for login, password in (
        ("nobody", "Right_password1"),
        (right.name, "wrong"),
        (right.name, "x" * 2000),
        (frozen.name, "Right_password1"),
        (locked.name, "Right_password1"),
        (passwordless.name, "Right_password1"),
    ):
        counted = len(desk.users.failed) + sum(one.number for one in desk.kept.counts.values())
        reply = await desk.token(application, grant_type="password", username=login or "", password=password)
        said.add((reply.status, reply.headers, reply.body))
        # one failure for the address, and one for the account or for the name that nobody has
        assert len(desk.users.failed) + sum(one.number for one in desk.kept.counts.values()) == counted + 2
    assert len(said) == 1


async def test_a_client_address_with_too_many_failures_waits_whoever_it_names() -> None:
    desk = Desk(address_failures=2)
    user, application = await desk.add_user(), desk.add_application()
    form = {"grant_type": "password", "username": "nobody", "password": "x"}
    for _ in range(2):
        refused(await desk.token(application, **form), 400, "invalid_grant")
    right = {"grant_type": "password", "username": user.name or "", "password": "Right_password1"}
    reply = await desk.token(application, **right)
    refused(reply, 429, "temporarily_unavailable")
    assert header(reply, "retry-after") == "901"
    desk.client = "192.0.2.2"
    assert (await desk.token(application, **right)).status == 200
    desk.client, desk.now = "192.0.2.1", desk.now + 901
    assert (await desk.token(application, **right)).status == 200
    desk.passwords.close()


async def test_a_full_hashing_queue_asks_to_come_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object) -> None:
        raise Refused(Reason.HASHING_BUSY)

    monkeypatch.setattr(desk.passwords, "verify", full)
    reply = await desk.token(desk.add_application(), grant_type="password", username="a", password="b")
    refused(reply, 503, "temporarily_unavailable")
    assert header(reply, "retry-after") == "1"


async def test_a_password_that_must_be_changed_opens_nothing_by_the_password_grant(desk: Desk) -> None:
    user, application = await desk.add_user(must_reset=True), desk.add_application()
    reply = await desk.token(
        application, grant_type="password", username=user.name or "", password="Right_password1"
    )
    assert "changed" in refused(reply, 400, "invalid_grant")["error_description"]


async def test_a_hash_of_another_make_is_replaced_at_sign_in_and_the_tokens_hold(desk: Desk) -> None:
    import argon2

    weak = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("Right_password1")
    user, application = await desk.add_user(password_hash=weak), desk.add_application()
    granted = content(
        await desk.token(
            application, grant_type="password", username=user.name or "", password="Right_password1"
        )
    )
    assert desk.users.users[user.id].password_hash != weak
    bearer = f"Bearer {granted['access_token']}"
    assert (await desk.get("/userinfo", authorization=bearer)).status == 200


def basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


async def test_an_application_proves_itself_by_one_of_two_ways(desk: Desk) -> None:
    application = desk.add_application(secret="s:cret +")
    by_itself = {"grant_type": "client_credentials"}
    in_form = by_itself | {"client_id": application.id, "client_secret": "s:cret +"}
    assert (await desk.post("/oauth2/token", in_form)).status == 200
    right = basic(application.id, "s%3Acret+%2B")
    assert (await desk.post("/oauth2/token", by_itself, authorization=right)).status == 200
    refused(await desk.post("/oauth2/token", in_form, authorization=right), 400, "invalid_request")
    other = by_itself | {"client_id": "other"}
    refused(await desk.post("/oauth2/token", other, authorization=right), 400, "invalid_request")


@pytest.mark.parametrize(
    ("named", "shown"), [("it", "wrong"), ("it", ""), ("nobody", "s"), ("", ""), ("public", "s")]
)
async def test_an_application_that_proves_nothing_is_refused(desk: Desk, named: str, shown: str) -> None:
    application, public = desk.add_application(secret="s"), desk.add_application()
    name = {"it": application.id, "public": public.id}.get(named, named)
    form = {"grant_type": "client_credentials", "client_id": name, "client_secret": shown}
    refused(await desk.post("/oauth2/token", form), 401, "invalid_client")
    reply = await desk.post(
        "/oauth2/token", {"grant_type": "client_credentials"}, authorization=basic(name, shown)
    )
    refused(reply, 401, "invalid_client")
    assert header(reply, "www-authenticate").startswith("Basic ")


@pytest.mark.parametrize("credentials", ["Basic !!", "Basic bm9jb2xvbg==", "Bearer x", "Basic /w=="])
async def test_a_malformed_authorization_header_is_no_application(desk: Desk, credentials: str) -> None:
    reply = await desk.post("/oauth2/token", {"grant_type": "client_credentials"}, authorization=credentials)
    refused(reply, 401, "invalid_client")


async def test_an_application_in_its_own_name_gets_an_access_token_and_no_user(desk: Desk) -> None:
    application = desk.add_application(secret="s")
    granted = content(await desk.token(application, "s", grant_type="client_credentials"))
    assert granted.keys() == {"access_token", "token_type", "expires_in", "scope"}
    bearer = f"Bearer {granted['access_token']}"
    refused(await desk.get("/userinfo", authorization=bearer), 401, "invalid_token")
    told = await desk.post(
        "/oauth2/introspect",
        {"client_id": application.id, "client_secret": "s", "token": granted["access_token"]},
    )
    assert content(told)["sub"] == application.id


async def test_introspection_tells_applications_with_a_secret_and_nobody_else(desk: Desk) -> None:
    granted, user, public = await tokens(desk)
    application = desk.add_application(secret="s")
    asked = {"client_id": application.id, "client_secret": "s", "token": granted["access_token"]}
    told = content(await desk.post("/oauth2/introspect", asked))
    assert told["active"] is True
    assert (told["sub"], told["client_id"], told["username"]) == (user.id.hex, public.id, user.name)
    assert (told["iat"], told["exp"]) == (START, START + 900)
    assert (told["token_type"], told["aud"]) == ("Bearer", public.id)
    assert content(await desk.post("/oauth2/introspect", asked | {"token": "x"})) == {"active": False}
    form = {"client_id": public.id, "token": granted["access_token"]}
    refused(await desk.post("/oauth2/introspect", form), 401, "invalid_client")
    del asked["token"]
    refused(await desk.post("/oauth2/introspect", asked), 400, "invalid_request")


async def test_a_refresh_token_is_active_for_its_own_application_only_and_is_no_bearer_token(
    desk: Desk,
) -> None:
    user = await desk.add_user()
    own, other = desk.add_application(secret="s"), desk.add_application(secret="s")
    form = {"grant_type": "password", "username": user.name or "", "password": "Right_password1"}
    refresh = content(await desk.token(own, "s", **form))["refresh_token"]

    async def told(application: Application) -> dict[str, Any]:
        asked = {"client_id": application.id, "client_secret": "s", "token": refresh}
        return content(await desk.post("/oauth2/introspect", asked))

    assert await told(other) == {"active": False}
    mine = await told(own)
    assert (mine["active"], mine["client_id"], mine["aud"]) == (True, own.id, own.id)
    assert "token_type" not in mine


async def test_guesses_that_were_sent_at_once_are_no_more_than_the_limits(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The right password is among them, and is looked at while others fail."""
    user, application = await desk.add_user(), desk.add_application()
    form = {"grant_type": "password", "username": user.name or "", "password": "Right_password1"}
    verify = desk.passwords.verify

    async def meanwhile(stored: str | None, password: Secret) -> Verdict:
        verdict = await verify(stored, password)
        for _ in range(3):
            await desk.users.sign_in_failed(user.id, datetime.fromtimestamp(desk.now, UTC), 3, 900)
        return verdict

    with monkeypatch.context() as patch:
        patch.setattr(desk.passwords, "verify", meanwhile)
        refused(await desk.token(application, **form), 400, "invalid_grant")
    assert desk.users.signed_in_from == []
    desk.now += 901
    assert (await desk.token(application, **form)).status == 200

    async def address_over(stored: str | None, password: Secret) -> Verdict:
        verdict = await verify(stored, password)
        at = datetime.fromtimestamp(desk.now, UTC)
        for _ in range(desk.address_failures):
            await failed(desk.addresses, desk.client, at)
        return verdict

    monkeypatch.setattr(desk.passwords, "verify", address_over)
    refused(await desk.token(application, **form), 429, "temporarily_unavailable")


async def test_revoking_a_refresh_token_ends_the_family_and_an_access_token_itself_alone(desk: Desk) -> None:
    granted, _, application = await tokens(desk)
    other = desk.add_application()
    own = {"client_id": application.id}
    refused(await desk.post("/oauth2/revoke", own), 400, "invalid_request")
    refused(
        await desk.post("/oauth2/revoke", {"client_id": other.id, "token": granted["access_token"]}),
        400,
        "invalid_grant",
    )
    assert (await desk.post("/oauth2/revoke", own | {"token": "unknown"})).status == 200
    assert (await desk.post("/oauth2/revoke", own | {"token": granted["access_token"]})).status == 200
    bearer = f"Bearer {granted['access_token']}"
    assert (await desk.get("/userinfo", authorization=bearer)).status == 401
    granted = content(
        await desk.token(application, grant_type="refresh_token", refresh_token=granted["refresh_token"])
    )
    gone = own | {"token": granted["refresh_token"], "token_type_hint": "refresh_token"}
    assert (await desk.post("/oauth2/revoke", gone)).status == 200
    bearer = f"Bearer {granted['access_token']}"
    assert (await desk.get("/userinfo", authorization=bearer)).status == 401
    reply = await desk.token(application, grant_type="refresh_token", refresh_token=granted["refresh_token"])
    refused(reply, 400, "invalid_grant")


async def test_userinfo_asks_for_a_token_and_for_the_scope_openid(desk: Desk) -> None:
    reply = await desk.get("/userinfo")
    assert reply.status == 401
    assert header(reply, "www-authenticate") == 'Bearer realm="userinfo"'
    for wrong in ("Bearer x", "Basic eA==", "Bearer", "Bearer a b"):
        refused(await desk.get("/userinfo", authorization=wrong), 401, "invalid_token")
    granted, *_ = await tokens(desk, scope="profile")
    assert "id_token" not in granted
    bearer = f"Bearer {granted['access_token']}"
    reply = await desk.get("/userinfo", authorization=bearer)
    refused(reply, 403, "insufficient_scope")
    assert 'error="insufficient_scope"' in header(reply, "www-authenticate")


async def test_what_is_no_form_is_refused(desk: Desk) -> None:
    for kind, body in (
        ("application/json", b'{"grant_type":"password"}'),
        ("", b"grant_type=password"),
        ("application/x-www-form-urlencoded", b"grant_type=\xff"),
        ("application/x-www-form-urlencoded", b"grant_type=%ff"),
        ("application/x-www-form-urlencoded", b"grant_type=%00"),
        ("application/x-www-form-urlencoded", b"a=1&" * 200),
    ):
        reply = await desk.ask("POST", desk.base + "/oauth2/token", "", body, {"content-type": kind})
        refused(reply, 400, "invalid_request")
    reply = await desk.post("/oauth2/token", {"grant_type": "password"}, "client_secret=in-the-url")
    refused(reply, 400, "invalid_request")
    reply = await desk.post("/oauth2/token", b"x" * 70_000)
    refused(reply, 413, "invalid_request")


async def test_a_method_that_is_not_offered_is_refused_and_the_others_are_named(desk: Desk) -> None:
    reply = await desk.get("/oauth2/token")
    assert (reply.status, header(reply, "allow")) == (405, "POST, OPTIONS")
    assert (await desk.ask("DELETE", desk.base + "/userinfo")).status == 405
    assert (await desk.ask("PUT", desk.base + "/oauth2/authorize")).status == 405
    preflight = await desk.ask("OPTIONS", desk.base + "/oauth2/token")
    assert preflight.status == 204
    assert header(preflight, "access-control-allow-origin") == "*"
    assert "authorization" in header(preflight, "access-control-allow-headers")


@pytest.mark.parametrize(
    "path",
    ["/oidc/", "/oidc/x/userinfo", f"/oidc/{'0' * 32}/userinfo", f"/oidc/{'0' * 32}"],
)
async def test_what_is_not_there_is_not_found(desk: Desk, path: str) -> None:
    assert (await desk.ask("GET", path)).status == 404
    assert (await desk.get("/nothing")).status == 404


async def test_a_host_header_that_names_no_host_is_refused() -> None:
    desk = Desk(public_url="", client="127.0.0.1")
    for host in ("", 'evil"><script>', "a b", "x/../y", "user@host"):
        reply = await desk.get("/.well-known/openid-configuration", host=host)
        assert reply.status == 400


@pytest.mark.parametrize(
    ("client", "host", "status"),
    [
        ("127.0.0.1", "127.0.0.1:7653", 200),
        ("::1", "[::1]:7653", 200),
        ("::1", "localhost", 200),
        ("192.0.2.1", "sign.example", 400),
        ("192.0.2.1", "localhost:7653", 400),
        ("127.0.0.1", "sign.example:7653", 400),
        ("127.0.0.1", "127.0.0.1.evil.example", 400),
    ],
)
async def test_without_a_public_url_only_the_machine_itself_is_an_issuer(
    client: str, host: str, status: int
) -> None:
    """B10: any Host made an issuer, all with one signing key."""
    desk = Desk(public_url="", client=client)
    reply = await desk.get("/.well-known/openid-configuration", host=host)
    assert reply.status == status
    if status == 200:
        assert content(reply)["issuer"] == f"https://{host}{desk.base}"


async def test_a_rotated_key_signs_at_once_and_the_one_before_verifies_for_a_day(desk: Desk) -> None:
    granted, *_ = await tokens(desk)
    before = content(await desk.get("/oauth2/jwks"))["keys"]
    await desk.signing_keys.rotate(desk.store.id, datetime.fromtimestamp(desk.now + 1, UTC))
    both = content(await desk.get("/oauth2/jwks"))["keys"]
    assert len(both) == 2
    assert both[1]["kid"] == before[0]["kid"]
    jwt.decode(granted["id_token"], KeySet.import_key_set({"keys": both}), algorithms=["RS256"])
    fresh, *_ = await tokens(desk)
    head = json.loads(base64.urlsafe_b64decode(fresh["id_token"].split(".")[0] + "=="))
    assert head["kid"] == both[0]["kid"]
    desk.now += timedelta(days=1, minutes=1).total_seconds()
    assert [key["kid"] for key in content(await desk.get("/oauth2/jwks"))["keys"]] == [both[0]["kid"]]


async def test_a_crash_is_told_without_its_reason(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("secret-detail")

    application = desk.add_application()
    monkeypatch.setattr(desk.users, "user_by_login", broken)
    reply = await desk.token(application, grant_type="password", username="a", password="b")
    refused(reply, 500, "server_error")
    monkeypatch.setattr(desk.users, "store", broken)
    reply = await desk.get("/userinfo")
    assert reply.status == 500
    assert b"secret-detail" not in reply.body


async def test_challenge_of_the_rfcs_own_example() -> None:
    """RFC 7636 appendix B."""
    made = challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert made == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize(
    "uri",
    [
        "http://shop.example/cb", "https://shop.example/cb#part", "/cb", "shop.example", "javascript:alert(1)",
        "myapp:/cb", "https://user@shop.example/", "https://", "data:text/html,x", "https://shop.example:x/",
        "https://shop.example/a b", "https://shop;.example/", "http://127.0.0.1.evil.example/", "",
        "https://x/" + "y" * 2000,
        "https://shop.example/\r\nset-cookie:x", "HTTP://shop.example/",
    ],
)  # fmt: skip
async def test_an_address_that_codes_must_not_be_sent_to_is_not_registered(desk: Desk, uri: str) -> None:
    with pytest.raises(ApplicationRefused):
        await register(desk.provider, desk.store.id, None, [uri], public=True)
    with pytest.raises(ApplicationRefused):
        await register(
            desk.provider, desk.store.id, None, ["https://shop.example/"], logout_uris=[uri], public=True
        )
    assert desk.provider.by_id == {}


async def test_the_same_address_twice_is_not_registered(desk: Desk) -> None:
    with pytest.raises(ApplicationRefused, match="twice"):
        await register(desk.provider, desk.store.id, None, ["https://shop.example/"] * 2, public=True)


@pytest.mark.parametrize("length", [1025, 2372, 20_000])
async def test_a_state_of_any_length_comes_back(desk: Desk, length: int) -> None:
    """Cognito and ASP.NET keep all that they need to go on in it."""
    user, application = await desk.add_user(), desk.add_application()
    asked = desk.request_of(application, VERIFIER, state="s" * length)
    assert user.name is not None
    assert location(await desk.sign_in_with(asked, user.name))[1]["state"] == "s" * length
    wrong = location(await desk.get("/oauth2/authorize", {**asked, "response_type": "token"}))[1]
    assert (wrong["error"], wrong["state"]) == ("unsupported_response_type", "s" * length)


@pytest.mark.parametrize("prompt", ["consent", "login consent"])
async def test_consent_is_asked_for_after_the_password_too(desk: Desk, prompt: str) -> None:
    user, application = await desk.add_user(), desk.add_application()
    assert user.name is not None
    page = await desk.sign_in_with(desk.request_of(application, VERIFIER, prompt=prompt), user.name)
    assert (page.status, header(page, "location")) == (200, "")
    place, said = location(await desk.send(page))
    assert place == "https://shop.example/cb"
    assert said["code"]


@pytest.mark.parametrize(
    ("registered", "asked", "status"),
    [
        ("http://127.0.0.1/callback", "http://127.0.0.1:53219/callback", 200),
        ("http://127.0.0.1:7654/callback?a=1", "http://127.0.0.1:1/callback?a=1", 200),
        ("http://[::1]/callback", "http://[::1]:53219/callback", 200),
        ("http://127.0.0.1/callback", "http://127.0.0.1:53219/other", 400),
        ("http://127.0.0.1/callback", "http://127.0.0.1:53219/callback?a=1", 400),
        ("http://127.0.0.1/callback", "https://127.0.0.1:53219/callback", 400),
        ("http://127.0.0.1/callback", "http://127.0.0.2:53219/callback", 400),
        ("http://127.0.0.1/callback", "http://127.0.0.1:80@evil.example/callback", 400),
        ("http://127.0.0.1/callback", "http://127.0.0.1.evil.example/callback", 400),
        ("http://localhost/callback", "http://localhost:53219/callback", 400),
        ("https://shop.example/cb", "https://shop.example:444/cb", 400),
    ],
)
async def test_a_native_application_chooses_its_port(
    desk: Desk, registered: str, asked: str, status: int
) -> None:
    """RFC 8252 7.3."""
    user, application = await desk.add_user(), desk.add_application(redirect_uris=(registered,))
    request = desk.request_of(application, VERIFIER, redirect_uri=asked)
    page = await desk.get("/oauth2/authorize", request)
    assert page.status == status
    if status == 200:
        assert user.name is not None
        code = location(await desk.sign_in_with(request, user.name))[1]["code"]
        refused(await redeemed(desk, code, application), 400, "invalid_grant")
        code = location(await desk.sign_in_with({**request, "prompt": "login"}, user.name))[1]["code"]
        assert content(await redeemed(desk, code, application, redirect_uri=asked))["access_token"]


@pytest.mark.parametrize("prefix", ["oauth-authorization-server", "openid-configuration"])
async def test_metadata_is_where_rfc_8414_looks_for_it(desk: Desk, prefix: str) -> None:
    reply = await desk.ask("GET", f"/.well-known/{prefix}{desk.base}")
    assert content(reply) == content(await desk.get("/.well-known/openid-configuration"))
    assert content(reply)["issuer"] == desk.issuer
    assert (await desk.ask("GET", f"/.well-known/{prefix}/oidc/{'0' * 32}")).status == 404


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, None),
        ({"email": "a@example.com", "profile": {"verifiedEmail": "a@example.com"}}, True),
        ({"email": "b@example.com", "profile": {"verifiedEmail": "a@example.com"}}, None),
        ({"custom": (CustomAttribute("email_verified", "true"),)}, True),
        ({"custom": (CustomAttribute("email_verified", "false"),)}, None),
        ({"email": None, "custom": (CustomAttribute("email_verified", "true"),)}, None),
    ],
)
async def test_an_address_is_verified_if_it_was_marked_so(
    desk: Desk, changes: dict[str, object], told: bool | None
) -> None:
    user, application = await desk.add_user(**changes), desk.add_application()
    form = {
        "grant_type": "password",
        "username": user.name,
        "password": "Right_password1",
        "scope": "openid email",
    }
    granted = content(await desk.token(application, **form))
    claims = content(await desk.get("/userinfo", authorization=f"Bearer {granted['access_token']}"))
    assert claims.get("email_verified") is told
