"""The pages of the entrance, and the way back to the application."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from rolecall.domain.directories.gate import SHORTEST_PASSWORD
from rolecall.domain.directories.model import User
from rolecall.domain.reasons import Reason, Refused
from rolecall.signin import browser, forms, metadata, pages, replies
from rolecall.signin.authorization import AuthorizationRequest, WayBack
from rolecall.signin.visits import Visit
from rolecall.values import Language, Reply, Secret

PASSWORD_TROUBLE: Mapping[Reason, tuple[int, str]] = {
    Reason.PASSWORD_LENGTH: (400, "password_short"),
    Reason.PASSWORD_CONTENT: (400, "password_same"),
    Reason.HASHING_BUSY: (503, "busy"),
}


def sign_in(
    visit: Visit,
    asked: AuthorizationRequest,
    *,
    status: int = 200,
    key: str = "",
    login: str = "",
    headers: replies.Headers = (),
    **facts: object,
) -> Reply:
    """`key` says what went wrong, with `facts`."""
    token, cookies = browser.form_ties(visit.request, visit.realm)
    language = _language(visit, asked)
    return pages.page(
        "sign_in",
        language,
        status=status,
        message=pages.say(language, key, **facts) if key else "",
        leads_on=True,
        headers=(*headers, *cookies),
        code=key,
        store=visit.store.name,
        application=asked.application.name,
        login=login or asked.login_hint,
        csrf=token,
        action=f"{visit.base}{metadata.SIGN_IN}?{asked.query}",
    )


def not_let_in(visit: Visit, asked: AuthorizationRequest, refusal: Refused, login: str) -> Reply:
    """The gate's refusals, without a word about who it is that was refused."""
    if refusal.reason is Reason.RATE_EXCEEDED:
        seconds = refusal.facts["seconds"]
        after = (("retry-after", str(seconds)),)
        return sign_in(visit, asked, status=429, key="too_many", login=login, headers=after, seconds=seconds)
    if refusal.reason is Reason.HASHING_BUSY:
        return sign_in(visit, asked, status=503, key="busy", login=login, headers=(("retry-after", "1"),))
    if refusal.reason is not Reason.CREDENTIALS_INVALID:
        raise refusal
    return sign_in(visit, asked, status=403, key="wrong", login=login)


def change_password(
    visit: Visit,
    asked: AuthorizationRequest,
    user: User,
    session: Secret,
    *,
    status: int = 200,
    key: str = "",
) -> Reply:
    language = _language(visit, asked)
    return pages.page(
        "password",
        language,
        status=status,
        message=pages.say(language, key) if key else "",
        leads_on=True,
        code=key,
        forced=True,
        ask_current=False,
        login=called(user),
        hint=pages.say(language, "password_hint", number=SHORTEST_PASSWORD),
        csrf=browser.token_for(session),
        action=f"{visit.base}{metadata.PASSWORD}?{asked.query}",
    )


def go_on(
    visit: Visit, asked: AuthorizationRequest, user: User, session: Secret, headers: replies.Headers = ()
) -> Reply:
    """Ask the user who is signed in whether to go on to the application."""
    again = dict(parse_qsl(asked.query)) | {"prompt": "login"}
    return pages.page(
        "continue",
        _language(visit, asked),
        leads_on=True,
        headers=headers,
        store=visit.store.name,
        application=asked.application.name,
        user=called(user),
        csrf=browser.token_for(session),
        action=f"{visit.base}{metadata.CONTINUE}?{asked.query}",
        another=f"{visit.base}{metadata.AUTHORIZE}?{urlencode(again)}",
    )


def back(visit: Visit, way: WayBack, answer: Mapping[str, str], headers: replies.Headers = ()) -> Reply:
    """To the application, with `state` and the issuer (RFC 9207)."""
    parameters = {**answer, "state": way.state, "iss": visit.issuer}
    return replies.redirect(
        replies.with_parameters(way.redirect_uri, parameters), headers, answer.get("error", "")
    )


def called(user: User) -> str:
    return user.nickname or user.name or user.email or user.phone or user.id.hex


def _language(visit: Visit, asked: AuthorizationRequest) -> Language:
    return forms.language(visit.request, asked.ui_locales)
