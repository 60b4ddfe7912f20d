"""Rolecall's own data, in PostgreSQL: plain SQL beside the code that runs it."""

from rolecall.store.store import Store

__all__ = ["Store"]
