"""Refusals as fault documents: the contract's row, worded, in the caller's format and the endpoint's manner.

Database v1.0 and Identity v2.0: ``{"<fault>": {"code", "message"}}``, in XML ``<fault code="N"><message>``; Identity
v3: ``{"error": {"code", "message", "title"}}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from rolecall.contracts.model import ErrorRow
from rolecall.dialects.openstack import json_bodies, xml_bodies
from rolecall.dialects.openstack.media import Form
from rolecall.dialects.wording import filled, quoted
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Secret

RETRY_AFTER = {
    Reason.RATE_EXCEEDED: 1,
    Reason.ENGINE_BUSY: 1,
    Reason.ENGINE_UNREACHABLE: 5,
    Reason.IDENTITY_UNREACHABLE: 5,
    Reason.HASHING_BUSY: 1,
    Reason.INTERRUPTED: 1,
}
"""Seconds after which it is worth trying again, where the refusal does not say."""

_SPANS = {1: "second", 60: "minute"}

_SECRETS = frozenset({"password", "apiKey", "secret"})


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, worded. `details` and `retry_after` may be empty."""

    name: str
    status: int
    message: str
    details: str = ""
    retry_after: str = ""


def worded(row: ErrorRow, refusal: Refused, request_id: str, method: str) -> Fault:
    """Never fails: a hole without a fact is left empty."""
    facts = _quotable(refusal, request_id)
    message = filled(row.english, facts)
    retry = refusal.facts.get("retry_after", RETRY_AFTER.get(refusal.reason))
    details = ""
    if refusal.reason is Reason.RATE_EXCEEDED and "limit" in facts:
        span = _SPANS.get(int(facts.get("seconds", "1")), f"{facts.get('seconds')} seconds")
        details = f"Only {facts['limit']} {method} request(s) can be made to * every {span}."
    return Fault(row.code, row.status, message, details, "" if retry is None else str(retry))


def document(fault: Fault, form: Form) -> bytes:
    """The fault document of Database v1.0."""
    limit = {"retryAfter": fault.retry_after} if fault.name == "overLimit" and fault.retry_after else {}
    texts = {"message": fault.message, **({"details": fault.details} if fault.details else {})}
    if form is Form.XML:
        return xml_bodies.encode_fault(fault.name, fault.status, limit, texts)
    return json_bodies.encode({fault.name: {"code": fault.status, **texts, **limit}})


def v3_document(fault: Fault) -> bytes:
    error = {"code": fault.status, "message": fault.message, "title": HTTPStatus(fault.status).phrase}
    return json_bodies.encode({"error": error})


def field_of(refusal: Refused) -> str:
    """The field at fault without indices, as the contract's rows name it: ``users.0.name`` -> ``users.name``."""
    return ".".join(part for part in refusal.field.split(".") if not part.isdigit())


def _quotable(refusal: Refused, request_id: str) -> Mapping[str, str]:
    facts = {name: quoted(value) for name, value in refusal.facts.items()}
    parts = refusal.field.split(".")
    if not _SECRETS.isdisjoint(parts) and "value" in facts:
        facts["value"] = str(Secret(""))
    return {
        **facts,
        "path": quoted(_indexed(parts)),
        "parent": f"{quoted(_indexed(parts[:-1]))} ".lstrip(),
        "name": quoted(parts[-1]),
        "reason": refusal.reason.value,
        "request_id": request_id,
    }


def _indexed(parts: list[str]) -> str:
    """``users``, ``0``, ``name`` -> ``users[0]['name']``, the way Trove's validation errors name a place."""
    head, *rest = parts or [""]
    return head + "".join(f"[{part}]" if part.isdigit() else f"['{part}']" for part in rest)
