"""Endpoints that applications call without a browser: tokens, revocation, introspection, userinfo, keys."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

from rolecall.domain.directories.login import PasswordLogin
from rolecall.domain.directories.provider import Application, ApplicationRepository, TokenKind
from rolecall.domain.reasons import Reason, Refused
from rolecall.signin import clients, metadata, scopes
from rolecall.signin.claims import userinfo
from rolecall.signin.jose import Jose
from rolecall.signin.paths import DISCOVERY
from rolecall.signin.provider_request import ProviderRequest
from rolecall.signin.refusals import OAuthRefused, invalid_grant, invalid_request
from rolecall.signin.tokens import ACCESS_LASTS, Issued, Tokens
from rolecall.values import Reply, Secret
from rolecall.web import forms, replies
from rolecall.web.forms import Fields
from rolecall.web.routes import Route

_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)
_REALM = 'Bearer realm="userinfo"'
GrantType = Callable[[ProviderRequest, Application, Fields], Awaitable[Issued]]


class TokenEndpoints:
    def __init__(
        self, applications: ApplicationRepository, password_login: PasswordLogin, tokens: Tokens, jose: Jose
    ) -> None:
        self._applications = applications
        self._login = password_login
        self._tokens = tokens
        self._jose = jose
        self.routes: Mapping[str, Route[ProviderRequest]] = {
            DISCOVERY: Route(("GET",), self._discovery),
            metadata.JWKS: Route(("GET",), self._keys),
            metadata.TOKEN: Route(("POST",), self._token),
            metadata.REVOKE: Route(("POST",), self._revoke),
            metadata.INTROSPECT: Route(("POST",), self._introspect),
            metadata.USERINFO: Route(("GET", "POST"), self._userinfo),
        }
        self._grants: Mapping[str, GrantType] = {
            "authorization_code": self._by_code,
            "refresh_token": self._by_refresh,
            "password": self._by_password,
            "client_credentials": self._by_itself,
        }

    async def answer(self, incoming: ProviderRequest) -> Reply:
        """Also for programs in browsers (CORS): nothing depends on a cookie."""
        route = self.routes[incoming.path]
        methods = route.methods
        if incoming.request.method == "OPTIONS":
            return _preflight(methods)
        if not route.takes(incoming.request):
            reply = replies.error(
                405, "invalid_request", f"the method is none of {' '.join(methods)}", _allow(methods)
            )
        else:
            try:
                reply = await route.answer(incoming)
            except OAuthRefused as refusal:
                reply = refusal.reply()
            except forms.Malformed as error:
                reply = invalid_request(str(error)).reply()
        return Reply(reply.status, (*reply.headers, *replies.ANY_ORIGIN), reply.body, reply.code)

    async def _discovery(self, incoming: ProviderRequest) -> Reply:
        return replies.answer(200, metadata.discovery(incoming.issuer))

    async def _keys(self, incoming: ProviderRequest) -> Reply:
        return replies.answer(200, await self._jose.published(incoming.store.id, incoming.now))

    async def _token(self, incoming: ProviderRequest) -> Reply:
        form = _form(incoming)
        if "grant_type" not in form:
            raise invalid_request("grant_type is missing")
        grant = self._grants.get(form["grant_type"])
        if grant is None:
            raise OAuthRefused(
                "unsupported_grant_type", f"grant_type is one of {' '.join(metadata.GRANT_TYPES)}"
            )
        application = await self._client(incoming, form)
        issued = await grant(incoming, application, form)
        answer: dict[str, object] = {
            "access_token": issued.access.reveal(),
            "token_type": "Bearer",
            "expires_in": int(ACCESS_LASTS.total_seconds()),
            "scope": issued.scope,
        }
        if issued.refresh is not None:
            answer["refresh_token"] = issued.refresh.reveal()
        if issued.user is not None and scopes.holds(issued.scope, "openid"):
            id_token = await self._jose.id_token(
                incoming.store.id,
                issuer=incoming.issuer,
                subject=issued.user.id,
                audience=application.id,
                access_token=issued.access,
                nonce=issued.nonce,
                authenticated_at=issued.authenticated_at,
                now=incoming.now,
            )
            answer["id_token"] = id_token.reveal()
        return replies.answer(200, answer)

    async def _by_code(self, incoming: ProviderRequest, application: Application, form: Fields) -> Issued:
        for name in ("code", "redirect_uri"):
            if name not in form:
                raise invalid_request(f"{name} is missing")
        return await self._tokens.redeem(
            application, form.secret("code"), form["redirect_uri"], form["code_verifier"], incoming.now
        )

    async def _by_refresh(self, incoming: ProviderRequest, application: Application, form: Fields) -> Issued:
        if "refresh_token" not in form:
            raise invalid_request("refresh_token is missing")
        return await self._tokens.refresh(
            application, form.secret("refresh_token"), form["scope"], incoming.now
        )

    async def _by_password(self, incoming: ProviderRequest, application: Application, form: Fields) -> Issued:
        """RFC 6749 4.3. A store has one source of names and passwords, so `auth_source_id` has nothing to choose."""
        if not application.password_grant:
            raise OAuthRefused(
                "unauthorized_client", "the application was not registered for the password grant"
            )
        for name in ("username", "password"):
            if name not in form:
                raise invalid_request(f"{name} is missing")
        scope = scopes.granted(form["scope"])
        try:
            secret, client = form.secret("password"), incoming.request.client
            user = await self._login.authenticate(
                incoming.store.id, form["username"], secret, client, incoming.now, "password grant"
            )
        except Refused as refusal:
            raise _refused(refusal) from refusal
        if user.must_reset:
            raise invalid_grant("the password must be changed first, at the sign-in page")
        return await self._tokens.issue(application, user, scope, incoming.now)

    async def _by_itself(self, incoming: ProviderRequest, application: Application, form: Fields) -> Issued:
        if application.public:
            raise OAuthRefused("unauthorized_client", "a public application cannot authenticate")
        return await self._tokens.issue(application, None, scopes.granted(form["scope"]), incoming.now)

    async def _revoke(self, incoming: ProviderRequest) -> Reply:
        form = _form(incoming)
        application = await self._client(incoming, form)
        if "token" not in form:
            raise invalid_request("token is missing")
        await self._tokens.revoke(application, form.secret("token"))
        return replies.answer(200, {})

    async def _introspect(self, incoming: ProviderRequest) -> Reply:
        """RFC 7662. Any application of the store that has a secret may ask about any token of the store."""
        form = _form(incoming)
        application = await self._client(incoming, form)
        if application.public:
            raise OAuthRefused("invalid_client", "a public application may not ask", 401)
        if "token" not in form:
            raise invalid_request("token is missing")
        found = await self._tokens.live(incoming.store.id, form.secret("token"), incoming.now)
        if found is None or not await self._is_of(found[0].grant.application, incoming.store.id):
            return replies.answer(200, {"active": False})
        held, user = found
        is_access = held.token.kind is TokenKind.ACCESS
        if not is_access and held.grant.application != application.id:
            # A resource server that asks must not take it for an access token.
            return replies.answer(200, {"active": False})
        said: dict[str, object] = {
            "active": True,
            "iss": incoming.issuer,
            "client_id": held.grant.application,
            "aud": held.grant.application,
            "scope": held.token.scope,
            "iat": int(held.token.issued_at.timestamp()),
            "exp": int(held.token.expires_at.timestamp()),
            "sub": held.grant.application if user is None else user.id.hex,
        }
        if is_access:
            said["token_type"] = "Bearer"
        if user is not None and user.name:
            said["username"] = user.name
        return replies.answer(200, said)

    async def _userinfo(self, incoming: ProviderRequest) -> Reply:
        """OpenID Connect Core 5.3, RFC 6750 3."""
        header = incoming.request.header("authorization")
        if not header:
            return replies.error(
                401, "invalid_token", "an access token is missing", (("www-authenticate", _REALM),)
            )
        shown = _BEARER.fullmatch(header)
        found = (
            None
            if shown is None
            else await self._tokens.live(incoming.store.id, Secret(shown[1]), incoming.now)
        )
        held, user = found or (None, None)
        if held is None or user is None or held.token.kind is not TokenKind.ACCESS:
            return _bearer_error(401, "invalid_token", "the access token is not known, or has ended")
        if not scopes.holds(held.token.scope, "openid"):
            return _bearer_error(403, "insufficient_scope", "the scope openid was not granted")
        groups = (
            await self._login.repository.groups_of(user.id)
            if scopes.holds(held.token.scope, "groups")
            else ()
        )
        return replies.answer(200, userinfo(user, held.token.scope, groups))

    async def _client(self, incoming: ProviderRequest, form: Fields) -> Application:
        return await clients.authenticated(self._applications, incoming.store.id, incoming.request, form)

    async def _is_of(self, client_id: str, store_id: UUID) -> bool:
        application = await self._applications.application(client_id)
        return application is not None and application.store_id == store_id


def _form(incoming: ProviderRequest) -> Fields:
    if incoming.request.query:
        raise invalid_request("parameters stand in the body, not in the URL")
    return forms.form(incoming.request)


def _refused(refusal: Refused) -> OAuthRefused:
    """Refused sign-ins, as the token endpoint answers them."""
    if refusal.reason is Reason.RATE_EXCEEDED:
        after = (("retry-after", str(refusal.facts["seconds"])),)
        return OAuthRefused("temporarily_unavailable", "too many attempts from this address", 429, after)
    if refusal.reason is Reason.HASHING_BUSY:
        after = (("retry-after", "1"),)
        return OAuthRefused("temporarily_unavailable", "too many people are signing in", 503, after)
    if refusal.reason is not Reason.CREDENTIALS_INVALID:
        raise refusal
    return invalid_grant("the name or the password is wrong, or the user may not sign in")


def _bearer_error(status: int, error: str, description: str) -> Reply:
    challenge = f'{_REALM}, error="{error}", error_description="{description}"'
    return replies.error(status, error, description, (("www-authenticate", challenge),))


def _allow(methods: tuple[str, ...]) -> replies.Headers:
    return (("allow", ", ".join((*methods, "OPTIONS"))),)


def _preflight(methods: tuple[str, ...]) -> Reply:
    headers = (
        *replies.ANY_ORIGIN,
        ("access-control-allow-methods", ", ".join(methods)),
        ("access-control-allow-headers", "authorization, content-type"),
        ("access-control-max-age", "3600"),
    )
    return Reply(204, headers, b"")
