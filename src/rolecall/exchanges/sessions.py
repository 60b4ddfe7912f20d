"""Where a session with PostgreSQL is: on which of several servers that take over from one another."""

from __future__ import annotations

from typing import Protocol

from rolecall.exchanges import Inquiry

Place = tuple[int, int]
"""A cluster and its timeline, which each promotion of a standby raises; zeros where they are not known."""

Session = tuple[Place, int]
"""The number of a server's process, which on another server is that of another session."""

UNREPLICATED = "SyncRepWaitForLSN"
"""The server's function whose notices mean that a commit no longer waits for its standby (`syncrep.c`)."""


class Places(Protocol):
    """Which server is the one to use."""

    @property
    def newest(self) -> Place: ...


class Keeper(Protocol):
    """What keeps a session's connection, and knows of its server's other sessions."""

    @property
    def inquiry(self) -> Inquiry: ...
    @property
    def abandoned(self) -> set[Session]: ...
