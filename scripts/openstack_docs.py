"""Write docs/openstack-database.md and docs/openstack-identity.md: python scripts/openstack_docs.py [--check]"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence

from docs_tables import Pages, fields_table, line, row, shapes, words, write

from rolecall.contracts.model import Action, ErrorRow, Field
from rolecall.contracts.openstack.databases import contract as databases
from rolecall.contracts.openstack.databases import rules as databases_rules
from rolecall.contracts.openstack.databases.contract import CALLS_A_MINUTE
from rolecall.contracts.openstack.faults import FAULTS, IDENTITY_FAULTS
from rolecall.contracts.openstack.identity import contract as identity
from rolecall.dialects.openstack.documents import MAX_BODY
from rolecall.dialects.openstack.faults import RETRY_AFTER
from rolecall.dialects.openstack.routing import DATABASE_VERSIONS, ROUTES, Route
from rolecall.dialects.openstack.xml_bodies import MAX_DEPTH, MAX_ELEMENTS, NAMESPACE
from rolecall.domain.reasons import Reason
from rolecall.verbs.databases.pages import PAGE_SIZE

DATABASE_HEAD = f"""\
# OpenStack Database, version v1.0

Written by `scripts/contract_docs.py` from `src/rolecall/contracts/openstack/`; do not edit. A test fails if it is
stale.

The API of OpenStack Trove and of Rackspace Cloud Databases, under `/v1.0/TENANT`; the tenant is the owner's number.
Every call but the version documents carries `X-Auth-Token`: [openstack-identity.md](openstack-identity.md).

**Formats.** JSON and XML, chosen apart for body (`Content-Type`) and answer (the suffix `.json` or `.xml` of the path,
else `Accept`, else JSON). XML has the namespace `{NAMESPACE}`; a DTD, an
entity, a name twice, more than {MAX_DEPTH} levels or {MAX_ELEMENTS} elements are refused. A body has at most {MAX_BODY}
bytes. What the tables below do not name is accepted and ignored, as the original does.

