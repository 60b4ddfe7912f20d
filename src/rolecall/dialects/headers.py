"""Headers and parameters by name. A repeated header with one value counts as one; with several it is ambiguous."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Request, Secret


def by_name(request: Request, meaningful: Collection[str], family: str) -> dict[str, str]:
    """Headers by lower-case name; the last of repeated ones.

    MALFORMED_REQUEST (``header``, and its name as ``value``) for different values of one that has meaning: those named
    `meaningful`, and those whose names start with `family`.
    """
    found: dict[str, str] = {}
    for name, value in request.headers:
        if found.setdefault(name, value) == value:
            continue
        if name in meaningful or name.startswith(family):
            note = "a header stands twice, with different values"
            raise Refused(Reason.MALFORMED_REQUEST, "header", facts={"value": name}, note=note)
        found[name] = value
    return found


def required(named: Mapping[str, str], key: str, field: str = "") -> str:
    """The value of `key`; PARAMETER_MISSING for `field`, or for `key` itself."""
    value = named.get(key, "")
    if not value:
        raise Refused(Reason.PARAMETER_MISSING, field or key)
    return value


def token(text: str) -> Secret | None:
    return Secret(text) if text else None
