"""The statements that change accounts, one function each, so that a benchmark can run the same ones.

Each names one account, except during creation: MariaDB executes a statement on several accounts only in part if one of
them fails, which does no harm only while they are not usable yet. Never IF NOT EXISTS or OR REPLACE: the first ignores
the given password, the second drops the existing account's grants.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rolecall.domain.engine import DatabaseGrant
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines.mysql import quoting, templates
from rolecall.engines.mysql.flavors import Flavor
from rolecall.values import Secret

SUPER_PATTERN = "%"
"""The database pattern of super accounts: every database, including future ones."""

NARROW = "LOCK TABLES"
"""What a super account holds on each system schema. A row for the database itself takes precedence over any pattern,
and this privilege alone permits nothing: locking a table also needs SELECT. SHOW VIEW would show which tables exist."""

MAKING = "/O=rolecall/CN=account in the making"
"""The certificate that an account requires until its creation is complete. The statement that creates the account sets
it; it marks the account as being created by Rolecall, and no client has such a certificate."""

Place = tuple[str, str]
"""An account: its name and host."""


def verifier_text(flavor: Flavor, verifier: Secret | None) -> str:
    """The hash to store; without a verifier, one that no password has. ENGINE_REFUSED for any other text.

    With anything else the server would refuse the statement, or give an account that no user, or every user, can enter.
    """
    if verifier is None:
        return flavor.unusable_hash
    text = verifier.reveal()
    if not flavor.is_hash(text):
        raise Refused(Reason.ENGINE_REFUSED, note="not a hash of this kind of server")
    return text


def create_accounts(flavor: Flavor, verifiers: Mapping[Place, str]) -> str:
    """Marked as being created, until everything is granted; and locked where only another statement ends that."""
    wanted = [f"{quoting.account(*place)} {flavor.identified_by(text)}" for place, text in verifiers.items()]
    lock = "" if flavor.grants_complete else " ACCOUNT LOCK"
    return f"CREATE USER {', '.join(wanted)} REQUIRE SUBJECT {quoting.text(MAKING)}{lock}"


def complete_accounts(flavor: Flavor, places: Iterable[Place]) -> str:
    """Ends a creation: removes the mark, and the lock."""
    unlock = "" if flavor.grants_complete else " ACCOUNT UNLOCK"
    return f"ALTER USER {_accounts(places)} REQUIRE NONE{unlock}"


def alter_account(
    flavor: Flavor, user: str, host: str, *, verifier: str | None = None, locked: bool | None = None
) -> str:
    """Sets password and lock in one statement, so that both change or neither does."""
    words = [f"ALTER USER {quoting.account(user, host)}"]
    if verifier is not None:
        words.append(flavor.identified_by(verifier))
    if locked is not None:
        words.append("ACCOUNT LOCK" if locked else "ACCOUNT UNLOCK")
    return " ".join(words)


def limit_connections(user: str, host: str, limit: int) -> str:
    """0: no limit."""
    return f"ALTER USER {quoting.account(user, host)} WITH MAX_USER_CONNECTIONS {int(limit)}"


def join_role(user: str, host: str, role: str, *, administers: bool) -> str:
    more = " WITH ADMIN OPTION" if administers else ""
    return f"GRANT {quoting.name(role)} TO {quoting.account(user, host)}{more}"


def leave_role(user: str, host: str, role: str) -> str:
    return f"REVOKE {quoting.name(role)} FROM {quoting.account(user, host)}"


def rename_account(user: str, host: str, new_user: str, new_host: str) -> str:
    return f"RENAME USER {quoting.account(user, host)} TO {quoting.account(new_user, new_host)}"


def drop_account(user: str, host: str) -> str:
    return f"DROP USER {quoting.account(user, host)}"


Holding = tuple[str, frozenset[str]]
"""A pattern as stored (a name goes through `quoting.escaped` first), and privileges on what it matches."""


def grant(places: Iterable[Place], holding: Holding, *, complete: bool = False) -> str:
    """`complete` ends a creation too: MariaDB writes the grant and removes the mark in one transaction."""
    pattern, privileges = holding
    words = f"GRANT {templates.listed(privileges)} ON {quoting.whole(pattern)} TO {_accounts(places)}"
    return f"{words} REQUIRE NONE" if complete else words


def holding(wanted: DatabaseGrant, columns: Mapping[str, str]) -> Holding:
    """A template on one database, by exact name; `columns` are the privileges that the server knows."""
    return quoting.escaped(wanted.database), templates.privileges(wanted.access, columns)


def give(user: str, host: str, wanted: DatabaseGrant, columns: Mapping[str, str]) -> str:
    return grant([(user, host)], holding(wanted, columns))


def revoke(user: str, host: str, pattern: str, privileges: Iterable[str]) -> str:
    words = templates.listed(privileges)
    return f"REVOKE {words} ON {quoting.whole(pattern)} FROM {quoting.account(user, host)}"


def super_holdings(flavor: Flavor, control: str) -> list[Holding]:
    """In this order the system schemas are closed before the pattern is granted: the account never has too much."""
    narrow = [(quoting.escaped(schema), frozenset({NARROW})) for schema in narrowed(control)]
    return [*narrow, (SUPER_PATTERN, flavor.super_privileges)]


def make_super(flavor: Flavor, user: str, host: str, control: str) -> list[str]:
    return [grant([(user, host)], holding) for holding in super_holdings(flavor, control)]


def narrowed(control: str) -> tuple[str, ...]:
    """Schemas that no pattern may open. The information schema shows each account its own data and takes no grants;
    the servers protect the performance schema against writes."""
    return ("mysql", "sys", "performance_schema", control)


def _accounts(places: Iterable[Place]) -> str:
    return ", ".join(quoting.account(*place) for place in places)
