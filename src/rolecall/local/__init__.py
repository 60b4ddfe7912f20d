"""Database servers that Rolecall starts and stops itself, for a laptop and for tests."""

from rolecall.local.account import LocalServerError
from rolecall.local.mariadb import LocalMariaDB
from rolecall.local.postgres import LocalPostgres
from rolecall.local.server import LocalServer, start_all

__all__ = ["LocalMariaDB", "LocalPostgres", "LocalServer", "LocalServerError", "start_all"]
