"""The room's door: `Request` in, `Reply` out, whatever is asked and whatever goes wrong."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Mapping
from typing import Protocol
from uuid import UUID

import structlog

from rolecall.domain.directories.model import UserSignInRepository
from rolecall.signin import console, forms, metadata, pages, refusals, replies
from rolecall.signin.authorize import AuthorizationEndpoint
from rolecall.signin.console import Console
from rolecall.signin.messages import MESSAGES
from rolecall.signin.provider_request import ProviderRequest, origin
from rolecall.signin.sign_out import SignOut
from rolecall.signin.token_endpoints import TokenEndpoints
from rolecall.values import Language, Reply, Request

_log = structlog.get_logger("rolecall.calls")

_PROVIDERS = "/oidc/"
_PATH = re.compile(r"/oidc/([0-9a-f]{32})(/[ -~]*)")

PROVIDER = "oidc"
"""What the providers are called in logs and metrics; sub-users' pages: `console.REALM`."""

ACTIONS: Mapping[str, Mapping[str, frozenset[str]]] = {
    PROVIDER: {"provider": metadata.PATHS},
    console.REALM: {console.REALM: console.PATHS},
}
CODES = refusals.ERRORS | frozenset(MESSAGES[Language.ENGLISH])
"""All that answers are reported with."""


class CallMetrics(Protocol):
    """`metrics.Metrics`."""

    def expect(
        self, dialect: str, actions: Mapping[str, Collection[str]], codes: Collection[str], /
    ) -> None: ...
    def call(self, dialect: str, service: str, action: str, code: str, seconds: float, /) -> None: ...


class SignInRouter:
    """`public_url` is where clients reach this server; empty: where the request says that it was sent to.

    `require_tls` refuses all that carries passwords, cookies, codes or tokens if it did not come over TLS."""

    def __init__(
        self,
        stores: UserSignInRepository,
        token_endpoints: TokenEndpoints,
        entrance: AuthorizationEndpoint,
        sign_out: SignOut,
        console: Console,
        metrics: CallMetrics,
        public_url: str = "",
        *,
        require_tls: bool = False,
    ) -> None:
        self._stores = stores
        self._token_endpoints = token_endpoints
        self._entrance = entrance
        self._sign_out = sign_out
        self._console = console
        self._metrics = metrics
        for dialect, actions in ACTIONS.items():
            metrics.expect(dialect, actions, CODES)
        self._public_url = public_url
        self._require_tls = require_tls

    async def answer(self, request: Request) -> Reply:
        started = time.perf_counter()
        try:
            service, action, reply = await self._answer(request)
        except forms.Malformed as error:
            reply = pages.error(forms.language(request), 400, "malformed", why=str(error))
            service, action = "unknown", "unknown"
        except Exception:  # noqa: BLE001 - a crash is answered too
            _log.exception("a sign-in crashed")
            service, action, reply = "unknown", "unknown", pages.error(forms.language(request), 500, "mishap")
        seconds = time.perf_counter() - started
        dialect = PROVIDER if _below_issuer(request.path).startswith(_PROVIDERS) else console.REALM
        self._metrics.call(dialect, service, action, reply.code, seconds)
        _log.info(
            "sign-in",
            dialect=dialect,
            service=service,
            action=action,
            code=reply.code or "ok",
            client=request.client,
            milliseconds=round(seconds * 1000, 1),
        )
        return reply

    async def _answer(self, request: Request) -> tuple[str, str, Reply]:
        """Service, action and the answer."""
        if request.too_large or len(request.body) > forms.LARGEST_BODY:
            reply = replies.error(413, "invalid_request", "the body is larger than 64 KB")
            return "unknown", "unknown", reply
        if self._require_tls and not request.secure and (refusal := _exposed(request)) is not None:
            return "unknown", "unknown", refusal
        path = _below_issuer(request.path)
        if not path.startswith(_PROVIDERS):
            reply = await self._console.answer(request)
            return console.REALM, "unknown" if reply.status == 404 else request.path.rstrip("/"), reply
        found = _PATH.fullmatch(path)
        store = None if found is None else await self._stores.store(UUID(hex=found[1]))
        if found is None or store is None:
            return "unknown", "unknown", pages.error(forms.language(request), 404, "not_found")
        base = f"{origin(request, self._public_url)}{_PROVIDERS}{store.id.hex}"
        incoming = ProviderRequest(request, store, base, found[2])
        if self._token_endpoints.serves(incoming.path):
            return "provider", incoming.path, await self._for_programs(incoming)
        for part in (self._entrance, self._sign_out):
            if part.serves(incoming.path):
                return "provider", incoming.path, await part.answer(incoming)
        return "unknown", "unknown", pages.error(incoming.language, 404, "not_found")

    async def _for_programs(self, incoming: ProviderRequest) -> Reply:
        """A crash is told in JSON too."""
        try:
            return await self._token_endpoints.answer(incoming)
        except Exception:  # noqa: BLE001 - a crash is answered too
            _log.exception("a sign-in crashed")
            return replies.error(500, "server_error", "something went wrong here; it was logged")


def _below_issuer(path: str) -> str:
    """A path of RFC 8414 as the issuer's own; any other as it is."""
    for prefix in metadata.BEFORE_THE_PATH:
        if path.startswith(f"{prefix}{_PROVIDERS}"):
            return path.removeprefix(prefix).rstrip("/") + metadata.DISCOVERY
    return path


def _exposed(request: Request) -> Reply | None:
    """The refusal of a request by plain HTTP; None for what a provider tells the public."""
    found = _PATH.fullmatch(_below_issuer(request.path))
    if found is not None and found[2] in metadata.PUBLIC:
        return None
    if found is not None and found[2] in metadata.FOR_PROGRAMS:
        return replies.error(403, "invalid_request", "this is reached by HTTPS only", replies.ANY_ORIGIN)
    return pages.error(forms.language(request), 403, "tls_required")


def concerns(path: str) -> bool:
    """Whether a request to that path is this room's."""
    return path == console.PREFIX or _below_issuer(path).startswith((_PROVIDERS, f"{console.PREFIX}/"))
