"""The dialect of OpenStack: Identity v3 and v2.0 and Database v1.0, in JSON and (the database API) in XML.

Sources: Rackspace Cloud Databases Developer Guide v1.0; OpenStack Trove 2013.2 and 26.0.0; OpenStack Identity API v3
and v2.0; python-troveclient 8.11, openstacksdk 4.22, keystoneauth1 5.18 and pyrax 1.10. Where these disagree, the
guide is followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from uuid import uuid4

from rolecall.contracts.model import Contract, ErrorRow
from rolecall.contracts.openstack.faults import FAULTS, IDENTITY_FAULTS
from rolecall.contracts.openstack.places import base_url
from rolecall.dialects.headers import by_name
from rolecall.dialects.openstack import credentials, documents, faults, json_bodies, media, xml_bodies
from rolecall.dialects.openstack.media import Form
from rolecall.dialects.openstack.routing import (
    DATABASE_VERSIONS,
    STATUSES,
    Found,
    Path,
    below_database,
    find,
    read_path,
)
from rolecall.domain.reasons import Reason, Refused
from rolecall.signing.token import LIFETIME, AnonymousClaim
from rolecall.values import Call, Claim, Envelope, Language, Mark, Reply, Request, SentParams

_VERSION_WORDS = frozenset({"v1.0", "v2.0", "v3"})
_TOKENS = ("x-auth-token", "x-subject-token")
_MEANINGFUL = frozenset({"host", "content-type", *_TOKENS})
_PUBLIC_PATHS = frozenset({(), ("v1.0",)})
_BODILESS = frozenset({202, 204})
_OF_TOKENS = frozenset({"ShowToken", "RevokeToken"})

Headers = tuple[tuple[str, str], ...]


class OpenStack:
    """`region` is the catalog's; `lifetime` that of tokens, in seconds.

    `outside`: an outside Keystone validates tokens that are not ours.
    """

    name = "openstack"

    def __init__(
        self,
        contracts: Iterable[Contract],
        *,
        region: str = "RegionOne",
        lifetime: int = LIFETIME,
        outside: bool = False,
    ) -> None:
        self._contracts = {(each.service, each.version): each for each in contracts}
        self._region = region
        self._lifetime = lifetime
        self._outside = outside

    def mark(self, request: Request) -> Mark:
        """By a token or the vendor's media type, the path's version, or a plain look at the root."""
        if any(request.header(name) for name in _TOKENS) or media.names_vendor_type(request):
            return Mark.HEADER
        if _has_version(request):
            return Mark.NAME
        return Mark.PLACE if _looks_at_root(request) else Mark.NONE

    def largest_body(self, head: Request) -> int:
        """The most bytes of body to read for a request with that head; 0 if it is not of this dialect."""
        return documents.MAX_BODY if head.header("x-auth-token") else 0

    def codes(self) -> frozenset[str]:
        """The name of every fault that an answer can have."""
        tables = (FAULTS, IDENTITY_FAULTS)
        rows = (row.code for table in tables for row in table.values())
        return frozenset(
            (*rows, *chain.from_iterable(contract.codes() for contract in self._contracts.values()))
        )

    def open(self, request: Request) -> Envelope:
        """Never fails."""
        return Envelope(request, f"req-{uuid4()}", Language.ENGLISH)

    def parse(self, envelope: Envelope) -> Call:
        """Refuses with a reason of intake, TOKEN_INVALID, or for a request for a token with one of parameters.

        Without a token the database API reveals nothing, not even which resources exist (Trove authenticates before
        it routes).
        """
        request = envelope.request
        if request.too_large:
            raise Refused(Reason.TOO_LARGE)
        by_name(request, _MEANINGFUL, "x-auth-")
        media.check_version(request)
        path = _path(request)
        claim: Claim = AnonymousClaim()
        if path.service[0] == "database" and path.segments not in _PUBLIC_PATHS:
            claim = self._shown(request, path.tenant)
        found = _found(request, path)
        if found.route.action == "IssueToken":
            asked = self._asked(request, found.route.version)
            wanted = {"nocatalog": True} if documents.asks_no_catalog(request) else {}
            params = SentParams.parsed({"tenant": asked.tenant, **wanted})
            return self._call(envelope, found, asked.claim, params)
        if found.route.action in _OF_TOKENS:
            claim = self._shown(request, "")
        return self._call(envelope, found, claim, self._params(request, found))

    def _shown(self, request: Request, tenant: str) -> Claim:
        return credentials.token_claim(request, tenant, self._lifetime, outside=self._outside)

    def _asked(self, request: Request, version: str) -> credentials.Asked:
        form = media.body_form(request)
        if form is Form.XML:
            raise Refused(Reason.MEDIA_TYPE_UNSUPPORTED, note="identity speaks JSON")
        if len(request.body) > documents.MAX_CREDENTIALS:
            raise Refused(Reason.TOO_LARGE)
        read = credentials.asked_v3 if version == "v3" else credentials.asked_v2
        return read(documents.decode(request, form), self._lifetime)

    def _params(self, request: Request, found: Found) -> SentParams:
        route = found.route
        action = self._contracts[route.service, route.version].actions[route.action]
        return SentParams(lambda: documents.params(request, found, action))

    def _call(self, envelope: Envelope, found: Found, claim: Claim, params: SentParams) -> Call:
        route = found.route
        return Call(
            envelope=envelope,
            dialect=self.name,
            service=route.service,
            version=route.version,
            action=route.action,
            region=self._region,
            params=params,
            flat=media.says_xml(envelope.request),
            claim=claim,
        )

    def render(self, call: Call, answer: Mapping[str, object]) -> Reply:
        """The answer as a document. ``subject_token`` in it is the token for the header."""
        status = STATUSES[call.service, call.version, call.action]
        form = _form(call.envelope.request, call.service)
        headers = _headers(call.envelope, form)
        document = dict(answer)
        if "subject_token" in document:
            headers += (("x-subject-token", json_bodies.shown(document.pop("subject_token"))),)
        if status in _BODILESS:
            return Reply(status, headers, b"")
        encode = xml_bodies.encode if form is Form.XML else json_bodies.encode
        return Reply(status, headers, encode(document))

    def refuse(self, envelope: Envelope, refusal: Refused, call: Call | None) -> Reply:
        """A fault document. Never fails."""
        request = envelope.request
        service, version = (call.service, call.version) if call else _path(request).service
        row = self._row(refusal, service, version, call.action if call else None)
        fault = faults.worded(row, refusal, envelope.request_id, request.method)
        form = _form(request, service)
        body = faults.v3_document(fault) if version == "v3" else faults.document(fault, form)
        headers = (*_headers(envelope, form), *_fault_headers(fault, refusal, request))
        return Reply(fault.status, headers, body, fault.name)

    def _row(self, refusal: Refused, service: str, version: str, action: str | None) -> ErrorRow:
        table = IDENTITY_FAULTS if service == "identity" else FAULTS
        contract = self._contracts.get((service, version)) or Contract(self.name, service, version, {}, table)
        found = contract.row(action, refusal.reason, faults.field_of(refusal))
        return found or FAULTS[Reason.INTERNAL]


def _has_version(request: Request) -> bool:
    first = request.path.partition("/")[2].partition("/")[0]
    return first in _VERSION_WORDS or below_database(request.path) is not None


def _looks_at_root(request: Request) -> bool:
    """Version discovery of keystoneauth; the other dialects say what they want in the query or in headers."""
    accept = request.header("accept")
    return request.method == "GET" and request.path == "/" and not request.query and "application/" in accept


def _path(request: Request) -> Path:
    """Without a version in the path, an Accept header with the vendor's media type stands for ``/v1.0``."""
    return read_path(request.path, versioned=_has_version(request) or not media.names_vendor_type(request))


def _found(request: Request, path: Path) -> Found:
    asks_database = bool(request.header("x-auth-token")) or media.names_vendor_type(request)
    if not path.segments and request.method == "GET" and (path.names_database or asks_database):
        return Found(DATABASE_VERSIONS, {})
    return find(request.method, path)


def _form(request: Request, service: str) -> Form:
    return Form.JSON if service == "identity" else media.answer_form(request, _path(request).suffix)


def _headers(envelope: Envelope, form: Form) -> Headers:
    return (("content-type", form.value), ("x-openstack-request-id", envelope.request_id))


def _fault_headers(fault: faults.Fault, refusal: Refused, request: Request) -> Headers:
    """The headers that HTTP requires for a status; keystoneauth requests a new token on any 401."""
    if fault.status == 401:
        return (("www-authenticate", f'Keystone uri="{base_url(request)}/v3"'),)
    if fault.status == 405:
        return (("allow", str(refusal.facts.get("allowed", "GET"))),)
    return (("retry-after", fault.retry_after),) if fault.retry_after else ()
