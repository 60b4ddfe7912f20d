"""Write docs/aliyun-petadata.md from the contract: python scripts/petadata_docs.py [--check]"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping

from docs_tables import Pages, fields_table, line, row, write

from rolecall.contracts.aliyun.petadata.contract import CONTRACT
from rolecall.contracts.model import Action, ErrorRow
from rolecall.dialects.aliyun.refusals import COMMON
from rolecall.domain.reasons import Reason

HEAD = """\
# Alibaba Cloud PetaData, version 2016-01-01

This page is a reference for developers of clients: the actions of PetaData, their parameters, rules, answers and
errors. Written by `scripts/contract_docs.py` from `src/rolecall/contracts/aliyun/`; do not edit. A test fails if it is
stale.

The endpoint is the server's address with the path `/`. Requests are GET or POST, with parameters in the query, a form
or (with ACS3) JSON. Calls are signed with the RPC signature 1.0 (HMAC-SHA1; HMAC-SHA256 as an extension) or with
ACS3-HMAC-SHA256. Answers are XML unless `Format=JSON` or, with ACS3, `Accept: application/json` requests JSON. A blank
parameter counts as not sent. A nonce is valid for one call. Where the manual is silent,
[choices.md](choices.md#alibaba-petadata) records Rolecall's behaviour; [limits.md](limits.md#alibaba-petadata) lists
what is missing.

Every action also accepts `OwnerId`, `OwnerAccount`, `ResourceOwnerId` and `ResourceOwnerAccount`. Their value must be
the caller's own number.

Privileges of a new account:

- If `DBInfo` is sent, it applies alone. Otherwise `AccountPrivilege` (default `ReadWrite`) applies to each database of
  `DBName`.
- `AccountVersion` 0 reads and writes every database that the instance has. If no version is sent, it is 1 when
  privileges are requested, else 0.
- Super accounts take no privileges.

An instance has at most three accounts, unless its operator sets another quota.
"""

SAYS: Mapping[str, str] = {
    "CreateAccount": "Create an account with its privileges. It can log in as soon as the call is answered.",
    "DescribeAccounts": "List the instance's accounts with their privileges, including those created by SQL.",
    "DeleteAccount": "End the account's sessions and drop it.",
    "ResetAccountPassword": "Set a new password.",
    "ModifyAccountPassword": "Set a new password, given the old one.",
    "ModifyAccountDescription": "Change the description, which is kept in Rolecall's store.",
    "GrantAccountPrivilege": "Grant the account a privilege on databases; it replaces an earlier one.",
    "RevokeAccountPrivilege": "Revoke the account's privileges on databases.",
    "CreateDatabase": "Create a database.",
    "DeleteDatabase": "Drop a database.",
    "DescribeDatabases": "List all databases, or the one that is named.",
    "CreateInstance": "Start a server with its database and account (`rolecall up` only), after the answer.",
    "DeleteInstance": "Stop and delete a server that Rolecall started.",
    "DescribeInstances": "List the owner's instances, of one region if it is named.",
    "DescribeInstanceInfo": "Show one instance.",
    "ModifyInstanceName": "Rename an instance.",
    "DescribeSecurityIPs": "Show the address list.",
    "ModifySecurityIPs": "Replace, extend or shorten the address list, which has no effect on connections.",
    "ModifySecurityIps": "The manual's spelling of ModifySecurityIPs.",
    "DescribeRegions": "List regions, from a table.",
    "DescribeTasks": "List the instance's operations as tasks.",
    "DescribeTaskStatus": "Show one operation.",
    "DescribeUserInfo": "Count the owner's instances.",
}


def page() -> str:
    """The whole page, in Markdown."""
    parts = [HEAD, "## Actions\n", *contents(), "", "## Errors\n", *errors(), ""]
    for action in CONTRACT.actions.values():
        parts += section(action)
    return "\n".join(parts)


def contents() -> Iterator[str]:
    yield from row("action", "what it does")
    for name in CONTRACT.actions:
        yield line(f"[{name}](#{name.lower()})", SAYS[name])


def errors() -> Iterator[str]:
    """By reason: the contract's row, else the gateway's."""
    yield "`{field}` stands for the parameter's name.\n"
    yield from row("reason", "code", "status", "message")
    for reason in Reason:
        for key, found in {**COMMON, **CONTRACT.errors}.items():
            if key == reason or key[:1] == (reason,):
                yield error_line(reason, "" if key == reason else key[1], found)


def error_line(reason: Reason, field: str, found: ErrorRow) -> str:
    label = f"{reason.value} ({field})" if field else reason.value
    return line(label, f"`{found.code}`", str(found.status), found.english)


def section(action: Action) -> Iterator[str]:
    yield f"## {action.name}\n"
    yield f"{SAYS[action.name]}\n"
    yield f"Source: {action.source}.\n"
    own = [field for field in action.params if not re.fullmatch("(Resource)?Owner(Id|Account)", field.name)]
    if own:
        yield from fields_table(own)
        yield ""
    answer = ", ".join(f"`{name}`" for name in ("RequestId", *action.output))
    yield f"Answer: {answer}.\n"
    if action.errors:
        yield from row("reason", "code", "status", "message")
        for key, found in action.errors.items():
            reason, field = (key, "") if isinstance(key, Reason) else key
            yield error_line(reason, field, found)
        yield ""


PAGES: Pages = {"aliyun-petadata.md": page}

if __name__ == "__main__":
    sys.exit(write(PAGES, __doc__))
