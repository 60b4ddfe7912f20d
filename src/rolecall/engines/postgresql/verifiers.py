"""How a verifier gets into ``pg_authid``: by CREATE and ALTER ROLE, or by an update of that catalog.

To refuse the empty password, CREATE and ALTER ROLE derive SCRAM over the finished verifier again: 4.4 ms of the
server's time. An update of the catalog takes 0.1, and skips whatever else those statements do: hooks that check
passwords, and modules that audit roles. So an instance has to want it (option ``verifier_write``), and a session uses
it only if nothing in it could be skipped. That is settled when the session begins: a library is loaded then, or by what
the session itself executes, and Rolecall's sessions load none.

Source: src/backend/commands/user.c (check_password_hook, plain_crypt_verify), src/backend/catalog/aclchk.c.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import structlog

from rolecall.domain.engine import EngineAddress, VerifierWrite
from rolecall.exchanges.postgresql import Connection

HARMLESS = frozenset({"auth_delay", "auto_explain", "basic_archive", "pg_prewarm", "pg_stat_statements"})
"""Modules of PostgreSQL's own distribution that neither check passwords nor record changes of roles."""

NO_SUPERUSER = "only a superuser may update pg_authid, and the administrator is none"

_PRELOADED = """
SELECT concat_ws(',', current_setting('shared_preload_libraries'), current_setting('session_preload_libraries'),
                      current_setting('local_preload_libraries'))
"""

_log = structlog.get_logger(__name__)


class VerifierWrites:
    """The way in which each connection to one server writes verifiers."""

    def __init__(self, address: EngineAddress) -> None:
        self._server = f"{address.host}:{address.port}"
        self._wants_catalog = address.options.get("verifier_write") == VerifierWrite.CATALOG
        self._withheld: WeakKeyDictionary[Connection, str] = WeakKeyDictionary()
        self._last_withheld = ""

    @property
    def are_to_catalog(self) -> bool:
        """Whether the last connection that was settled updates the catalog; a guess before the first one."""
        return self._wants_catalog and not self._last_withheld

    async def settle(self, connection: Connection) -> None:
        """To be called for each new connection. One question, on instances that want the catalog updated."""
        if not self._wants_catalog:
            return
        self._withheld[connection] = withheld = await _why_not(connection)
        self._note(withheld)

    def way(self, connection: Connection) -> VerifierWrite:
        return (
            VerifierWrite.CATALOG
            if self._withheld.get(connection, "unsettled") == ""
            else VerifierWrite.STATEMENT
        )

    def withheld(self, connection: Connection) -> str:
        """Why the connection does not update the catalog although the instance wants it; empty if it does not."""
        return self._withheld.get(connection, "")

    def distrust(self) -> bool:
        """Update the catalog on no connection that is open now: the server has refused it. Whether any did."""
        is_news = "" in self._withheld.values()
        if is_news:
            self._note(NO_SUPERUSER)
        for connection in self._withheld:
            self._withheld[connection] = NO_SUPERUSER
        return is_news

    def _note(self, withheld: str) -> None:
        if withheld and withheld != self._last_withheld:
            _log.warning("verifiers are written by statement", server=self._server, because=withheld)
        self._last_withheld = withheld


async def _why_not(connection: Connection) -> str:
    if connection.info.parameter_status("is_superuser") != "on":
        return NO_SUPERUSER
    unknown = sorted(modules(str(await connection.value(_PRELOADED))) - HARMLESS)
    if unknown:
        return f"the server preloads {', '.join(unknown)}, which may check passwords or audit roles"
    return ""


def modules(setting: str) -> frozenset[str]:
    """The names in a list of libraries to preload. One outside the server's own directories keeps its path."""
    names = (
        part.strip().strip('"').removeprefix("$libdir/").removeprefix("plugins/")
        for part in setting.split(",")
    )
    return frozenset(name for name in names if name)
