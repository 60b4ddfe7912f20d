"""The dialect of Alibaba Cloud RPC APIs: requests are read and answers written here, side by side.

Sources: "Request syntax and signature method" V2 and V3 for RPC APIs of the Alibaba Cloud documentation; "Common
parameters" and "Client error codes" of the PetaData API manual; aliyun-python-sdk-core 2.16.1,
alibabacloud-tea-openapi 0.4.6, pop-core 1.8.0.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import partial
from itertools import chain
from urllib.parse import quote
from uuid import UUID, uuid4

from msgspec.structs import replace

from rolecall.contracts.model import Contract
from rolecall.dialects.aliyun import documents
from rolecall.dialects.aliyun import envelope as reading
from rolecall.dialects.aliyun.refusals import COMMON_CODES, blamed, quotable, row_of
from rolecall.dialects.wording import filled
from rolecall.domain.reasons import Reason, Refused
from rolecall.signing.acs1 import CLOCK_WINDOW, Acs1Claim
from rolecall.signing.acs3 import Acs3Claim
from rolecall.values import Call, Envelope, Language, Mark, Reply, Request, SentParams

_RECOMMEND = "https://error-center.aliyun.com/status/search?Keyword={code}&source=PopGw"

# Milliseconds; rates are per second. With this header alibabacloud-tea-openapi 0.4.6 raises ThrottlingException.
_RETRY_AFTER = ("x-acs-retry-after", "1000")


class Aliyun:
    """XML by default, JSON on request; the HTTP status tells errors from answers."""

    name = "aliyun"

    def __init__(
        self,
        contracts: Iterable[Contract],
        *,
        clock_window: int = CLOCK_WINDOW,
        public_hosts: tuple[str, ...] = (),
        require_tls: bool = False,
    ) -> None:
        """`clock_window` in seconds. `public_hosts`: names clients sign as host where a proxy replaces the header.

        `require_tls` refuses requests over plain HTTP: the manual requires HTTPS for account calls, and the Python SDK
        sends passwords in the URL, by HTTP unless it is configured otherwise.
        """
        self._contracts = {each.version: each for each in contracts if each.dialect == self.name}
        self._codes = _codes(self._contracts.values())
        self._trust = reading.Trust(clock_window, public_hosts)
        self._require_tls = require_tls

    def mark(self, request: Request) -> Mark:
        """How surely a request is meant for this dialect."""
        return reading.mark(request, self._contracts)

    def largest_body(self, head: Request) -> int:
        """The most bytes of body to read for a request with that head; 0 if it is not of this dialect."""
        return reading.largest_body(head)

    def codes(self) -> frozenset[str]:
        """The codes for metrics: every code that names a declared parameter, and the templates of the others."""
        return self._codes

    def open(self, request: Request) -> Envelope:
        """Never fails. The request id is an upper-case UUID."""
        return Envelope(request, str(uuid4()).upper(), Language.ENGLISH)

    def parse(self, envelope: Envelope) -> Call:
        """Refuses with a reason of intake and envelope, TLS_REQUIRED, AUTHORIZATION_MALFORMED, or of parameters."""
        opened = reading.take_apart(envelope.request)
        version, action = reading.api(opened)
        contract = self._contract_for(version, action, envelope.request)
        if self._require_tls and not envelope.request.secure:
            raise Refused(Reason.TLS_REQUIRED)
        claim = reading.claim(opened, self._trust)
        declared = {field.name for field in contract.actions[action].params}
        own = partial(reading.own_params, opened, declared)
        return Call(
            envelope=envelope,
            dialect=self.name,
            service=contract.service,
            version=version,
            action=action,
            region=opened.params.get("RegionId", ""),
            params=SentParams(own) if opened.document else SentParams.parsed(own()),
            flat=True,
            claim=claim,
        )

    def render(self, call: Call, answer: Mapping[str, object]) -> Reply:
        """``<CreateAccountResponse><RequestId>...``, or the same fields as a JSON object without a root."""
        fields = {"RequestId": call.request_id, **answer}
        return self._reply(call.envelope, 200, f"{call.action}Response", fields)

    def refuse(self, envelope: Envelope, refusal: Refused, call: Call | None) -> Reply:
        """``<Error>`` with RequestId, HostId, Code, Message and Recommend, or the same in JSON. Never fails."""
        # An unreadable body is not the fault of a parameter, for which the contract has its own wording.
        if call is not None and call.unreadable:
            call = None
        contract = self._contracts.get(call.version) if call else None
        name = call.action if call else ""
        field = blamed(refusal, contract, name, _sent(call))
        row = row_of(refusal.reason, field, contract, name)
        facts = quotable(refusal, field, contract.actions.get(name) if contract else None)
        code = filled(row.code, facts)
        message = filled(row.english, facts)
        if refusal.reason is Reason.SIGNATURE_MISMATCH and call is not None:
            message = _with_string_to_sign(call, message)
        fields = {
            "RequestId": envelope.request_id,
            "HostId": reading.host_of(envelope.request),
            "Code": code,
            "Message": message,
            "Recommend": _RECOMMEND.format(code=quote(code, safe="")),
        }
        # Logs and metrics hold no name that a caller invented.
        reply = self._reply(envelope, row.status, "Error", fields, code if code in self._codes else row.code)
        if refusal.reason is Reason.RATE_EXCEEDED:
            return replace(reply, headers=(*reply.headers, _RETRY_AFTER))
        return reply

    def _contract_for(self, version: str, action: str, request: Request) -> Contract:
        """Version and Action decide: a server of one's own is called by any name."""
        contract = self._contracts.get(version)
        if contract is None:
            service = reading.named_service(request)
            if service and all(service != each.service for each in self._contracts.values()):
                raise Refused(Reason.SERVICE_UNKNOWN, facts={"value": service})
            raise Refused(Reason.VERSION_UNKNOWN, "Version", facts={"value": version})
        if action not in contract.actions:
            raise Refused(Reason.ACTION_UNKNOWN, "Action", facts={"value": action})
        return contract

    def _reply(
        self, envelope: Envelope, status: int, root: str, fields: Mapping[str, object], code: str = ""
    ) -> Reply:
        json = reading.wants_json(envelope.request)
        body = documents.json_document(fields) if json else documents.xml_document(root, fields)
        trace_id = _trace_id(envelope.request_id)
        named = documents.headers(envelope.request_id, trace_id, body, json=json, success=status == 200)
        return Reply(status, named, body, code)


