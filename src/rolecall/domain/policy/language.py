"""The policy language, version 2.0: a document's text becomes typed statements, or is refused with its own reason.

    {"version": "2.0",
     "statement": [{"effect": "allow" | "deny",
                    "action": "service:Operation" | [...],
                    "resource": "*" | "qcs::service:region:account:content" | [...],
                    "condition": {operator: {key: value | [...]}}}]}

A trust document, which says who may take a role, has ``principal`` in its statements and no ``resource``.
Sources: "Syntax Structure", "Policy Syntax", "Condition Keys and Condition Operators" of the access management
documentation (598/10603, 10604, 10608).

What is new is `accept`ed: it is refused if it hangs on a condition key that nothing here supplies, for a deny with such
a key holds always and an allow never. What was kept before a key was known of is read, and evaluated so.

A refusal's field is the part at fault (``resource.region``, ``condition.operator``), its ``value`` what stood there.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NoReturn

from rolecall.domain import strict_json
from rolecall.domain.policy.conditions import (
    SUPPLIED,
    SUPPLIED_TO_TRUST,
    Condition,
    ConditionMalformed,
    read_conditions,
)
from rolecall.domain.policy.wildcards import ANYTHING
from rolecall.domain.reasons import Reason, Refused

LONGEST = 6144
"""Characters of a document without its white space, as the vendor counts them (598/10604, "Use limits")."""

_LONGEST_WRITTEN = 16 * LONGEST
"""Characters of a document with its white space: ours, so that indentation does not make parsing expensive."""

VERSION = "2.0"
_DOCUMENT_KEYS = frozenset({"version", "statement"})
_STATEMENT_KEYS = frozenset({"effect", "action", "resource", "condition"})
_SESSION_KEYS = _STATEMENT_KEYS | {"principal"}
_TRUST_KEYS = frozenset({"effect", "action", "principal", "condition"})
_PRINCIPALS = frozenset({"qcs", "service", "federated"})

_OLD_PREFIX = "name/"
_ACTION = re.compile(r"[A-Za-z0-9_-]+:(?=.)[A-Za-z0-9_/*-]*|\*:\*")
"""``*:*`` is every operation of every service (598/10603)."""
_SERVICE = re.compile(r"[A-Za-z0-9_*-]*")
_REGION = re.compile(r"[A-Za-z0-9_*-]*")
_ACCOUNT = re.compile(r"|\*|u(in|id)/([0-9]{1,20}|\*|\$\{(uin|owner_uin|app_id)\})")
_PRINCIPAL = re.compile(r"qcs::cam::uin/([0-9]{1,20}):(root|uin/([0-9]{1,20}))")
_HOLE = re.compile(r"\$\{([A-Za-z_]+)\}")
VARIABLES = frozenset({"uin", "owner_uin", "app_id"})


class Effect(StrEnum):
    ALLOW = "allow"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class ResourcePattern:
    """Six segments, of which the first is always ``qcs``; a segment that is empty or ``*`` stands for any.

    An empty `account` stands for the policy's own owner. `text` is how it was written.
    """

    text: str
    service: str
    region: str
    account: str
    content: str

    @property
    def everything(self) -> bool:
        return self.text == ANYTHING


@dataclass(frozen=True, slots=True)
class Principals:
    """Whom a trust document names: accounts as (owner's number, sub-user's number or None for the whole account)."""

    accounts: tuple[tuple[int, int | None], ...]
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """Actions are in lower case and without the old prefix ``name/``; they match whatever the case."""

    effect: Effect
    actions: tuple[str, ...]
    resources: tuple[ResourcePattern, ...]
    conditions: tuple[Condition, ...]
    principals: Principals = Principals((), ())


@dataclass(frozen=True, slots=True)
class Document:
    statements: tuple[Statement, ...]


@lru_cache(maxsize=4096)
def parse_policy(text: str) -> Document:
    """What a principal is permitted. POLICY_TOO_LONG, POLICY_MALFORMED, and a reason for each element."""
    return Document(tuple(_policy_statement(given) for given in _statements(text, _STATEMENT_KEYS)))


@lru_cache(maxsize=4096)
def parse_session_policy(text: str) -> Document:
    """What temporary credentials are narrowed to. As `parse_policy`.

    A principal that names everybody says nothing and is passed over: the vendor's COS STS client for Node sends it.
    """
    statements = _statements(text, _SESSION_KEYS)
    for statement in statements:
        if "principal" in statement and statement["principal"] not in (
            {"qcs": ANYTHING},
            {"qcs": [ANYTHING]},
        ):
            _refuse(Reason.POLICY_PRINCIPAL, "principal", "principal")
    return Document(tuple(_policy_statement(statement) for statement in statements))


@lru_cache(maxsize=4096)
def parse_trust(text: str) -> Document:
    """Who may take a role. As `parse_policy`, and POLICY_PRINCIPAL."""
    return Document(tuple(_trust_statement(given) for given in _statements(text, _TRUST_KEYS)))


def accept(document: Document) -> None:
    """For what is to be kept or lent, once it was parsed. POLICY_CONDITION for a key that is never supplied."""
    for statement in document.statements:
        for condition in statement.conditions:
            if not condition.supplied:
                _refuse(Reason.POLICY_CONDITION, "condition.key", condition.key)


def require_own_resources(document: Document, owner_number: int, app_id: int) -> None:
    """POLICY_RESOURCE with the field ``resource.foreign`` for an allow that names another account's resource."""
    own = {"", ANYTHING, f"uin/{owner_number}", f"uin/{ANYTHING}", f"uid/{app_id}", f"uid/{ANYTHING}"}
    for statement in document.statements:
        for pattern in statement.resources:
            if (
                statement.effect is Effect.ALLOW
                and pattern.account not in own
                and "${" not in pattern.account
            ):
                _refuse(Reason.POLICY_RESOURCE, "resource.foreign", pattern.text)


