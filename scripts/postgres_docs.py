"""Write docs/tencent-postgres.md from the contract: python scripts/postgres_docs.py [--check]"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence

from docs_tables import Pages, fields_table, line, row, shapes, write

from rolecall.contracts.model import Action, Field, ListOf
from rolecall.contracts.tencent.postgres.contract import CONTRACT
from rolecall.contracts.tencent.postgres.places import REGIONS
from rolecall.dialects.tencent.refusals import COMMON
from rolecall.domain.reasons import Reason

HEAD = """\
# Tencent Cloud PostgreSQL, version 2017-03-12

This page is a reference for developers of clients: the actions of `postgres`, their parameters, rules, answers and
error codes. Written by `scripts/contract_docs.py` from `src/rolecall/contracts/tencent/`; do not edit. A test fails if
it is stale.

The endpoint is the server's address with the path `/`. Calls are signed with TC3-HMAC-SHA256, or with signature v1
(HmacSHA1, HmacSHA256): [security.md](security.md#signatures). Every answer has HTTP status 200, Content-Type
`application/json` and a RequestId. Where the vendor is silent, [choices.md](choices.md) records Rolecall's behaviour;
[limits.md](limits.md) lists what is missing.

A call is checked in this order: signature, rate, region; then, for each structure, missing and unknown fields and wrong
types; then the rules of the fields in the order of the tables below; then the instance; then the server. The column
"reason" has the domain's own word. `rolecall operation list` shows the same word for a change that became an operation.
"""

SAYS: Mapping[str, str] = {
    "CreateAccount": "Create an account. It can log in as soon as the call is answered.",
    "DescribeAccounts": "List the instance's accounts, including those created by SQL.",
    "DeleteAccount": "End the account's sessions, reassign its objects and drop it. A missing account is not an error.",
    "ResetAccountPassword": "Set a new password. Refused while the password is managed (OpenAccountCAM).",
    "ModifyAccountRemark": "Change the remark, which is kept in Rolecall's store.",
    "LockAccount": "Refuse new logins and end the open sessions.",
    "UnlockAccount": "Permit a locked account to log in again.",
    "DescribeAccountPrivileges": "Show the account's privileges on the given objects, in the given order.",
    "ModifyAccountPrivileges": "Grant and revoke on objects, all or none; change the account's type and roles.",
    "OpenAccountCAM": "Let Rolecall manage the account's password.",
    "CloseAccountCAM": "Set a password of the caller's, which Rolecall no longer manages.",
    "RefreshAccountPassword": "Replace the managed password.",
    "CreateDatabase": "Create a database.",
    "DeleteDatabase": "End a database's sessions and drop it. A missing database is not an error.",
    "DescribeDatabases": "List databases.",
    "DescribeDatabaseObjects": "List the objects of a type, without those of system schemas.",
    "ModifyDatabaseOwner": "Give a database to another account.",
    "DescribeDBInstances": "List the owner's instances of the call's region.",
    "DescribeDBInstanceAttribute": "Show one instance.",
    "DescribeRegions": "List regions, from a table.",
    "DescribeZones": "List the zones of the call's region, from a table.",
    "CreateInstances": "Start servers with their root account (`rolecall up` only), after the answer.",
    "IsolateDBInstances": "Stop servers that Rolecall started; their data stays.",
    "DisIsolateDBInstances": "Start isolated servers again.",
    "DestroyDBInstance": "Delete an isolated server that Rolecall started, with its data.",
    "RestartDBInstance": "Restart a server that Rolecall started.",
}

_INSTANCE = (Reason.INSTANCE_MISSING, Reason.INSTANCE_FORBIDDEN)
_REACHED = (
    *_INSTANCE, Reason.CALLER_NOT_LISTED, Reason.INSTANCE_ISOLATED, Reason.INSTANCE_RESTARTING,
    Reason.INSTANCE_STARTING, Reason.INSTANCE_FAILED, Reason.ENGINE_UNREACHABLE, Reason.ENGINE_BUSY,
    Reason.ENGINE_REFUSED,
)  # fmt: skip
_PROVISIONED = (
    *_INSTANCE, Reason.CALLER_NOT_LISTED, Reason.PROVISIONER_MISSING, Reason.INSTANCE_STARTING,
    Reason.INSTANCE_RESTARTING, Reason.INSTANCE_FAILED,
)  # fmt: skip
_ACCOUNT = (Reason.ACCOUNT_MISSING, Reason.ACCOUNT_PROTECTED)
_OBJECTS = (Reason.OBJECT_NAME_MALFORMED, Reason.OBJECT_MISSING, Reason.DATABASE_MISSING)

# How domain and engine may refuse beyond the rules of the fields (docstrings of `domain/engine/__init__.py`).
BEHIND: Mapping[str, Sequence[Reason]] = {
    "CreateAccount": (*_REACHED, Reason.ACCOUNT_TAKEN, Reason.ENGINE_TOO_OLD, Reason.PASSWORD_UNDECIPHERABLE),
    "DescribeAccounts": _REACHED,
    "DeleteAccount": (*_REACHED, Reason.ACCOUNT_PROTECTED),
    "ResetAccountPassword": (*_REACHED, *_ACCOUNT, Reason.PASSWORD_MANAGED, Reason.PASSWORD_UNDECIPHERABLE),
    "ModifyAccountRemark": (*_REACHED, Reason.ACCOUNT_MISSING),
    "LockAccount": (*_REACHED, *_ACCOUNT),
    "UnlockAccount": (*_REACHED, *_ACCOUNT),
    "DescribeAccountPrivileges": (*_REACHED, Reason.ACCOUNT_MISSING, *_OBJECTS),
    "ModifyAccountPrivileges": (
        *_REACHED, *_ACCOUNT, *_OBJECTS, Reason.DATABASE_PROTECTED, Reason.OBJECT_PROTECTED,
        Reason.PRIVILEGE_UNKNOWN, Reason.PRIVILEGE_DEPENDENT, Reason.MEMBERSHIP_CIRCULAR,
        Reason.ENGINE_TOO_OLD,
    ),
    "OpenAccountCAM": (*_REACHED, *_ACCOUNT, Reason.PASSWORD_MANAGED),
    "CloseAccountCAM": (
        *_REACHED, *_ACCOUNT, Reason.PASSWORD_NOT_MANAGED, Reason.PASSWORD_LENGTH, Reason.PASSWORD_CONTENT,
        Reason.PASSWORD_UNDECIPHERABLE,
    ),
    "RefreshAccountPassword": (*_REACHED, *_ACCOUNT, Reason.PASSWORD_NOT_MANAGED),
    "CreateDatabase": (*_REACHED, Reason.ACCOUNT_MISSING, Reason.DATABASE_TAKEN),
    "DeleteDatabase": (*_REACHED, Reason.DATABASE_PROTECTED),
    "DescribeDatabases": _REACHED,
    "DescribeDatabaseObjects": (*_REACHED, *_OBJECTS),
    "ModifyDatabaseOwner": (
        *_REACHED, Reason.ACCOUNT_MISSING, Reason.ACCOUNT_PROTECTED, Reason.DATABASE_MISSING, Reason.DATABASE_PROTECTED,
    ),
    "DescribeDBInstances": (),
    "DescribeDBInstanceAttribute": _INSTANCE,
    "DescribeRegions": (),
    "DescribeZones": (),
    "CreateInstances": (
        Reason.PROVISIONER_MISSING, Reason.VERSION_UNOFFERED, Reason.INSTANCE_QUOTA, Reason.PASSWORD_UNDECIPHERABLE,
    ),
    "IsolateDBInstances": (*_PROVISIONED, Reason.INSTANCE_ISOLATED),
    "DisIsolateDBInstances": (*_PROVISIONED, Reason.INSTANCE_RUNNING),
    "DestroyDBInstance": (*_PROVISIONED, Reason.INSTANCE_RUNNING),
    "RestartDBInstance": (*_PROVISIONED, Reason.INSTANCE_ISOLATED),
}  # fmt: skip

ENVELOPE = (
    Reason.MALFORMED_REQUEST, Reason.TOO_LARGE, Reason.METHOD_UNSUPPORTED, Reason.SERVICE_UNKNOWN,
    Reason.VERSION_UNKNOWN, Reason.ACTION_UNKNOWN, Reason.AUTHORIZATION_MALFORMED, Reason.KEY_UNKNOWN,
    Reason.SIGNATURE_MISMATCH, Reason.SIGNATURE_EXPIRED, Reason.TOKEN_INVALID, Reason.RATE_EXCEEDED,
    Reason.PARAMETER_MISSING, Reason.PARAMETER_UNKNOWN, Reason.PARAMETER_TYPE, Reason.INTERNAL,
)  # fmt: skip


def page() -> str:
    """The whole page, in Markdown."""
    actions = tuple(CONTRACT.actions.values())
    parts = [
        HEAD,
        "## Actions\n",
        *contents(actions),
        "",
        "## Errors of every action\n",
        *common(actions),
        "",
    ]
    for action in actions:
        parts += section(action)
    parts += ["## Structures\n"]
    for shape in {shape.name: shape for action in actions for shape in shapes(action.params)}.values():
        parts += [f"### {shape.name}\n", *fields_table(shape.fields), ""]
    return "\n".join(parts)


def contents(actions: Sequence[Action]) -> Iterator[str]:
    yield from row("action", "what it does")
    for action in actions:
        yield line(f"[{action.name}](#{action.name.lower()})", SAYS[action.name])


def common(actions: Sequence[Action]) -> Iterator[str]:
    """Errors that come before an action's own."""
    yield from row("code", "reason")
    for reason in ENVELOPE:
        codes = {each.code for key, each in COMMON.items() if key == reason or key[:1] == (reason,)}
        yield line(", ".join(f"`{code}`" for code in sorted(codes)), reason.value)
    rates = {action.rate for action in actions}
    yield f"\nRate: {', '.join(map(str, sorted(rates)))} calls a second per action, region and calling uin."


def section(action: Action) -> Iterator[str]:
    yield f"## {action.name}\n"
    yield f"{SAYS[action.name]}\n"
    yield f"Source: {action.source}. {places(action)}\n"
    if action.params:
        yield from fields_table(action.params)
        yield ""
    answer = ", ".join(f"`{name}`" for name in (*action.output, "RequestId"))
    yield f"Answer: {answer}.\n"
    yield from errors(action)


def places(action: Action) -> str:
    if action.regions is None:
        return "Takes no region."
    if action.regions == REGIONS:
        return "Regions: the list of CreateAccount's page."
    names = ", ".join(f"`{region}`" for region in sorted(action.regions))
    return f"Regions: {names}." if names else "Any region."


def errors(action: Action) -> Iterator[str]:
    """The action's codes by the reasons that lead to them, then the vendor's codes that nothing leads to."""
    found: dict[str, list[str]] = {}
    for reason in sorted(reasons(action)):
        code = action.errors[reason].code
        found.setdefault(code, []).append(reason.value)
    for key, row_of_key in action.errors.items():
        if isinstance(key, tuple):
            found.setdefault(row_of_key.code, []).append(f"{key[0].value} (`{key[1]}`)")
    if found:
        yield from row("code", "reason")
        yield from (line(f"`{code}`", ", ".join(why)) for code, why in sorted(found.items()))
        yield ""
    unused = ", ".join(f"`{code}`" for code in sorted(action.codes - found.keys()))
    if unused:
        yield f"The vendor also lists codes that are never answered here: {unused}.\n"


def reasons(action: Action) -> set[Reason]:
    """Reasons with a row of the contract that the action can give."""
    given = {*BEHIND[action.name], *rule_reasons(action.params)}
    if action.regions:
        given.add(Reason.REGION_UNSUPPORTED)
    if any(isinstance(field.type, ListOf) for field in action.params):
        given.add(Reason.PARAMETER_RANGE)
    if action.params:
        given.add(Reason.PARAMETER_VALUE)  # control characters, everywhere
    return given


def rule_reasons(fields: Sequence[Field]) -> Iterator[Reason]:
    yield from (rule.reason for field in fields for rule in field.rules)
    yield from (
        reason for shape in shapes(fields) for field in shape.fields for reason in rule_reasons((field,))
    )


PAGES: Pages = {"tencent-postgres.md": page}

if __name__ == "__main__":
    sys.exit(write(PAGES, __doc__))
