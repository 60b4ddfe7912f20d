"""The audit trail in memory."""

from __future__ import annotations

from rolecall.domain.operations.audit import Entry


class MemoryAudit:
    def __init__(self) -> None:
        self.entries: list[Entry] = []

    async def note(self, entry: Entry) -> None:
        self.entries.append(entry)

    async def note_quickly(self, entry: Entry) -> None:
        self.entries.append(entry)