def _statements(text: str, known: frozenset[str]) -> Sequence[Mapping[str, object]]:
    length = len(text) if len(text) > _LONGEST_WRITTEN else len("".join(text.split()))
    if length > LONGEST:
        raise Refused(Reason.POLICY_TOO_LONG, "document", facts={"value": length, "limit": LONGEST})
    document = _json(text)
    if unknown := document.keys() - _DOCUMENT_KEYS:
        _refuse_document(f"{json.dumps(min(unknown))} is not a member of a policy document")
    if document.get("version") != VERSION:
        _refuse(Reason.POLICY_VERSION, "version", document.get("version"))
    return [_known(statement, known) for statement in _listed_statements(document.get("statement"))]


def _json(text: str) -> Mapping[str, object]:
    try:
        document = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number)
    except RecursionError:
        _refuse_document("the nesting is too deep")
    except ValueError as error:
        _refuse_document(str(error))
    if not isinstance(document, dict):
        _refuse_document("the document is not a JSON object")
    try:
        strict_json.inspect(document)
    except Refused as refusal:
        _refuse_document(refusal.note)
    return document


def _refuse_document(what: str) -> NoReturn:
    """`what` says what is wrong and where, without quoting the document but for a member's name."""
    shown = what[:200].encode("utf-8", "replace").decode()
    raise Refused(Reason.POLICY_MALFORMED, "document", facts={"value": shown}, note=shown)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        (repeated, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"an object has the member {json.dumps(repeated)} more than once")
    return members


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _listed_statements(value: object) -> list[object]:
    statements = value if isinstance(value, list) else [value]
    if not statements:
        _refuse(Reason.POLICY_STATEMENT, "statement", value)
    return statements


def _known(statement: object, known: frozenset[str]) -> Mapping[str, object]:
    if not isinstance(statement, dict):
        _refuse(Reason.POLICY_STATEMENT, "statement", statement)
    strange = statement.keys() - known
    if "principal" in strange:
        _refuse(Reason.POLICY_PRINCIPAL, "principal", "principal")
    if strange:
        _refuse(Reason.POLICY_STATEMENT, "statement", min(strange))
    return statement


def _policy_statement(given: Mapping[str, object]) -> Statement:
    resources = tuple(_resource(text) for text in _texts(given, "resource", Reason.POLICY_RESOURCE))
    return Statement(_effect(given), _actions(given), resources, _conditions(given, SUPPLIED))


