"""The parameters of a request: those of the query and those of the body together, decoded.

Source: "Request syntax and signature method V2 for RPC APIs" of the Alibaba Cloud documentation. The SDKs send
blank values (``SignatureType=``), which are signed; PetaData's own parameters are all scalars, so nothing is nested.
"""

from __future__ import annotations

import msgspec

from rolecall.dialects.forms import PairDecoder, require_distinct
from rolecall.domain import strict_json
from rolecall.domain.reasons import Reason, Refused
from rolecall.signing.acs1 import Pairs
from rolecall.values import Request

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

MAX_PAIRS = 1_000
"""Pairs of one request: a bound on work done before a signature is proven."""
MAX_TEXT = 1024 * 1024
"""Bytes of a query or of a body. Ours: the vendor names none; the largest parameter is a list of 1000 addresses."""

_DECODER = PairDecoder(MAX_PAIRS, lenient=True)


def query_pairs(request: Request) -> Pairs:
    """Refuses with TOO_LARGE, MALFORMED_REQUEST or PARAMETER_CHARACTERS (a NUL)."""
    if len(request.query) > MAX_TEXT:
        raise Refused(Reason.TOO_LARGE)
    return _DECODER.query(request.query)


def media_type(request: Request) -> str:
    return request.header("content-type").partition(";")[0].strip().lower()


def body_pairs(request: Request) -> Pairs:
    """The parameters in a POST's form; a GET's body is not looked at. Refuses as `query_pairs` does.

    A body without Content-Type is a form.
    """
    if request.method != "POST" or not request.body:
        return ()
    if len(request.body) > MAX_TEXT:
        raise Refused(Reason.TOO_LARGE)
    if media_type(request) == JSON:  # the older signature covers parameters alone
        raise Refused(Reason.MALFORMED_REQUEST, "json", note="JSON with a signature that does not cover it")
    if media_type(request) not in ("", FORM):
        raise Refused(Reason.MALFORMED_REQUEST, "Content-Type", facts={"value": media_type(request)})
    return _DECODER.form(request.body)


def union(query: Pairs, body: Pairs) -> dict[str, str]:
    """By name. MALFORMED_REQUEST for a name that occurs twice, in whichever place: it could mean either value."""
    return dict(require_distinct((*query, *body)))


def json_pairs(body: bytes) -> Pairs:
    """The members of a JSON object as text; null is absent, and a structure is its own JSON text (``DBInfo``).

    Clients may send it with ACS3, which signs its hash. Refuses with MALFORMED_REQUEST, TOO_LARGE, PARAMETER_TYPE or
    PARAMETER_CHARACTERS.
    """
    document = strict_json.decode(body)
    if not isinstance(document, dict):
        raise Refused(Reason.MALFORMED_REQUEST, "json")
    strict_json.inspect(document)
    return tuple((name, _text(value)) for name, value in document.items() if value is not None)


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
