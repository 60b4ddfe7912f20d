"""The pages of the authorization endpoint, and the redirect back to the application."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from rolecall.domain.directories.login import SHORTEST_PASSWORD
from rolecall.domain.directories.model import User
from rolecall.domain.reasons import Reason, Refused
from rolecall.signin import metadata, pages
from rolecall.signin.authorization import AuthorizationRequest, RedirectTarget
from rolecall.signin.provider_request import ProviderRequest
from rolecall.values import Language, Reply, Secret
from rolecall.web import browser, forms, replies

PASSWORD_ERRORS: Mapping[Reason, tuple[int, str]] = {
    Reason.PASSWORD_LENGTH: (400, "password_short"),
    Reason.PASSWORD_CONTENT: (400, "password_same"),
    Reason.HASHING_BUSY: (503, "busy"),
}


def sign_in(
    incoming: ProviderRequest,
    asked: AuthorizationRequest,
    *,
    status: int = 200,
    key: str = "",
    login: str = "",
    headers: replies.Headers = (),
    **facts: object,
) -> Reply:
    """`key` says what went wrong, with `facts`."""
    token, cookies = browser.form_token(incoming.request, incoming.realm)
    language = _language(incoming, asked)
    return pages.page(
        "sign_in",
        language,
        status=status,
        message=pages.translate(language, key, **facts) if key else "",
        leads_on=True,
        headers=(*headers, *cookies),
        code=key,
        store=incoming.store,
        application=asked.application.name,
        login=login or asked.login_hint,
        csrf=token,
        action=f"{incoming.base}{metadata.SIGN_IN}?{asked.query}",
    )


def refused(incoming: ProviderRequest, asked: AuthorizationRequest, refusal: Refused, login: str) -> Reply:
    """The page for a refused sign-in, without revealing whether the account exists."""
    if refusal.reason is Reason.RATE_EXCEEDED:
        seconds = refusal.facts["seconds"]
        after = (("retry-after", str(seconds)),)
        return sign_in(
            incoming, asked, status=429, key="too_many", login=login, headers=after, seconds=seconds
        )
    if refusal.reason is Reason.HASHING_BUSY:
        return sign_in(incoming, asked, status=503, key="busy", login=login, headers=(("retry-after", "1"),))
    if refusal.reason is not Reason.CREDENTIALS_INVALID:
        raise refusal
    return sign_in(incoming, asked, status=403, key="wrong", login=login)


def change_password(
    incoming: ProviderRequest,
    asked: AuthorizationRequest,
    user: User,
    session: Secret,
    *,
    status: int = 200,
    key: str = "",
) -> Reply:
    language = _language(incoming, asked)
    return pages.page(
        "password",
        language,
        status=status,
        message=pages.translate(language, key) if key else "",
        leads_on=True,
        code=key,
        store=incoming.store,
        forced=True,
        ask_current=False,
        login=display_name(user),
        hint=pages.translate(language, "password_hint", number=SHORTEST_PASSWORD),
        csrf=browser.token_for(session),
        action=f"{incoming.base}{metadata.PASSWORD}?{asked.query}",
    )


def confirm(
    incoming: ProviderRequest,
    asked: AuthorizationRequest,
    user: User,
    session: Secret,
    headers: replies.Headers = (),
) -> Reply:
    """Ask the signed-in user whether to continue to the application."""
    again = dict(parse_qsl(asked.query)) | {"prompt": "login"}
    return pages.page(
        "continue",
        _language(incoming, asked),
        leads_on=True,
        headers=headers,
        store=incoming.store,
        application=asked.application.name,
        user=display_name(user),
        csrf=browser.token_for(session),
        action=f"{incoming.base}{metadata.CONTINUE}?{asked.query}",
        another=f"{incoming.base}{metadata.AUTHORIZE}?{urlencode(again)}",
    )


def redirect_back(
    incoming: ProviderRequest,
    target: RedirectTarget,
    answer: Mapping[str, str],
    headers: replies.Headers = (),
) -> Reply:
    """To the application, with `state` and the issuer (RFC 9207)."""
    parameters = {**answer, "state": target.state, "iss": incoming.issuer}
    return replies.redirect(
        replies.with_parameters(target.redirect_uri, parameters), headers, answer.get("error", "")
    )


def display_name(user: User) -> str:
    return user.nickname or user.name or user.email or user.phone or user.id.hex


def _language(incoming: ProviderRequest, asked: AuthorizationRequest) -> Language:
    return forms.language(incoming.request, asked.ui_locales)
