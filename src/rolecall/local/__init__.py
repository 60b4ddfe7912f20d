"""Database servers that Rolecall itself starts and stops, for a laptop and for tests."""

from rolecall.local.account import LocalServerError
from rolecall.local.postgres import LocalPostgres, start_all

__all__ = ["LocalPostgres", "LocalServerError", "start_all"]
