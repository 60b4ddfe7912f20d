"""Policies as they are stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Policy:
    """`preset` policies are declared by Rolecall, the same for every owner. `document` is JSON text of version 2.0."""

    id: int
    name: str
    description: str
    document: str
    preset: bool
    created_at: datetime
    updated_at: datetime
    alias: str = ""
    tags: tuple[tuple[str, str], ...] = ()