**202 is a promise.** CreateUsers checks everything, also what the server itself would refuse, writes all users of the
request down or none, and answers; the accounts are made right after, or, if the server is away, as soon as it is back,
also by another process and after a restart ([operations.md](operations.md#promises)). Listings show a promised user at
once; one that could not be made after all has `"status": "ERROR"` and a `fault`, until it is deleted or made again. The
other changes that answer 202 are done when they are answered.

**Users** are a name and a host, `%` unless one is given; in a path `name` or `name@host`, percent-encoded. A new user's
host is `%`, an address or a pattern of addresses (`192.168.1.%`), a network, or a domain; what no client could have is
`badRequest` (400). It is listed in one spelling, and found by any; an account that was made by SQL is found by the host
that is listed, whatever that is. A user gets
all that the template `all` has ([mysql.md](mysql.md#templates)) on each of its databases; `database` is short for one
more. A database need not be there yet. Passwords are never shown, but that of root, once.

**Plain text**, in the tables below, is printable ASCII without `'`, `"`, `` ` ``, `;`, `,`, `\\` and `/`, whose first
and last character is none of `@`, `?`, `#` and space either.

**Rates.** {CALLS_A_MINUTE} calls a minute for each of DELETE, GET, POST and PUT (PATCH counts as PUT) and tenant; more
are `overLimit` (413), with `Retry-After`. `ROLECALL_RATE_LIMIT` changes that, and ListLimits tells it.

**Pages.** A listing has at most {PAGE_SIZE} items a page; `limit` makes it less, `marker` is the last item of the page
before. While there is more, `links` (and the same as `users_links`, `databases_links`, `instances_links`) leads to the
next.
"""

IDENTITY_HEAD = """\
# OpenStack Identity, versions v3 and v2.0

Written by `scripts/contract_docs.py` from `src/rolecall/contracts/openstack/`; do not edit. A test fails if it is
stale.

What clients of the [database API](openstack-database.md) need: tokens with a catalog, and the version documents. It
speaks JSON alone. Listing users, projects and domains is not offered.

**Who.** An access key is every kind of user. Its id is the user's name or id, or the application credential's id; its
secret is the password, the API key, or the application credential's secret. There is one domain, `default`. The
project or tenant is the owner's number, as id and as name; without one it is the caller's own.

| version | credentials |
| --- | --- |
| v3 | `password`, `application_credential`, `token` |
| v2.0 | `RAX-KSKEY:apiKeyCredentials` (Rackspace), `passwordCredentials`, `token` |

**Tokens** are good for 12 hours, and no longer than their access key; one bought with a token ends when that one would
have. What they are made of: [security.md](security.md#tokens). Whose a token is, that caller may show and revoke it,
and the owner all of its own. The one that is asked about stands in `X-Subject-Token`, or in v2.0's path. With
`nocatalog` in the query v3 leaves the catalog out; v2.0 takes `belongsTo`. The owner's tokens have the roles `admin`
and `member`, those of sub-users `member` alone; what a caller may do here, policies say. This is no Keystone for other
services: do not let one of them validate tokens here and believe the roles.

**An outside Keystone** may stand beside this: with `ROLECALL_KEYSTONE_URL` the database API takes its tokens too
([configuration.md](configuration.md), [choices.md](choices.md)).

**The catalog** has the database API twice, as `database` (Trove) and as `rax:database` (Rackspace), and the identity
service; region `ROLECALL_OPENSTACK_REGION`. Its URLs have the scheme and host that the client used.

v3 answers errors as `{"error": {"code", "message", "title"}}`, v2.0 as `{"<fault>": {"code", "message"}}`.
"""

SAYS: Mapping[str, str] = {
    "ListVersions": "Tell which versions there are.",
    "ShowVersion": "Tell about this version.",
    "IssueToken": "Give a token with its catalog.",
    "ShowToken": "Show or check a token.",
    "RevokeToken": "Revoke a token: no replica accepts it any more.",
    "CreateUsers": "Promise one user or several: all or none.",
    "ListUsers": "List users, promised ones and those created by SQL included.",
    "ShowUser": "Show one user.",
    "ChangePasswords": "Give users new passwords; if one of them is missing, none is changed.",
    "UpdateUser": "Give a user another name, host or password.",
    "DeleteUser": "End the user's sessions and drop it.",
    "ListGrants": "List the databases that a user may reach.",
    "GrantDatabases": "Let a user reach databases, those to come included.",
    "RevokeDatabase": "Take a database from a user.",
    "ListDatabases": "List databases; the server's own are left out.",
    "CreateDatabases": "Create databases.",
    "ShowDatabase": "Not implemented (501), as in Trove.",
    "DeleteDatabase": "Drop a database.",
    "ShowRoot": "Say whether root is enabled now.",
    "EnableRoot": "Create root, or give it another password: the one that is sent, or a new one, shown this once.",
    "DisableRoot": "End root's sessions and drop it.",
    "ListInstances": "List the owner's instances.",
    "ListInstancesDetail": "List the owner's instances with more of each.",
    "ShowInstance": "Show one instance.",
    "CreateInstance": "Start a server with its databases and users, where Rolecall can; answered at once.",
    "UpdateInstance": "Rename an instance.",
    "DeleteInstance": "Stop and delete a server that Rolecall started.",
    "ActOnInstance": "Restart a server, where Rolecall can; other actions are not implemented (501).",
    "ListFlavors": "List the one flavor, from a table.",
    "ShowFlavor": "Show the one flavor.",
    "ListDatastores": "List the one datastore, from a table.",
    "ShowDatastore": "Show the one datastore.",
    "ListDatastoreVersions": "List its one version.",
    "ShowDatastoreVersion": "Show its one version.",
    "ListLimits": "Show the rates, and what is left of them now.",
}


def database_page() -> str:
    """The whole page, in Markdown."""
    actions = tuple(databases.CONTRACT.actions.values())
    parts = [DATABASE_HEAD, "## Actions\n", *contents(actions), "", "## Faults\n", *faults(FAULTS), ""]
    for action in actions:
        parts += section(action)
    return "\n".join(parts)


def identity_page() -> str:
    actions = tuple(identity.V3.actions.values())
    parts = [IDENTITY_HEAD, "## Actions\n", *row("action", "request", "status", "what it does")]
    for action in actions:
        parts += (
            line(action.name, request(route), str(route.status), SAYS[action.name])
            for route in routes("identity", action.name)
        )
    return "\n".join([*parts, "", "## Faults\n", *faults(IDENTITY_FAULTS, beside=FAULTS)])


def contents(actions: Sequence[Action]) -> Iterator[str]:
    yield from row("action", "requests, and the status of success", "what it does")
    for action in actions:
        asked = "<br>".join(f"{request(route)} {route.status}" for route in routes("database", action.name))
        yield line(f"[{action.name}](#{action.name.lower()})", asked, SAYS[action.name])


def routes(service: str, action: str) -> Iterator[Route]:
    yield from (one for one in (*ROUTES, DATABASE_VERSIONS) if (one.service, one.action) == (service, action))


def request(route: Route) -> str:
    return f"`{route.method} {route.template}`"


def faults(
    table: Mapping[Reason | tuple[Reason, str], ErrorRow],
    beside: Mapping[Reason | tuple[Reason, str], ErrorRow] | None = None,
) -> Iterator[str]:
    """One row for every reason; with `beside`, only where that table says something else."""
    if beside is None:
        yield "In braces stand facts of the refusal. `Retry-After` is in seconds.\n"
    else:
        yield "As the [database API's](openstack-database.md#faults), but for:\n"
    yield from row("reason", "fault", "status", "Retry-After", "message")
    for key, found in table.items():
        if beside is not None and beside[key] == found:
            continue
        reason, field = (key, "") if isinstance(key, Reason) else key
        if reason.identity_only and found.status == 400:
            continue  # no action of this API gives it
        told = f"{reason.value} ({field})" if field else reason.value
        retry = str(RETRY_AFTER.get(reason, ""))
        yield line(told, f"`{found.code}`", str(found.status), retry, found.english)


def section(action: Action) -> Iterator[str]:
    yield f"## {action.name}\n"
    yield f"{SAYS[action.name]}\n"
    yield f"Source: {action.source}.\n"
    if action.params:
        yield from (in_short(one) for one in fields_table(tuple(flattened(action.params, "")), linked=False))
        yield ""


def in_short(rules: str) -> str:
    """Without the long patterns that almost every field has; the head says what they mean."""
    for pattern, meaning in _IN_SHORT.items():
        rules = rules.replace(pattern, meaning)
    return rules


_IN_SHORT = {
    words(rules[0]): meaning
    for rules, meaning in (
        (databases_rules.PASSWORD, "plain text"),
        (databases_rules.HOST, "a host"),
        (databases_rules.EXISTING_HOST, "1 to 255 characters"),
    )
}


def flattened(fields: Sequence[Field], prefix: str) -> Iterator[Field]:
    """Members of members by their path."""
    for field in fields:
        name = prefix + field.name
        yield Field(name, field.type, field.required, field.default, field.rules)
        if inner := tuple(shapes((field,))):
            yield from flattened(inner[0].fields, f"{name}.")


PAGES: Pages = {"openstack-database.md": database_page, "openstack-identity.md": identity_page}

if __name__ == "__main__":
    sys.exit(write(PAGES, __doc__))
