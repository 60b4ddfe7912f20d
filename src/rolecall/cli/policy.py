"""`rolecall policy`: who may do what, and why."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from rolecall.cli.context import only_owner, show, with_application, with_store
from rolecall.cli.errors import CommandError
from rolecall.cli.options import DataOption, FilterOption, JsonOption, LimitOption, OffsetOption
from rolecall.cli.printing import Paging
from rolecall.domain.iam.policy_commands import PolicyRef
from rolecall.domain.iam.role_commands import RoleRef
from rolecall.domain.policy.decisions import because
from rolecall.domain.policy.evaluation import Decision
from rolecall.domain.policy.language import accept, parse_session_policy
from rolecall.domain.policy.requests import PolicyRequest
from rolecall.domain.reasons import Refused
from rolecall.values import Caller, PrincipalKind, Session

if TYPE_CHECKING:
    from rolecall.app.application import Application
    from rolecall.cli.opening import OpenStore
    from rolecall.domain.access.keys import Owner

app = typer.Typer(rich_markup_mode=None)

_INSTANCES = {"postgres": "DBInstanceId", "petadata": "instance", "trove": "instance"}
"""The prefix of an instance's id in a resource, by service."""

_LISTED = ("id", "name", "kind", "attached", "description")
_HELD = ("id", "name", "kind", "by_group")
_EXPLAINED = ("allowed", "resource", "policy", "statement", "by_group", "because")

PrincipalArgument = Annotated[
    str,
    typer.Argument(
        metavar="PRINCIPAL", help="A sub-user's name or number, an access key's id, or role/NAME."
    ),
]


