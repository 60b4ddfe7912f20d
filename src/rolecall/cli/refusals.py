"""What the program prints when the domain refuses a command: one sentence for each reason an operator can meet."""

from __future__ import annotations

from collections.abc import Mapping

from rolecall.domain.operations.model import StillUnknown
from rolecall.domain.reasons import Reason, Refused

_SENTENCES: Mapping[Reason, str] = {
    Reason.ACCOUNT_NAME_MALFORMED: "the name of the account is not one that the server can have",
    Reason.ACCOUNT_NAME_RESERVED: "the name `{value}` is reserved",
    Reason.ACCOUNT_TAKEN: "an account of that name already exists on the instance",
    Reason.ACCOUNT_MISSING: "there is no account `{value}`; `rolecall account list` shows them",
    Reason.ACCOUNT_PROTECTED: "`{value}` is protected: it has more rights than a tenant may have",
    Reason.ACCOUNT_QUOTA: "the instance has as many accounts as it may have (`rolecall instance set --account-quota`)",
    Reason.HOST_MALFORMED: "accounts cannot have that host on this kind of server",
    Reason.PASSWORD_MANAGED: "Rolecall manages the password of `{value}`",
    Reason.PASSWORD_NOT_MANAGED: "Rolecall does not manage the password of `{value}`",
    Reason.VERIFIERS_REFUSED: "the server takes no hashed passwords; `rolecall doctor` names the fix",
    Reason.GRANT_MISSING: "there is no grant of `{value}` to revoke",
    Reason.MEMBERSHIP_CIRCULAR: "a role would become a member of itself",
    Reason.PRIVILEGE_DEPENDENT: "others were granted it by the account; revoke it from them first",
    Reason.PRIVILEGE_UNKNOWN: "`{value}` is not a privilege of that kind of object on this server",
    Reason.OBJECT_MISSING: "there is no schema `{value}` in the database",
    Reason.DATABASE_PROTECTED: "the database `{value}` is protected: it is not a tenant's",
    Reason.DATABASE_MISSING: "there is no database `{value}` on the instance",
    Reason.DATABASE_NAME_MALFORMED: "the name of the database is not one that the server can have",
    Reason.ENGINE_UNSUITED: "this kind of server does not have that feature",
    Reason.ENGINE_TOO_OLD: "the server is too old for that (ROLECALL_SUPER_MIN_VERSION)",
    Reason.ENGINE_UNREACHABLE: "the server cannot be reached; nothing was changed",
    Reason.ENGINE_BUSY: "the server is busy; nothing was changed, try again",
    Reason.INSTANCE_MISSING: "there is no such instance; `rolecall instance list` shows them",
    Reason.INSTANCE_ISOLATED: "the instance is isolated (`rolecall instance set ID --running`)",
    Reason.INSTANCE_RESTARTING: "the server restarts; nothing was changed, try again",
    Reason.INSTANCE_STARTING: "the server is being created; try again",
    Reason.CALLER_NOT_LISTED: "the instance does not list the owner as a caller"
    " (`rolecall instance set ID --allow {value}`)",
    Reason.SUB_USER_NAME_MALFORMED: "a name is 1 to 64 letters, digits and +=,.@_-",
    Reason.SUB_USER_TAKEN: "a sub-user of that name already exists",
    Reason.SUB_USER_MISSING: "there is no such sub-user; `rolecall sub-user list` shows them",
    Reason.SUB_USER_QUOTA: "the quota of sub-users is reached (ROLECALL_SUB_USER_QUOTA)",
    Reason.SUB_USER_RATE: "sub-users are created too fast (ROLECALL_SUB_USER_RATE); try again in a minute",
}

_UNKNOWN = (
    "whether the change happened is not known yet: a serving Rolecall finishes or undoes it"
    " (`rolecall operation list`)"
)


def sentence(refused: Refused) -> str:
    """One line about a refusal. What the engine or a rule noted about it follows, as no secret is in either."""
    if isinstance(refused, StillUnknown):
        return _UNKNOWN
    words = _SENTENCES.get(refused.reason)
    if words is None:
        return f"refused: {refused}"
    found = words.format_map(_Facts(refused.facts))
    return f"{found}: {refused.note}" if refused.note else found


class _Facts(dict[str, object]):
    """The facts of a refusal; a fact that it does not give is shown as three dots."""

    def __missing__(self, key: str) -> str:
        return "..."
