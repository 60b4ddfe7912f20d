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

Written by `scripts/contract_docs.py` from `src/rolecall/contracts/tencent/`; do not edit. A test fails if it is stale.

Envelope, signatures, the errors of every action and the order of the checks are those of
[tencent-postgres.md](tencent-postgres.md). A region must be named, any will do. Rates: 20 calls a second per action,
region and calling uin. What the vendor leaves open is in [choices.md](choices.md), what is not there in
[limits.md](limits.md).

**User stores** are also called user pools and user directories: the same id is `UserStoreId` in most actions and
`UserPoolId` in UpdateUserStore and DeleteUserStore. `rolecall up` makes one; its id is `tencent.user_store_id` in the
ready file. `rolecall store` lists and makes them. Ids have 32 hexadecimal digits, times are milliseconds of the epoch.

**Masked**: reads show phone numbers, mail addresses and identity cards in part (`138****5678`) unless `Original` is
true. CreateUser and UpdateUser answer in clear.

**`DryRun`**, in every action that changes something, makes all checks and then answers `DryRunOperation` or the error
that the call would have had.

**Passwords** are kept as argon2id hashes alone.
"""

SAYS: Mapping[str, str] = {
    "CreateUser": "Create a user, who can sign in as soon as the call is answered.",
    "UpdateUser": "Change what is sent of a user; the rest stays.",
    "DescribeUserById": "Show one user; null if there is none.",
    "DescribeUser": "List users by properties and operators, in an order.",
    "ListUser": "List users, the newest first, by a part of what names them or by group.",
    "ListUserByProperty": "Find the user who has a phone number or mail address.",
    "UpdateUserStatus": "Lock or freeze a user, who cannot sign in then, or let it in again.",
    "SetPassword": "Give a user a password.",
    "ResetPassword": "Create a new password for a user and show it, this once.",
    "DeleteUsers": "Delete users. Who is not there is no error.",
    "LinkAccount": "Create a user the second account of another.",
    "CreateUserStore": "Create a user store.",
    "ListUserStore": "List the owner's user stores, the oldest first.",
    "UpdateUserStore": "Change what is sent of a user store.",
    "DeleteUserStore": "Delete a user store with all that is in it.",
    "CreateUserGroup": "Create a group of users.",
    "ListUserGroups": (
        "List groups, the oldest first. Version 2021-04-20, which has this action alone, takes `UserStoreId`, `Page`, "
        "`Size` and `Condition` and answers the same."
    ),
    "UpdateUserGroup": "Change a group's name, and its description if one is sent.",
    "DeleteUserGroups": "Delete groups; who is in them stays. What is not there is no error.",
    "ListLogMessageByCondition": "List what happened to the users of a store, the newest first.",
}

_TROUBLE = (
    Reason.ENGINE_UNREACHABLE, Reason.ENGINE_BUSY, Reason.ENGINE_REFUSED, Reason.INTERRUPTED,
)  # fmt: skip
_OWNED: Sequence[Key] = (Reason.NOT_PERMITTED, Reason.DIRECTORIES_INACTIVE, Reason.TENANT_FOREIGN, *_TROUBLE)
_STORE: Sequence[Key] = (*_OWNED, Reason.STORE_MISSING, Reason.PARAMETER_VALUE)
_TAKEN = (Reason.USER_NAME_TAKEN, Reason.USER_PHONE_TAKEN, Reason.USER_EMAIL_TAKEN)
_CHANGE: Sequence[Key] = (*_STORE, Reason.DRY_RUN, Reason.REQUESTS_TOO_FREQUENT)
_USER: Sequence[Key] = (*_CHANGE, Reason.USER_MISSING)

# What the domain may say beyond the rules of the fields (docstrings of `domain/directories`).
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
