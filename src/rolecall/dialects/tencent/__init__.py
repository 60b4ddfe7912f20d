"""The dialect of Tencent Cloud API 3.0: requests are read and answers written here, side by side.

Sources: "Request structure", "Common params", "Responses" and "Common error codes" of the Tencent Cloud API
documentation, and the vendor's Python, Go, Node and Java SDKs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from uuid import uuid4

import msgspec

from rolecall.contracts.model import Contract
from rolecall.dialects.tencent import envelope as reading
from rolecall.dialects.tencent.refusals import COMMON, quotable, row_of, wording
from rolecall.dialects.tencent.routing import Routing
from rolecall.domain.reasons import Reason, Refused
from rolecall.signing.tc3 import CLOCK_WINDOW
from rolecall.values import Call, Envelope, Mark, Reply, Request

# Exactly this: with a charset the Python SDK (3.1.195) does not look for `Error`, and a failed call seems to succeed.
_HEADERS = (("content-type", "application/json"),)


class Tencent:
    """Every answer has HTTP status 200 and a RequestId: the SDKs lose the error code of any other status."""

    name = "tencent"

    def __init__(
        self,
        contracts: Iterable[Contract],
        *,
        clock_window: int = CLOCK_WINDOW,
        public_hosts: tuple[str, ...] = (),
        signed_action: bool = False,
        v1: bool = True,
    ) -> None:
        """`clock_window` in seconds. `public_hosts`: names clients sign as host where a proxy replaces the header.

        `signed_action` demands that a TC3 signature covers X-TC-Action; without `v1` the older signatures are refused.
        """
        known = tuple(contracts)
        self._contracts = {(each.service, each.version): each for each in known}
        self._versions = frozenset(each.version for each in known)
        self._routing = Routing(known)
        self._trust = reading.Trust(clock_window, public_hosts, signed_action, v1)
        self._encode = msgspec.json.Encoder().encode

    def mark(self, request: Request) -> Mark:
        """How surely a request is meant for this dialect."""
        return reading.mark(request, self._versions)

    def largest_body(self, head: Request) -> int:
        """The most bytes of body to read for a request with that head; 0 if it is not of this dialect."""
        return reading.largest_body(head)

    def codes(self) -> frozenset[str]:
        """Every code that an answer can have."""
        rows = (row.code for row in COMMON.values())
        return frozenset(
            (*rows, *chain.from_iterable(contract.codes() for contract in self._contracts.values()))
        )

    def open(self, request: Request) -> Envelope:
        """Never fails."""
        return Envelope(request, str(uuid4()), reading.language(request))

    def parse(self, envelope: Envelope) -> Call:
        """Refuses with a reason of intake and envelope, AUTHORIZATION_MALFORMED, or one of parameters."""
        request = envelope.request
        if reading.is_tc3(request):
            reading.check_shape(request, tc3_family=True)
            headers = reading.single_headers(request)
            common = reading.tc3_common(request, headers, self._trust)
            contract = self._contract_for(common, headers)
            params = reading.tc3_params(request, headers)
        else:
            reading.check_shape(request, tc3_family=False)
            headers = reading.single_headers(request)
            pairs = reading.v1_pairs(request)
            common = reading.v1_common(request, headers.get("host", ""), pairs, self._trust)
            contract = self._contract_for(common, headers)
            params = reading.v1_params(pairs)
        return self._call(envelope, contract, common, params)

    def render(self, call: Call, answer: Mapping[str, object]) -> Reply:
        """``{"Response": {..., "RequestId": ...}}``."""
        body = self._encode({"Response": {**answer, "RequestId": call.request_id}})
        return Reply(200, _HEADERS, body)

    def refuse(self, envelope: Envelope, refusal: Refused, call: Call | None) -> Reply:
        """``{"Response": {"Error": {"Code", "Message"}, "RequestId": ...}}``. Never fails."""
        # An unreadable body is not the fault of a parameter, for which the contract has its own wording.
        if call is not None and call.unreadable:
            call = None
        contract = self._contracts.get((call.service, call.version)) if call else None
        name = call.action if call else ""
        row = row_of(refusal, contract, name)
        action = contract.actions.get(name) if contract else None
        message = wording(row, envelope.language, quotable(refusal, action, envelope.request_id))
        error = {"Code": row.code, "Message": message}
        body = self._encode({"Response": {"Error": error, "RequestId": envelope.request_id}})
        return Reply(row.status, _HEADERS, body, row.code)

    def _contract_for(self, common: reading.Common, headers: Mapping[str, str]) -> Contract:
        contract = self._routing.find(common.version, common.action, headers.get("host", ""))
        if common.scope != contract.service and self._routing.serves(common.scope):
            raise Refused(
                Reason.SIGNATURE_MISMATCH, note=f"signed for {common.scope}, sent to {contract.service}"
            )
        return contract

    def _call(
        self, envelope: Envelope, contract: Contract, common: reading.Common, params: reading.Params
    ) -> Call:
        return Call(
            envelope=envelope,
            dialect=self.name,
            service=contract.service,
            version=contract.version,
            action=common.action,
            region=common.region,
            params=params.values,
            flat=params.flat,
            claim=common.claim,
        )
