"""Decisions: pure functions of documents and of what is asked. An explicit deny wins; what nothing allows is denied.

A resource that is asked for may be known by several names (a role's id and its name): a deny of any of them denies,
an allow of any of them allows. A ``*`` in it stands for everything there, so that only a pattern that covers all of
it allows it, and one that covers any of it denies it. What has no region, such as people, is allowed only by patterns
that name none, and denied whatever region a pattern names.

What does not hang on the resource, such as the operation, the conditions and the variables, is looked at once for all
resources of an ask.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from rolecall.domain.policy.conditions import holds
from rolecall.domain.policy.language import Document, Effect, ResourcePattern, Statement, fill
from rolecall.domain.policy.requests import PolicyRequest
from rolecall.domain.policy.wildcards import ANYTHING, matches, overlaps

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
class EffectivePolicy:
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
    policy: EffectivePolicy | None = None
    statement: int = 0

    @property
    def allowed(self) -> bool:
        return self.verdict is Verdict.ALLOWED


@dataclass(frozen=True, slots=True)
class _Applicable:
    """A statement that applies to the operation, whose conditions hold; variables are filled into its patterns."""

    policy: EffectivePolicy
    number: int
    denies: bool
    patterns: tuple[ResourcePattern, ...]


def decide(
    held: Sequence[EffectivePolicy], request: PolicyRequest, resources: Sequence[Names], subject: Subject
) -> Decision:
    """The first resource that is not allowed decides, else the last. `resources` are those of `request`, in order."""
    applicable = _applicable(held, request, subject)
    decision = Decision(Verdict.NOT_ALLOWED, request.resources[-1])
    for names in resources:
        decision = _decide_one(applicable, request, names, subject)
        if not decision.allowed:
            break
    return decision


def _applicable(
    held: Sequence[EffectivePolicy], request: PolicyRequest, subject: Subject
) -> list[_Applicable]:
    operation = request.operation.lower()
    return [
        _Applicable(policy, number, statement.effect is Effect.DENY, _filled(statement, subject))
        for policy in held
        for number, statement in enumerate(policy.document.statements, 1)
        if applies(statement, operation, request.context, subject)
    ]


def _filled(statement: Statement, subject: Subject) -> tuple[ResourcePattern, ...]:
    if not any("${" in pattern.text for pattern in statement.resources):
        return statement.resources
    variables = subject.variables
    return tuple(
        replace(pattern, account=fill(pattern.account, variables), content=fill(pattern.content, variables))
        for pattern in statement.resources
    )


def _decide_one(
    applicable: Sequence[_Applicable], request: PolicyRequest, names: Names, subject: Subject
) -> Decision:
    allowing: Decision | None = None
    service = request.operation.lower().partition(":")[0]
    things = [None if name == ANYTHING else name.split(":", 5) for name in names]
    for statement in applicable:
        if not statement.denies and allowing is not None:
            continue
        if any(
            _covers(pattern, thing, statement.denies, service, subject)
            for thing in things
            for pattern in statement.patterns
        ):
            if statement.denies:
                return Decision(Verdict.DENIED, names[0], statement.policy, statement.number)
            allowing = Decision(Verdict.ALLOWED, names[0], statement.policy, statement.number)
    return allowing or Decision(Verdict.NOT_ALLOWED, names[0])


def applies(
    statement: Statement, operation: str, context: Mapping[str, str | None], subject: Subject
) -> bool:
    """Whether a statement is about an operation, in lower case, and its conditions hold. What cannot be known speaks
    for a deny and against an allow."""
    return any(matches(action, operation) for action in statement.actions) and _conditions_hold(
        statement, context, subject
    )


def _conditions_hold(statement: Statement, context: Mapping[str, str | None], subject: Subject) -> bool:
    denies = statement.effect is Effect.DENY
    for condition in statement.conditions:
        held = holds(condition, context, lambda text: fill(text, subject.variables))
        if held is False or (held is None and not denies):
            return False
    return True


def _covers(
    pattern: ResourcePattern, thing: Sequence[str] | None, denies: bool, operated: str, subject: Subject
) -> bool:
    """`thing` is six segments, or None: the operation, of the service `operated`, is on no one thing. Then only a
    pattern of all things of its service applies to it."""
    if pattern.everything:
        return True
    if thing is None:
        return _is_all_of(pattern, operated, subject)
    _qcs, _project, service, region, account, content = thing
    meet = overlaps if denies else matches
    return (
        meet(pattern.content, content)
        and meet(pattern.service or ANYTHING, service)
        and (meet(pattern.region or ANYTHING, region) or (denies and not region))
        and _is_account(pattern.account, account, subject, denies)
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
    meet = overlaps if denies else matches
    return meet(pattern, account) or (account == own and meet(pattern, f"uid/{subject.app_id}"))
