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

This page is a reference for developers of clients: the requests of the database API, their parameters and its faults.
Written by `scripts/contract_docs.py` from `src/rolecall/contracts/openstack/`; do not edit. A test fails if it is
stale.

The API is that of OpenStack Trove and of Rackspace Cloud Databases, under `/v1.0/TENANT`; the tenant is the owner's
number. Every call except the version documents carries `X-Auth-Token`:
[openstack-identity.md](openstack-identity.md). Where the documentation is silent, [choices.md](choices.md#openstack)
records Rolecall's behaviour; [limits.md](limits.md#openstack-databases) lists what is missing.

**Formats.** Bodies and answers are JSON or XML, independently of each other. `Content-Type` determines the format of
the body. The suffix `.json` or `.xml` of the path determines that of the answer, else `Accept`, else it is JSON. XML
has the namespace `{NAMESPACE}`; a DTD, an entity, a name that occurs twice,
more than {MAX_DEPTH} levels and more than {MAX_ELEMENTS} elements are refused. A body has at most {MAX_BODY} bytes.
Members that the tables below do not name are accepted and ignored, as in the original.

**202 is a promise.** CreateUsers checks everything first, including what the server itself would refuse. It then
stores all users of the request, or none, and answers. The accounts are created directly afterwards or, if the server is
out of reach, as soon as it is back, also by another process and after a restart
([operations.md](operations.md#promises)). Listings show a promised user at once. A user that could not be created has
`"status": "ERROR"` and a `fault`, until it is deleted or created again. The other changes that answer 202 are completed
before the answer.

**Users** have a name and a host, by default `%`; in a path `name` or `name@host`, percent-encoded.

- A new user's host is `%`, an address or a pattern of addresses (`192.168.1.%`), a network, or a domain. A host that no
  client can have is `badRequest` (400).
- A host is listed in one spelling and found by any. An account created by SQL is found by the host that is listed,
  whatever that is.
- A user gets the template `all` ([mysql.md](mysql.md#templates)) on each of its databases; `database` adds one
  database. A database need not exist yet.
- Passwords are never shown, except that of root, once.

**Plain text**, in the tables below, is printable ASCII without `'`, `"`, `` ` ``, `;`, `,`, `\\` and `/`, whose first
and last characters are also none of `@`, `?`, `#` and space.

**Rates.** A tenant has {CALLS_A_MINUTE} calls a minute for each of DELETE, GET, POST and PUT (PATCH counts as PUT).
Further calls are `overLimit` (413), with `Retry-After`. `ROLECALL_RATE_LIMIT` changes the rates, and ListLimits shows
them.

**Pages.** A page of a listing has at most {PAGE_SIZE} items. `limit` reduces that number; `marker` is the last item of
the page before. If there are more items, `links` (and the same as `users_links`, `databases_links`, `instances_links`)
contains the next page.
"""

IDENTITY_HEAD = """\
# OpenStack Identity, versions v3 and v2.0

This page is a reference for developers of clients of the [database API](openstack-database.md): how to get a token and
a catalog, and the faults. Written by `scripts/contract_docs.py` from `src/rolecall/contracts/openstack/`; do not edit.
A test fails if it is stale.

Rolecall serves tokens with a catalog, and the version documents, in JSON only. Listing users, projects and domains is
not offered.

**Credentials.** Any kind of user is an access key. Its id is the user's name or id, or the application credential's id.
Its secret is the password, the API key, or the application credential's secret. There is one domain, `default`. The
project or tenant is the owner's number, as id and as name; if none is sent, it is the caller's own.

| version | credentials |
| --- | --- |
| v3 | `password`, `application_credential`, `token` |
| v2.0 | `RAX-KSKEY:apiKeyCredentials` (Rackspace), `passwordCredentials`, `token` |

**Tokens** are valid for 12 hours, and no longer than their access key. A token that was issued for another token ends
with that token. Their structure: [security.md](security.md#tokens).

- A caller may show and revoke its own tokens, and the owner all of its tokens. The token to show or revoke is in
  `X-Subject-Token`, or in v2.0's path.
- With `nocatalog` in the query v3 omits the catalog; v2.0 accepts `belongsTo`.
- The owner's tokens have the roles `admin` and `member`, those of sub-users only `member`. Policies determine what a
  caller may do.
- Do not let another service validate tokens here and trust the roles: Rolecall is not a Keystone for other services.

**External Keystone.** With `ROLECALL_KEYSTONE_URL` the database API also accepts the tokens of that Keystone
([configuration.md](configuration.md#openstack-and-an-external-keystone), [choices.md](choices.md#openstack) 84).

**The catalog** contains the database API twice, as `database` (Trove) and as `rax:database` (Rackspace), and the
identity service, in the region `ROLECALL_OPENSTACK_REGION`. Its URLs have the scheme and host that the client used.

v3 answers errors as `{"error": {"code", "message", "title"}}`, v2.0 as `{"<fault>": {"code", "message"}}`.
"""

SAYS: Mapping[str, str] = {
    "ListVersions": "List the versions.",
    "ShowVersion": "Show this version.",
    "IssueToken": "Issue a token with its catalog.",
    "ShowToken": "Show or check a token.",
    "RevokeToken": "Revoke a token on every replica.",
    "CreateUsers": "Promise one or more users, all or none.",
    "ListUsers": "List users, including promised users and those created by SQL.",
    "ShowUser": "Show one user.",
    "ChangePasswords": "Change the passwords of users; if one user is missing, none is changed.",
    "UpdateUser": "Change the name, host or password of a user.",
    "DeleteUser": "End the user's sessions and drop it.",
    "ListGrants": "List the databases that a user has access to.",
    "GrantDatabases": "Grant a user access to databases, which need not exist yet.",
    "RevokeDatabase": "Revoke a user's access to a database.",
    "ListDatabases": "List databases, without the server's own.",
    "CreateDatabases": "Create databases.",
    "ShowDatabase": "Not implemented (501), as in Trove.",
    "DeleteDatabase": "Drop a database.",
    "ShowRoot": "Show whether root is enabled.",
    "EnableRoot": "Create root, or change its password, to the one that is sent or a generated one, shown once.",
    "DisableRoot": "End root's sessions and drop it.",
    "ListInstances": "List the owner's instances.",
    "ListInstancesDetail": "List the owner's instances in detail.",
    "ShowInstance": "Show one instance.",
    "CreateInstance": "Start a server with its databases and users (`rolecall up` only), after the answer.",
    "UpdateInstance": "Rename an instance.",
    "DeleteInstance": "Stop and delete a server that Rolecall started.",
    "ActOnInstance": "Restart a server that Rolecall started; other actions are not implemented (501).",
    "ListFlavors": "List the one flavor, from a table.",
    "ShowFlavor": "Show the one flavor.",
    "ListDatastores": "List the one datastore, from a table.",
    "ShowDatastore": "Show the one datastore.",
    "ListDatastoreVersions": "List its one version.",
    "ShowDatastoreVersion": "Show its one version.",
    "ListLimits": "Show the rates, and what is left of them.",
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
    known = (*ROUTES, DATABASE_VERSIONS)
    yield from (route for route in known if (route.service, route.action) == (service, action))


def request(route: Route) -> str:
    return f"`{route.method} {route.template}`"


def faults(
    table: Mapping[Reason | tuple[Reason, str], ErrorRow],
    beside: Mapping[Reason | tuple[Reason, str], ErrorRow] | None = None,
) -> Iterator[str]:
    """One row for every reason; with `beside`, only where that table says something else."""
    if beside is None:
        yield "Words in braces are replaced by facts of the refusal. `Retry-After` is in seconds.\n"
    else:
        yield "The faults are those of the [database API](openstack-database.md#faults), except:\n"
    yield from row("reason", "fault", "status", "Retry-After", "message")
    for key, found in table.items():
        if beside is not None and beside[key] == found:
            continue
        reason, field = (key, "") if isinstance(key, Reason) else key
        if reason.identity_only and found.status == 400:
            continue  # no action of this API gives it
        label = f"{reason.value} ({field})" if field else reason.value
        retry = str(RETRY_AFTER.get(reason, ""))
        yield line(label, f"`{found.code}`", str(found.status), retry, found.english)


def section(action: Action) -> Iterator[str]:
    yield f"## {action.name}\n"
    yield f"{SAYS[action.name]}\n"
    yield f"Source: {action.source}.\n"
    if action.params:
        fields = fields_table(tuple(flattened(action.params, "")), linked=False)
        yield from map(in_short, fields)
        yield ""


def in_short(rules: str) -> str:
    """Replace the long patterns of almost every field by words that the head defines."""
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