def _trust_statement(given: Mapping[str, object]) -> Statement:
    everything = ResourcePattern(ANYTHING, "", "", "", "")
    return Statement(
        _effect(given),
        _actions(given),
        (everything,),
        _conditions(given, SUPPLIED_TO_TRUST),
        _principals(given.get("principal")),
    )


def _effect(given: Mapping[str, object]) -> Effect:
    effect = given.get("effect")
    if effect not in ("allow", "deny"):
        _refuse(Reason.POLICY_EFFECT, "effect", effect)
    return Effect(effect)


def _actions(given: Mapping[str, object]) -> tuple[str, ...]:
    if "action" not in given:
        _refuse(Reason.POLICY_ACTION, "action.missing", None)
    return tuple(_action(text) for text in _texts(given, "action", Reason.POLICY_ACTION))


def _action(text: str) -> str:
    action = text.removeprefix(_OLD_PREFIX)
    if action != ANYTHING and _ACTION.fullmatch(action) is None:
        _refuse(Reason.POLICY_ACTION, "action", text)
    return action.lower()


def _resource(text: str) -> ResourcePattern:
    if text == ANYTHING:
        return ResourcePattern(text, "", "", "", "")
    segments = text.split(":", 5)
    if len(segments) != 6 or segments[0] != "qcs":
        _refuse(Reason.POLICY_RESOURCE, "resource.segments", text)
    _qcs, project, service, region, account, content = segments
    if project not in ("", ANYTHING, "id/0"):
        _refuse(Reason.POLICY_RESOURCE, "resource.project", text)
    if _SERVICE.fullmatch(service) is None:
        _refuse(Reason.POLICY_RESOURCE, "resource.service", text)
    if _REGION.fullmatch(region) is None:
        _refuse(Reason.POLICY_RESOURCE, "resource.region", text)
    if _ACCOUNT.fullmatch(account) is None:
        _refuse(Reason.POLICY_RESOURCE, "resource.account", text)
    if not content or not _HOLE.sub(lambda hole: "" if hole[1] in VARIABLES else "\0", content).isprintable():
        _refuse(Reason.POLICY_RESOURCE, "resource.content", text)
    return ResourcePattern(text, service.lower(), region, account, content)


def _conditions(given: Mapping[str, object], supplied: frozenset[str]) -> tuple[Condition, ...]:
    try:
        return read_conditions(given["condition"], supplied) if "condition" in given else ()
    except ConditionMalformed as error:
        _refuse(Reason.POLICY_CONDITION, error.part, error.value)


def _principals(value: object) -> Principals:
    if not isinstance(value, dict) or not value or not value.keys() <= _PRINCIPALS:
        _refuse(Reason.POLICY_PRINCIPAL, "principal", value)
    accounts = [_account(text) for text in _texts(value, "qcs", Reason.POLICY_PRINCIPAL, needed=False)]
    services = _texts(value, "service", Reason.POLICY_PRINCIPAL, needed=False)
    _texts(value, "federated", Reason.POLICY_PRINCIPAL, needed=False)
    return Principals(tuple(accounts), tuple(services))


def _account(text: str) -> tuple[int, int | None]:
    found = _PRINCIPAL.fullmatch(text)
    if found is None:
        _refuse(Reason.POLICY_PRINCIPAL, "principal.qcs", text)
    return int(found[1]), int(found[3]) if found[3] else None


def _texts(given: Mapping[str, object], name: str, reason: Reason, *, needed: bool = True) -> list[str]:
    """One text, or a list of at least one."""
    if not needed and name not in given:
        return []
    value = given.get(name)
    texts = [
        text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str) and text
    ]
    if not texts or (isinstance(value, list) and len(texts) != len(value)):
        _refuse(reason, name, value)
    return texts


def _refuse(reason: Reason, part: str, value: object) -> NoReturn:
    shown = value.encode("utf-8", "replace").decode() if isinstance(value, str) else json.dumps(value)
    raise Refused(reason, part, facts={"value": shown}, note=f"{part}: {shown[:100]}")


def fill(text: str, values: Mapping[str, str]) -> str:
    """A pattern or a value with its variables filled in; an unknown variable is left as it stands."""
    if "${" not in text:
        return text
    return _HOLE.sub(lambda hole: values.get(hole[1], hole[0]), text)
