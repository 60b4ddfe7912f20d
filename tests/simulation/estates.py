"""Databases, what is granted on them, and the tenants' superuser: calls, and what they may have been told."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from tests.simulation.schedules import Call, Model

from rolecall.domain.accounts import commands
from rolecall.domain.engine import DatabaseObject, ObjectType, PrivilegeChange
from rolecall.domain.messages import Command, InstanceName
from rolecall.domain.reasons import Reason
from rolecall.values import Secret

if TYPE_CHECKING:
    from tests.simulation.scenarios import Run

DATABASE = "shop"
SUPERUSER = "root"
PLACE = InstanceName("red", "red-1")

Told = tuple[str, tuple[object, ...], Command[Any]]


def database(run: Run, name: str, tag: str) -> Told:
    """A database of that account's."""
    return "database", (name, None), commands.CreateDatabase(PLACE, DATABASE, name, "UTF8", "C", "C")


def plain_database(run: Run, name: str, tag: str) -> Told:
    """One of a server where databases have no owner."""
    made = commands.CreateDatabases(PLACE, (commands.DatabaseSpec(DATABASE),))
    return "database", ("", None), made


def no_database(run: Run, name: str, tag: str) -> Told:
    return "no database", ("", None), commands.DeleteDatabase(PLACE, DATABASE, must_exist=True)


def give(run: Run, name: str, tag: str) -> Told:
    return "give", (name, None), commands.ChangeDatabaseOwner(PLACE, DATABASE, name)


def _privileges(name: str, *, grant: bool) -> Command[Any]:
    item = DatabaseObject(ObjectType.DATABASE, DATABASE)
    return commands.ChangePrivileges(PLACE, name, (PrivilegeChange(item, ("CREATE",), grant=grant),))


def grant(run: Run, name: str, tag: str) -> Told:
    return "grant", (name, None), _privileges(name, grant=True)


def revoke(run: Run, name: str, tag: str) -> Told:
    return "revoke", (name, None), _privileges(name, grant=False)


def enable(run: Run, name: str, tag: str) -> Told:
    return "enable", (SUPERUSER, tag), commands.EnableSuperuser(PLACE, Secret(tag))


def disable(run: Run, name: str, tag: str) -> Told:
    return "disable", (SUPERUSER, None), commands.DisableSuperuser(PLACE)


def is_refused(op: Call) -> bool:
    return bool(op.status == "ok" and op.output[0] == "refused")


class Estate(Model):
    """One database: its owner, and which others were granted something on it, which goes with a change of the owner to
    and from them. The heir of what an account owned is "postgres".
    """

    name = "estate"
    calls = frozenset({"delete", "database", "no database", "give", "grant", "revoke", "estate"})

    def init(self) -> Hashable:
        return None

    def step(self, state: Any, op: Call) -> tuple[bool, Any]:
        if op.f == "estate":
            return op.output[1] == state, state
        if is_refused(op):
            return self._refused(state, op)
        name = op.arg[0]
        if op.f == "database":
            return state is None, (name, frozenset())
        if op.f == "no database":
            return True, None
        if state is None:
            return op.f == "delete", None
        owner, holders = state
        match op.f:
            case "delete":
                return True, ("postgres" if owner == name else owner, holders - {name})
            case "give":
                return True, (name, holders - {name})
            case "grant":
                return True, (owner, holders | ({name} - {owner}))
            case _:
                return True, (owner, holders - {name})

    def _refused(self, state: Any, op: Call) -> tuple[bool, Any]:
        """What is refused as missing may be gone by the recovery of this very call."""
        reason = op.output[1]
        if reason is Reason.DATABASE_TAKEN:
            return state is not None, state
        if op.f == "no database" and reason is Reason.DATABASE_MISSING:
            return True, None
        if op.f == "delete" and reason is Reason.ACCOUNT_MISSING and state is not None:
            owner, holders = state
            return True, ("postgres" if owner == op.arg[0] else owner, holders - {op.arg[0]})
        return True, state


class Superuser(Model):
    """Its password; None while it is disabled."""

    name = "superuser"
    calls = frozenset({"enable", "disable", "superuser"})

    def init(self) -> Hashable:
        return None

    def step(self, state: Any, op: Call) -> tuple[bool, Any]:
        if op.f == "superuser":
            return op.output[1] == state, state
        if is_refused(op):
            return True, state
        return True, op.arg[1]
