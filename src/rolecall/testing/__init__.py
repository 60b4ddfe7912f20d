"""Rolecall in tests: a running one with its servers, and the pytest fixtures `rolecall` and `rolecall_server`."""

from rolecall.testing.running import NotReady, Rolecall, Snapshot, start

__all__ = ["NotReady", "Rolecall", "Snapshot", "start"]
