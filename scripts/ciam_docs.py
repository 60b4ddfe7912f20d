"""Write docs/tencent-ciam.md from the contract: python scripts/ciam_docs.py [--check]"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from docs_tables import Pages, write
from tencent_docs import Key, Page

from rolecall.contracts.tencent.ciam.contract import CONTRACT
from rolecall.contracts.tencent.ciam.errors import LISTS
from rolecall.domain.reasons import Reason

HEAD = """\
# Tencent Cloud CIAM, version 2022-03-31

This page is a reference for developers of clients: the actions of `ciam`, their parameters, rules, answers and error
codes. Written by `scripts/contract_docs.py` from `src/rolecall/contracts/tencent/`; do not edit. A test fails if it is
stale.

Envelope, signatures, the errors of every action and the order of the checks are those of
[tencent-postgres.md](tencent-postgres.md). A call must name a region; any is accepted. Rates: 20 calls a second per
action, region and calling uin. Where the vendor is silent, [choices.md](choices.md#tencent-ciam) records Rolecall's
behaviour; [limits.md](limits.md#tencent-ciam) lists what is missing.

- **User stores** are also called user pools and user directories: the same id is `UserStoreId` in most actions and
  `UserPoolId` in UpdateUserStore and DeleteUserStore. `rolecall up` creates one, whose id is `tencent.user_store_id` in
  the ready file. `rolecall store` lists and creates user stores.
- **Ids** have 32 hexadecimal digits. Times are milliseconds of the epoch.
- **Masked values.** Reads show phone numbers, mail addresses and identity cards in part (`138****5678`) unless
  `Original` is true. CreateUser and UpdateUser answer unmasked values.
- **`DryRun`**, in every action that changes something, makes all checks and then answers `DryRunOperation` or the error
  that the call would have had.
- **Passwords** are stored only as argon2id hashes.
"""

SAYS: Mapping[str, str] = {
    "CreateUser": "Create a user. The user can sign in as soon as the call is answered.",
    "UpdateUser": "Change the given properties of a user.",
    "DescribeUserById": "Show one user; null if there is none.",
    "DescribeUser": "List users, filtered by properties and operators, in a given order.",
    "ListUser": "List users, the newest first, filtered by a part of a name, number or address, or by group.",
    "ListUserByProperty": "Find the user who has a phone number or mail address.",
    "UpdateUserStatus": "Lock or freeze a user, which prevents signing in, or permit it again.",
    "SetPassword": "Set a user's password.",
    "ResetPassword": "Generate a new password for a user and show it once.",
    "DeleteUsers": "Delete users. A missing user is not an error.",
    "LinkAccount": "Make a user the secondary account of another.",
    "CreateUserStore": "Create a user store.",
    "ListUserStore": "List the owner's user stores, the oldest first.",
    "UpdateUserStore": "Change the given properties of a user store.",
    "DeleteUserStore": "Delete a user store with its content.",
    "CreateUserGroup": "Create a group of users.",
    "ListUserGroups": (
        "List groups, the oldest first. Version 2021-04-20, which has only this action, takes `UserStoreId`, `Page`, "
        "`Size` and `Condition` and gives the same answer."
    ),
    "UpdateUserGroup": "Change a group's name and, if it is sent, its description.",
    "DeleteUserGroups": "Delete groups; their users stay. A missing group is not an error.",
    "ListLogMessageByCondition": "List the log of a store's users, the newest entry first.",
}

_STORE_FAILURES = (
    Reason.ENGINE_UNREACHABLE, Reason.ENGINE_BUSY, Reason.ENGINE_REFUSED, Reason.INTERRUPTED,
)  # fmt: skip
_OWNED: Sequence[Key] = (
    Reason.NOT_PERMITTED,
    Reason.DIRECTORIES_INACTIVE,
    Reason.TENANT_FOREIGN,
    *_STORE_FAILURES,
)
_STORE: Sequence[Key] = (*_OWNED, Reason.STORE_MISSING, Reason.PARAMETER_VALUE)
_TAKEN = (Reason.USER_NAME_TAKEN, Reason.USER_PHONE_TAKEN, Reason.USER_EMAIL_TAKEN)
_CHANGE: Sequence[Key] = (*_STORE, Reason.DRY_RUN, Reason.REQUESTS_TOO_FREQUENT)
_USER: Sequence[Key] = (*_CHANGE, Reason.USER_MISSING)

# How the domain may refuse beyond the rules of the fields (docstrings of `domain/directories`).
_BEHIND: Mapping[str, Sequence[Key]] = {
    "CreateUser": (
        *_CHANGE, *_TAKEN, Reason.USER_GROUP_MISSING, Reason.USER_QUOTA, Reason.REQUEST_REPEATED, Reason.HASHING_BUSY,
        Reason.ENGINE_UNSUITED,
    ),
    "UpdateUser": (*_USER, *_TAKEN, Reason.USER_GROUP_MISSING, Reason.ENGINE_UNSUITED),
    "DescribeUserById": _STORE,
    "DescribeUser": (
        *_STORE, Reason.QUERY_FIELD_UNKNOWN, Reason.QUERY_FIELD_REPEATED, Reason.QUERY_SORT_UNKNOWN,
    ),
    "ListUser": _STORE,
    "ListUserByProperty": _STORE,
    "UpdateUserStatus": _USER,
    "SetPassword": (*_USER, Reason.USER_FROZEN, Reason.HASHING_BUSY),
    "ResetPassword": (*_USER, Reason.USER_FROZEN, Reason.HASHING_BUSY),
    "DeleteUsers": _CHANGE,
    "LinkAccount": (
        *_CHANGE, Reason.LINK_PRIMARY_MISSING, Reason.LINK_SECONDARY_MISSING, Reason.LINKED_ALREADY,
    ),
    "CreateUserStore": (*_OWNED, Reason.DRY_RUN, Reason.STORE_TAKEN, Reason.STORE_QUOTA),
    "ListUserStore": _OWNED,
    "UpdateUserStore": (*_STORE, Reason.DRY_RUN, Reason.STORE_TAKEN),
    "DeleteUserStore": (*_STORE, Reason.DRY_RUN),
    "CreateUserGroup": (*_STORE, Reason.DRY_RUN, Reason.USER_GROUP_TAKEN, Reason.USER_QUOTA),
    "ListUserGroups": _STORE,
    "UpdateUserGroup": (*_STORE, Reason.DRY_RUN, Reason.USER_GROUP_TAKEN, Reason.USER_GROUP_MISSING),
    "DeleteUserGroups": (*_STORE, Reason.DRY_RUN),
    "ListLogMessageByCondition": _STORE,
}  # fmt: skip


def _behind(action: str) -> Sequence[Key]:
    sent = {field.name for field in CONTRACT.actions[action].params}
    lists = ((Reason.PARAMETER_RANGE, name) for name in LISTS if name in sent)
    return (*_BEHIND[action], *lists)


PAGE = Page(HEAD, CONTRACT, SAYS, {action: _behind(action) for action in CONTRACT.actions})
PAGES: Pages = {"tencent-ciam.md": PAGE.text}

if __name__ == "__main__":
    sys.exit(write(PAGES, __doc__))
