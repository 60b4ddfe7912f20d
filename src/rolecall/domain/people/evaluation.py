"""Decisions: pure functions of documents and of what is asked. An explicit deny wins; what nothing allows is denied.

A resource that is asked for may be known by several names (a role's id and its name): a deny of any of them denies,
an allow of any of them allows. A ``*`` in it stands for everything there, so that only a pattern that covers all of
it allows it, and one that covers any of it denies it. What has no region, such as people, is allowed only by patterns
that name none, and denied whatever region a pattern names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rolecall.domain.people.conditions import holds
from rolecall.domain.people.language import Document, Effect, ResourcePattern, Statement, fill
from rolecall.domain.people.permissions import Ask
from rolecall.domain.people.wildcards import ANYTHING, matches, overlaps

Names = tuple[str, ...]
"""One thing by all its names."""


class Verdict(StrEnum):
    ALLOWED = "allowed"
    DENIED = "denied"
    """A statement denies it."""
    NOT_ALLOWED = "not-allowed"
    """No statement allows it."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Who asks, as variables and empty account segments mean it."""

    principal: int
    owner_number: int
    app_id: int

    @property
    def variables(self) -> Mapping[str, str]:
        return {
            "uin": str(self.principal),
            "owner_uin": str(self.owner_number),
            "app_id": str(self.app_id),
        }


@dataclass(frozen=True, slots=True)
class Held:
    """A policy that a principal holds. `via` says how: empty for directly, else the name of a group."""

    policy_id: int
    name: str
    document: Document
    via: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """`policy` and `statement` (from 1) decided; None where no statement did. `resource` is as it was asked."""

    verdict: Verdict
    resource: str
    policy: Held | None = None
    statement: int = 0

    @property
    def allowed(self) -> bool:
        return self.verdict is Verdict.ALLOWED


def decide(held: Sequence[Held], ask: Ask, resources: Sequence[Names], subject: Subject) -> Decision:
    """The first resource that is not allowed decides, else the last. `resources` are those of `ask`, in its order."""
    decisions = [_decide_one(held, ask, names, subject) for names in resources]
    return next((one for one in decisions if not one.allowed), decisions[-1])


def _decide_one(held: Sequence[Held], ask: Ask, names: Names, subject: Subject) -> Decision:
    allowing: Decision | None = None
    for policy in held:
        for number, statement in enumerate(policy.document.statements, 1):
            if statement.effect is Effect.DENY:
                if applies(statement, ask, names, subject):
                    return Decision(Verdict.DENIED, names[0], policy, number)
            elif allowing is None and applies(statement, ask, names, subject):
                allowing = Decision(Verdict.ALLOWED, names[0], policy, number)
    return allowing or Decision(Verdict.NOT_ALLOWED, names[0])


def applies(statement: Statement, ask: Ask, names: Names, subject: Subject) -> bool:
    """Whether a statement speaks of what is asked. What cannot be known speaks for a deny and against an allow."""
    operation = ask.operation.lower()
    denies = statement.effect is Effect.DENY
    return (
        any(matches(action, operation) for action in statement.actions)
        and any(
            _covers(pattern, name, denies, operation, subject)
            for pattern in statement.resources
            for name in names
        )
        and _conditions_hold(statement, ask.context, subject)
    )


def _conditions_hold(statement: Statement, context: Mapping[str, str], subject: Subject) -> bool:
    denies = statement.effect is Effect.DENY
    for condition in statement.conditions:
        held = holds(condition, context, lambda text: fill(text, subject.variables))
        if held is False or (held is None and not denies):
            return False
    return True


def _covers(pattern: ResourcePattern, name: str, denies: bool, operation: str, subject: Subject) -> bool:
    if pattern.everything:
        return True
    meet = overlaps if denies else matches
    if name == ANYTHING:
        # The operation is on no one thing: only a pattern of all things of its service speaks of it.
        return _is_all_of(pattern, operation.partition(":")[0], subject)
    _qcs, _project, service, region, account, content = name.split(":", 5)
    return (
        meet(pattern.service or ANYTHING, service)
        and (meet(pattern.region or ANYTHING, region) or (denies and not region))
        and _is_account(pattern.account, account, subject, denies)
        and meet(fill(pattern.content, subject.variables), content)
    )


def _is_all_of(pattern: ResourcePattern, service: str, subject: Subject) -> bool:
    own = f"uin/{subject.owner_number}"
    return (
        pattern.content == ANYTHING
        and pattern.region in ("", ANYTHING)
        and matches(pattern.service or ANYTHING, service)
        and _is_account(pattern.account, own, subject, False)
    )


def _is_account(pattern: str, account: str, subject: Subject, denies: bool) -> bool:
    own = f"uin/{subject.owner_number}"
    if not pattern:
        return account == own
    wanted = fill(pattern, subject.variables)
    meet = overlaps if denies else matches
    return meet(wanted, account) or (account == own and meet(wanted, f"uid/{subject.app_id}"))
