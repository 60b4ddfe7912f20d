"""Routes requests to the OpenID provider of a user store."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Protocol
from uuid import UUID

from rolecall.calls import CallMetrics, CallRecord, Calls
from rolecall.domain.directories.model import UserSignInRepository
from rolecall.domain.reasons import Reason, Refused
from rolecall.signin import metadata, pages, refusals
from rolecall.signin.messages import MESSAGES
from rolecall.signin.paths import PROVIDERS, below_issuer
from rolecall.signin.provider_request import ProviderRequest, origin
from rolecall.values import Language, Reply, Request
from rolecall.web import forms, replies

_PATH = re.compile(r"/oidc/([0-9a-f]{32})(/[ -~]*)")

PROVIDER = "oidc"
"""The dialect of the providers in logs and metrics."""

_SOON = (("retry-after", "1"),)

CODES = refusals.ERRORS | frozenset(MESSAGES[Language.ENGLISH])
"""Codes that answers are counted with."""


class SignInRouter:
    """`public_url` is where clients reach this server; empty: the host that a request on this machine names.

    `require_tls` refuses requests with passwords, cookies, codes or tokens unless they came over TLS."""

    def __init__(
        self,
        stores: UserSignInRepository,
        endpoints: Sequence[Endpoint],
        metrics: CallMetrics,
        public_url: str = "",
        *,
        require_tls: bool = False,
    ) -> None:
        self._stores = stores
        self._endpoints = {path: endpoint for endpoint in endpoints for path in endpoint.routes}
        self._calls = Calls(metrics)
        metrics.expect(PROVIDER, {"provider": metadata.PATHS}, CODES)
        self._public_url = public_url
        self._require_tls = require_tls

    async def answer(self, request: Request) -> Reply:
        path = below_issuer(request.path)
        record = CallRecord(PROVIDER, request)
        return await self._calls.answer(
            record, lambda: self._served(request, path, record), lambda error: _crashed(request, path, error)
        )

    async def _served(self, request: Request, path: str, record: CallRecord) -> Reply:
        if request.crowded:  # its body was not kept: it must not pass for an empty form
            return _crowded(request, path)
        if request.too_large or len(request.body) > forms.LARGEST_BODY:
            return replies.error(413, "invalid_request", "the body is larger than 64 KB")
        if self._require_tls and not request.secure and (refusal := _exposed(request, path)) is not None:
            return refusal
        try:
            return await self._at_provider(request, path, record)
        except forms.Malformed as error:
            record.service = record.action = "unknown"
            return pages.error(forms.language(request), 400, "malformed", why=str(error))

    async def _at_provider(self, request: Request, path: str, record: CallRecord) -> Reply:
        found = _PATH.fullmatch(path)
        store = None if found is None else await self._stores.store(UUID(hex=found[1]))
        if found is None or store is None or (endpoint := self._endpoints.get(found[2])) is None:
            return pages.error(forms.language(request), 404, "not_found")
        record.service, record.action = "provider", found[2]
        issuer = f"{origin(request, self._public_url)}{PROVIDERS}{store.id.hex}"
        return await endpoint.answer(ProviderRequest(request, store, issuer, found[2]))


class Endpoint(Protocol):
    """Answers requests to the paths of its `routes`, below the issuer."""

    @property
    def routes(self) -> Collection[str]: ...
    async def answer(self, incoming: ProviderRequest) -> Reply: ...


def _crowded(request: Request, path: str) -> Reply:
    found = _PATH.fullmatch(path)
    if found is not None and found[2] in metadata.FOR_PROGRAMS:
        headers = (*replies.ANY_ORIGIN, *_SOON)
        return replies.error(503, "temporarily_unavailable", "too many requests are being received", headers)
    return pages.error(forms.language(request), 503, "busy", headers=_SOON)


def _crashed(request: Request, path: str, error: Refused) -> Reply:
    """In JSON where programs call. A signing key that does not open waits for the operator: no client can help that."""
    found = _PATH.fullmatch(path)
    for_programs = found is not None and found[2] in metadata.FOR_PROGRAMS | metadata.PUBLIC
    if error.reason is Reason.UNSEALED:
        if for_programs:
            return replies.error(503, "temporarily_unavailable", "the signing key cannot be opened now")
        return pages.error(forms.language(request), 503, "unsealed")
    if for_programs:
        return replies.error(500, "server_error", "something went wrong here; it was logged")
    return pages.error(forms.language(request), 500, "server_error")


def _exposed(request: Request, path: str) -> Reply | None:
    """The refusal of a request by plain HTTP; None for what a provider publishes."""
    found = _PATH.fullmatch(path)
    if found is not None and found[2] in metadata.PUBLIC:
        return None
    if found is not None and found[2] in metadata.FOR_PROGRAMS:
        return replies.error(403, "invalid_request", "this is reached by HTTPS only", replies.ANY_ORIGIN)
    return pages.error(forms.language(request), 403, "tls_required")
