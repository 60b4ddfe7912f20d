"""Where Rolecall's own store is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StorePlace:
    """Where Rolecall's own store is, so that engines protect it. `system` is the server's system identifier, None if it
    is not known; `users` are Rolecall's own roles there.
    """

    system: int | None
    database: str
    users: tuple[str, ...]