@app.command("list")
def list_policies(
    principal: Annotated[
        str | None,
        typer.Option("--of", metavar="PRINCIPAL", help="Only the policies of this sub-user or role."),
    ] = None,
    limit: LimitOption = None,
    offset: OffsetOption = 0,
    contains: FilterOption = "",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List policies and presets, or those of a sub-user (with its groups) or a role."""

    async def all_policies(opened: OpenStore) -> list[dict[str, object]]:
        from rolecall.contracts.tencent.cam.presets import PRESETS

        owner = await only_owner(opened)
        counts = await opened.store.policies.counts(owner.id)
        policies = [
            *await opened.store.policies.policies(owner.id),
            *sorted(PRESETS, key=lambda preset: preset.id),
        ]
        return [
            {
                "id": policy.id,
                "name": policy.name,
                "kind": "preset" if policy.preset else "own",
                "attached": counts.get(policy.id, (0, 0))[0],
                "description": policy.description,
                "created_at": policy.created_at,
                "updated_at": policy.updated_at,
            }
            for policy in policies
        ]

    async def held(opened: Application) -> list[dict[str, object]]:
        caller = await _caller(opened, principal or "")
        return [
            {
                "id": policy.policy_id,
                "name": policy.name,
                "kind": "own" if opened.presets.by_id(policy.policy_id) is None else "preset",
                "by_group": policy.via or None,
            }
            for policy in await opened.permissions.held(caller)
        ]

    columns = _LISTED if principal is None else _HELD
    rows = with_store(data, all_policies) if principal is None else with_application(data, held)
    paging = Paging(limit, offset, contains, columns)
    show(rows, as_json=as_json, columns=columns, empty="no policies", paging=paging)


@app.command("show")
def show_policy(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A policy's name or id.")],
    data: DataOption = None,
) -> None:
    """Print the document of a policy."""

    async def work(opened: Application) -> str:
        owner, number = await only_owner(opened), int(name) if name.isdecimal() else None
        preset = opened.presets.by_name(name) if number is None else opened.presets.by_id(number)
        found = preset or await opened.store.policies.policy(owner.id, PolicyRef(number, name))
        if found is None:
            raise CommandError(f"there is no policy `{name}`; `rolecall policy list` shows them")
        return found.document

    print(with_application(data, work))


@app.command("explain")
def explain(
    principal: PrincipalArgument,
    operation: Annotated[str, typer.Argument(metavar="SERVICE:ACTION", help="postgres:CreateAccount")],
    resources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RESOURCE]...", help="Six segments, the id of an instance, or * (the default)."
        ),
    ] = None,
    ip: Annotated[str | None, typer.Option(help="The client address of the call.")] = None,
    time: Annotated[
        datetime | None,
        typer.Option(help="The time of the call, in UTC. Default: now.", formats=["%Y-%m-%dT%H:%M:%S"]),
    ] = None,
    region: Annotated[str, typer.Option(help="The region of the call; an instance has its own.")] = "",
    tls: Annotated[bool, typer.Option("--tls/--no-tls", help="Whether the call uses HTTPS.")] = True,
    session_policy: Annotated[
        str, typer.Option(metavar="JSON", help="The policy of the session that makes the call.")
    ] = "",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Explain whether a call is permitted, and which statement of which policy decides."""
    if operation.partition(":")[1:] in ((":", ""), ("", "")):
        raise CommandError(f"`{operation}` is not an operation such as postgres:CreateAccount")
    context: dict[str, str | None] = {
        "qcs:current_time": (time or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "qcs:secure_transport": "true" if tls else "false",
        "qcs:region": region or None,
        **({} if ip is None else {"qcs:ip": _address(ip)}),
    }

    async def work(opened: Application) -> list[dict[str, object]]:
        caller = await _caller(opened, principal)
        if session_policy:
            caller = _in_session(caller, session_policy)
        known = {"qcs:uin": str(caller.principal), "qcs:owner_uin": str(caller.owner_number), **context}
        rows = []
        for given in resources or ["*"]:
            resource = _resource(opened, given, operation, await only_owner(opened))
            decision = await opened.permissions.decide(caller, PolicyRequest(operation, (resource,), known))
            rows.append(_row(decision))
        return rows

    show(with_application(data, work), as_json=as_json, columns=_EXPLAINED)


def _row(decision: Decision) -> dict[str, object]:
    policy = decision.policy
    return {
        "allowed": decision.allowed,
        "verdict": decision.verdict.value,
        "resource": decision.resource,
        "policy": None if policy is None else policy.name,
        "policy_id": None if policy is None else policy.policy_id,
        "statement": decision.statement or None,
        "by_group": None if policy is None else policy.via or None,
        "because": because(decision),
    }


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise CommandError(f"`{text}` is not an IP address") from None


def _resource(opened: Application, given: str, operation: str, owner: Owner) -> str:
    """The resource that `given` names: itself, or the instance of that id in the operation's service."""
    if given == "*" or given.startswith("qcs:"):
        if given != "*" and given.count(":") < 5:
            raise CommandError(f"`{given}` does not have six segments")
        return given
    service = operation.partition(":")[0].lower()
    if service not in _INSTANCES:
        raise CommandError(f"`{given}` is not a resource of {service}; write its six segments")
    region = opened.settings.openstack_region if service == "trove" else ""
    return f"qcs::{service}:{region}:uin/{owner.number}:{_INSTANCES[service]}/{given}"


async def _caller(opened: Application, principal: str) -> Caller:
    """The caller named by a sub-user's name or number, a key's id, or ``role/`` and a role's name or id."""
    owner = await only_owner(opened)
    if principal.startswith("role/"):
        which = principal.removeprefix("role/")
        ref = RoleRef(int(which)) if which.isdecimal() else RoleRef(None, which)
        found = await opened.store.roles.role(owner.number, ref)
        if found is None:
            raise CommandError(f"there is no role `{which}`")
        return Caller(owner.id, owner.number, owner.app_id, found[1].id, "", Session("", role=True))
    if (key := await opened.store.keys.key(principal)) is not None:
        return Caller(key.owner.id, key.owner.number, key.owner.app_id, key.principal, key.id)
    users = [await opened.store.sub_users.named(owner.id, principal)]
    if principal.isdecimal():
        users += await opened.store.sub_users.numbered(owner.id, [int(principal)])
    number = next((user.number for user in users if user is not None), None)
    if number is None and principal == str(owner.number):
        number = owner.number
    if number is None:
        raise CommandError(f"there is no sub-user, role or access key `{principal}`")
    return Caller(owner.id, owner.number, owner.app_id, number, "")


def _in_session(caller: Caller, policy: str) -> Caller:
    try:
        accept(parse_session_policy(policy))
    except Refused as refusal:
        raise CommandError(f"the session policy is not valid: {refusal}") from None
    role = caller.kind is PrincipalKind.ROLE
    return Caller(
        caller.owner_id,
        caller.owner_number,
        caller.app_id,
        caller.principal,
        "",
        Session("", policy, role),
    )
