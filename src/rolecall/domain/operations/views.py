"""Views of operations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class OperationView:
    """`state` is ``accepted``, ``recorded``, ``refused``, ``undone`` or ``superseded``."""

    id: UUID
    change: str
    target: str
    state: str
    reason: str
    accepted_at: datetime
    closed_at: datetime | None
