"""Repeated headers: with one value they count as one, with several the request is ambiguous."""

from __future__ import annotations

from collections.abc import Collection

from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Request


def by_name(request: Request, telling: Collection[str], family: str) -> dict[str, str]:
    """Headers by lower-case name; the last of repeated ones.

    MALFORMED_REQUEST (``header``, and its name as ``value``) for different values of one that has meaning: those named
    `telling`, and those whose names start with `family`.
    """
    found: dict[str, str] = {}
    for name, value in request.headers:
        if found.setdefault(name, value) == value:
            continue
        if name in telling or name.startswith(family):
            note = "a header stands twice, with different values"
            raise Refused(Reason.MALFORMED_REQUEST, "header", facts={"value": name}, note=note)
        found[name] = value
    return found
