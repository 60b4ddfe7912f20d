"""Signing out at a provider (OpenID Connect RP-Initiated Logout 1.0)."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from rolecall.domain.access.browser_sessions import BrowserSessions
from rolecall.domain.directories.provider import Application, ApplicationRepository
from rolecall.signin import metadata, pages
from rolecall.signin.current_user import CurrentUser
from rolecall.signin.jose import Jose
from rolecall.signin.provider_request import ProviderRequest
from rolecall.values import Reply
from rolecall.web import browser, forms, replies
from rolecall.web.forms import Fields
from rolecall.web.routes import Route

_KEPT = ("client_id", "post_logout_redirect_uri", "state", "ui_locales")


class SignOut:
    def __init__(
        self,
        applications: ApplicationRepository,
        sessions: BrowserSessions,
        current_user: CurrentUser,
        jose: Jose,
    ) -> None:
        self._applications = applications
        self._sessions = sessions
        self._current_user = current_user
        self._jose = jose
        self.routes: Mapping[str, Route[ProviderRequest]] = {
            metadata.LOGOUT: Route(("GET", "POST"), self._sign_out)
        }

    async def answer(self, incoming: ProviderRequest) -> Reply:
        request = incoming.request
        route = self.routes[incoming.path]
        if not route.takes(request):
            return pages.wrong_method(incoming.language, route.methods)
        return await route.answer(incoming)

    async def _sign_out(self, incoming: ProviderRequest) -> Reply:
        """At once if the application shows the user's own ID token, else the user is asked."""
        request = incoming.request
        asked = forms.form(request) if request.method == "POST" else forms.fields(request.query)
        language = forms.language(request, asked["ui_locales"])
        session_id = browser.session_id(request, incoming.realm)
        signed_in = await self._current_user.find(incoming)
        subject, application = await self._hinted(incoming, asked)
        if session_id is not None and signed_in is not None:
            confirmed = request.method == "POST" and browser.tied_to(session_id, request, asked["csrf"])
            if subject != signed_in[0].id and not confirmed:
                return pages.page(
                    "sign_out",
                    language,
                    leads_on=_may_lead(application, asked),
                    store=incoming.store,
                    asked=True,
                    csrf=browser.token_for(session_id),
                    action=f"{incoming.base}{metadata.LOGOUT}",
                    kept=[(name, asked[name]) for name in _KEPT if name in asked],
                )
        if session_id is not None:
            await self._sessions.end(session_id)
        gone = browser.expired_session_cookie(request, incoming.realm)
        if _may_lead(application, asked):
            target = replies.with_parameters(asked["post_logout_redirect_uri"], {"state": asked["state"]})
            return replies.redirect(target, gone)
        return pages.page("sign_out", language, headers=gone, store=incoming.store, asked=False)

    async def _hinted(
        self, incoming: ProviderRequest, asked: Fields
    ) -> tuple[UUID | None, Application | None]:
        """Whose ID token is shown, and the application that it was issued to, or that names itself."""
        hinted = None
        if "id_token_hint" in asked:
            hint = asked.secret("id_token_hint")
            hinted = await self._jose.hinted(incoming.store.id, hint, incoming.issuer, incoming.now)
        client_id = asked["client_id"] or (hinted[1] if hinted is not None else "")
        application = await self._applications.application(client_id) if client_id else None
        if application is not None and application.store_id != incoming.store.id:
            application = None
        subject = hinted[0] if hinted is not None and hinted[1] == client_id else None
        return subject, application


def _may_lead(application: Application | None, asked: Fields) -> bool:
    return application is not None and asked["post_logout_redirect_uri"] in application.logout_uris
