"""Changes of several commits: once the first is made, a failure is an unknown outcome and not a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rolecall.domain.engine.identity import ChangedMeanwhile
from rolecall.domain.operations.model import OUT_OF_REACH
from rolecall.domain.reasons import OutcomeUnknown, Refused


@contextmanager
def begun(what: str) -> Iterator[None]:
    """After the first commit: OutcomeUnknown for a server that becomes unreachable or busy, with `what` as its text."""
    try:
        yield
    except ChangedMeanwhile:
        raise
    except Refused as refusal:
        if refusal.reason in OUT_OF_REACH:
            raise OutcomeUnknown(what) from None
        raise
