"""Changes of several commits: what the first of them has begun is to be finished, and must not be refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rolecall.domain.identity import ChangedMeanwhile
from rolecall.domain.operations.model import OUT_OF_REACH
from rolecall.domain.reasons import OutcomeUnknown, Refused


@contextmanager
def begun(what: str) -> Iterator[None]:
    """After the first commit, a server that is out of reach, or busy, leaves a change half done: OutcomeUnknown."""
    try:
        yield
    except ChangedMeanwhile:
        raise
    except Refused as refusal:
        if refusal.reason in OUT_OF_REACH:
            raise OutcomeUnknown(what) from None
        raise