def _codes(contracts: Collection[Contract]) -> frozenset[str]:
    actions = [action for contract in contracts for action in contract.actions.values()]
    names = {field.name for action in actions for field in action.params} | reading.COMMON_NAMES
    templates = {*COMMON_CODES, *chain.from_iterable(contract.codes() for contract in contracts)}
    filled_ones = {
        filled(template, {"field": name}) for template in templates if "{" in template for name in names
    }
    return frozenset(templates | filled_ones)


def _sent(call: Call | None) -> Iterable[str]:
    """The names of the parameters that have been read: a refusal before the proof reads no more."""
    if call is None:
        return ()
    return call.params.known


def _with_string_to_sign(call: Call, message: str) -> str:
    """The message with the text that was to be signed. Only the caller sees it: it may hold a password just sent.

    aliyun-python-sdk-core 2.16.1 splits the V2 text at its only colon and compares the rest with its own string;
    if they are equal, it reports that the secret is wrong.
    """
    if isinstance(call.claim, Acs1Claim):
        return f"{message} server string to sign is:{call.claim.signed_text()}"
    if isinstance(call.claim, Acs3Claim):
        text, canonical = call.claim.signed_text()
        return (
            "Specified signature does not match our calculation. "
            f"server StringToSign is [{text}] server CanonicalRequest is [{canonical}]"
        )
    return message


def _trace_id(request_id: str) -> str:
    """32 hex digits; one call has one trace here."""
    return UUID(request_id).hex
