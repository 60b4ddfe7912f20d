"""Commands whose process is killed between any two steps of their change: it is applied once and recorded, or undone.

All of them are killed before one server starts, which settles what they left: a start takes longer than a case.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from tests.clients.petadata_cloud import MariaDb
from tests.crash.kinds import OnMariaDb, OnPostgres
from tests.crash.test_crashes import ok

STEPS = ("accepted", "applied", "recorded")
ADOPT, REASSERT = "account.adopt", "account.reassert"
UNTIL = "2030-01-02T03:04:05Z"


@dataclass(frozen=True)
class Case:
    """`{user}`, `{role}`, `{owner}` and `{database}` stand in texts; `holds` is a query, true once it is applied.

    `locked`: the account is, by Rolecall. `before` is what SQL does before the command, `after` after its death.
    """

    change: str
    command: str
    holds: str
    before: str = ""
    locked: bool = False
    after: str = ""
    steps: Sequence[str] = STEPS[:2]
    finished: bool = False
    """Whether recovery carries out what was only accepted."""


_MEMBER = "select exists(select from pg_auth_members where member = '{user}'::regrole and roleid = '{role}'::regrole)"
_LIMIT = "select rolconnlimit = {limit} from pg_roles where rolname = '{user}'"
_DEFAULTS = (
    "select exists(select from pg_default_acl, aclexplode(defaclacl) x where x.grantee = '{user}'::regrole"
    " and x.privilege_type = 'SELECT')"
)
_PUBLIC = (
    "select not exists(select from pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) x"
    " where datname = '{database}' and x.grantee = 0 and x.privilege_type = 'TEMPORARY')"
)
_OTHER_LIMIT = "alter role {user} connection limit 7"

POSTGRES = {
    "adopt": Case(ADOPT, "account adopt {user}", _LIMIT.replace("{limit}", "7"), _OTHER_LIMIT, steps=STEPS),
    "reassert": Case(
        REASSERT, "account reassert {user}", _LIMIT.replace("{limit}", "-1"), _OTHER_LIMIT, steps=STEPS, finished=True
    ),
    "reassert, and SQL again": Case(
        REASSERT, "account reassert {user}", _LIMIT.replace("{limit}", "9"), _OTHER_LIMIT, steps=["applied"],
        after="alter role {user} connection limit 9",
    ),
    "reassert a lock": Case(
        REASSERT, "account reassert {user}", "select not rolcanlogin from pg_roles where rolname = '{user}'",
        "alter role {user} login", locked=True, steps=["accepted", "cut off", "applied"], finished=True,
    ),
    "limit": Case("account.limit", "account limit {user} 3", _LIMIT.replace("{limit}", "3")),
    "expire": Case(
        "account.expiry", f"account expire {{user}} {UNTIL}",
        f"select rolvaliduntil is not distinct from '{UNTIL}' from pg_roles where rolname = '{{user}}'",
    ),
    "join": Case("account.membership", "membership grant {user} --role {role}", _MEMBER),
    "defaults": Case(
        "account.defaults",
        "defaults grant {user} --owner {owner} --database {database} --on tables --privilege SELECT",
        _DEFAULTS, finished=True,
    ),
    "public": Case("database.public", "public revoke {database} --privilege temporary --yes", _PUBLIC),
}  # fmt: skip
_MARIA_LIMIT = (
    "select coalesce(json_value(Priv, '$.max_user_connections'), 0) = {limit} from mysql.global_priv"
    " where User = '{user}'"
)
_OTHER_MARIA_LIMIT = "alter user '{user}'@'%' with max_user_connections 7"
MARIADB = {
    "adopt": Case(
        ADOPT, "account adopt {user}", _MARIA_LIMIT.replace("{limit}", "7"), _OTHER_MARIA_LIMIT, steps=STEPS
    ),
    "reassert": Case(
        REASSERT, "account reassert {user}", _MARIA_LIMIT.replace("{limit}", "0"), _OTHER_MARIA_LIMIT,
        steps=STEPS, finished=True,
    ),
    "reassert, and SQL again": Case(
        REASSERT, "account reassert {user}", _MARIA_LIMIT.replace("{limit}", "9"), _OTHER_MARIA_LIMIT,
        steps=["applied"], after="alter user '{user}'@'%' with max_user_connections 9",
    ),
}  # fmt: skip
CASES = [
    (kind, name, step)
    for kind, cases in (("postgresql", POSTGRES), ("mariadb", MARIADB))
    for name, case in cases.items()
    for step in case.steps
]


@dataclass
class Tried:
    """A case in which the process died at `step`, and what it came to."""

    case: Case
    step: str
    words: dict[str, str]
    target: str
    drifted: list[Any] = field(default_factory=list)
    """Before the command."""
    left: list[Any] = field(default_factory=list)
    operations: list[tuple[str, str, int]] = field(default_factory=list)
    """Since the account was made: kind, state, audit records."""
    holds: bool = False


class Trial:
    """All cases on a server of one kind."""

    def __init__(self, bench: Any, instance: str, on: Any, sql: Callable[..., Any]) -> None:
        self.bench, self.instance, self.on, self.sql = bench, instance, on, sql
        self.tried: dict[tuple[str, str], Tried] = {}

    def prepare(self, endpoint: str, cases: dict[str, Case]) -> None:
        for name, case in cases.items():
            for step in case.steps:
                words = {word: self.on.new_name() for word in ("user", "role", "owner", "database")}
                self.tried[name, step] = tried = Tried(case, step, words, self.on.target(words["user"]))
                self.on.make(endpoint, words["user"])
                if "{role}" in case.command:
                    self.on.make(endpoint, words["role"])
                if "{database}" in case.command:
                    self.on.make(endpoint, words["owner"])
                    database = {"DatabaseName": words["database"], "DatabaseOwner": words["owner"]}
                    ok(self.bench, endpoint, "CreateDatabase", **database)
                if case.locked:
                    ok(self.bench, endpoint, "LockAccount", UserName=words["user"])
                if case.before:
                    self.sql(case.before.format(**words))
                if case.change == "database.public":
                    tried.target = words["database"]

    def die(self) -> None:
        self._look("drifted")
        for tried in self.tried.values():
            arguments = tried.case.command.format(**tried.words).split()
            self.bench.die_in(tried.step, *arguments, "--instance", self.instance)
            if tried.case.after:
                self.sql(tried.case.after.format(**tried.words))

    def look(self) -> None:
        self._look("left")
        query = (
            "select o.kind, o.state, (select count(*) from rolecall.audit a where a.operation = o.id)"
            " from rolecall.operations o where o.target = %s order by o.accepted_at"
        )
        with psycopg.connect(self.bench.store) as store:
            for tried in self.tried.values():
                tried.operations = store.execute(query, (tried.target,)).fetchall()
                options = {"database": tried.words["database"]} if tried.case.holds is _DEFAULTS else {}
                ((holds,),) = self.sql(tried.case.holds.format(**tried.words), **options)
                tried.holds = bool(holds)

    def _look(self, attribute: str) -> None:
        """What `account check` says of each account, that a part of its state was not recorded included."""
        options: Sequence[Sequence[str]] = [(), ("--standing", "unrecorded")]
        rows = [
            row
            for more in options
            for row in json.loads(
                self.bench.run("account", "check", self.instance, "--json", *more, check=False)
            )
        ]
        for tried in self.tried.values():
            mine = [row for row in rows if row["name"] == tried.words["user"]]
            setattr(tried, attribute, [(row["standing"], row["field"], row.get("found")) for row in mine])


@pytest.fixture(scope="module")
def server(rolecall: Any) -> Iterator[MariaDb]:
    one = MariaDb(rolecall)
    yield one
    one.close()


@pytest.fixture(scope="module")
def trials(crash_bench: Any, mariadb_instance: str, server: MariaDb) -> dict[str, Trial]:
    bench = crash_bench
    found = {
        "postgresql": Trial(bench, bench.instance_id, OnPostgres(bench), bench.rolecall.sql),
        "mariadb": Trial(bench, mariadb_instance, OnMariaDb(bench, mariadb_instance, server), server.sql),
    }
    with bench.server() as endpoint:
        found["postgresql"].prepare(endpoint, POSTGRES)
        found["mariadb"].prepare(endpoint, MARIADB)
    for trial in found.values():
        trial.die()
    with bench.server():
        pass
    for trial in found.values():
        trial.look()
    return found


@pytest.mark.parametrize(("kind", "name", "step"), CASES)
def test_a_command_that_is_killed_is_applied_once_and_recorded_or_undone(
    trials: dict[str, Trial], kind: str, name: str, step: str
) -> None:
    tried = trials[kind].tried[name, step]
    case, is_applied = tried.case, step != "accepted" or tried.case.finished
    assert [one for one in tried.operations if one[0] == case.change] == [
        (case.change, "recorded" if is_applied else "undone", 1)
    ]
    assert bool(tried.drifted) == bool(case.before)
    if case.after:
        assert tried.holds, "it was carried out again"
        assert [(field, value) for _, field, value in tried.left] == [("connection_limit", "9")]
        return
    assert tried.holds == (is_applied or case.change == ADOPT)
    assert tried.left == ([] if is_applied else tried.drifted)
