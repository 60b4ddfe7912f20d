"""Tags, policies, groups, roles and sub-users of a seed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from rolecall.cli.seeding.document import SeedRole, SeedSubUser
from rolecall.cli.seeding.plan import Apply, Context, Step
from rolecall.domain.iam import commands, policy_commands, role_commands, tag_commands
from rolecall.domain.iam.commands import Membership, SubUserRef
from rolecall.domain.iam.model import Role, SubUser
from rolecall.domain.iam.policy_commands import Bearer, BearerRef, PolicyRef
from rolecall.domain.iam.role_commands import RoleRef
from rolecall.domain.iam.tags import policy_tags, role_tags
from rolecall.domain.policy.language import Document, accept, parse_policy, parse_trust
from rolecall.domain.policy.model import Policy
from rolecall.domain.reasons import Refused
from rolecall.values import Secret

_ALL = 1_000_000
"""A limit above every quota."""


async def plan_tags(context: Context) -> AsyncIterator[Step]:
    """Pairs that are known, on a resource or not. Raises `CommandError`."""
    seen: set[object] = set()
    for index, wanted in enumerate(context.seed.tags):
        where, pair = f"tags[{index}]", (wanted.key, wanted.value)
        context.require_new(seen, pair, where)
        known = await context.execute(tag_commands.PagePairs(None, 0, 1, pair))

        async def apply(pair: tuple[str, str] = pair) -> None:
            await context.execute(tag_commands.CreatePairs((pair,)))

        yield context.step(where, "tag", f"{wanted.key}={wanted.value}", [] if known.total else None, apply)


async def plan_policies(context: Context) -> AsyncIterator[Step]:
    """Raises `CommandError`."""
    own = {policy.name: policy for policy in await context.opened.store.policies.policies(context.owner.id)}
    context.policies |= {policy.name: policy.id for policy in (*context.opened.presets.all, *own.values())}
    seen: set[object] = set()
    for index, wanted in enumerate(context.seed.policies):
        where = f"policies[{index}]"
        context.require_new(seen, wanted.name, where)
        if context.opened.presets.by_name(wanted.name) is not None:
            raise context.file.error(f"{where}.name", "a preset policy has that name")
        document = _document(
            context,
            where,
            ("document", wanted.document),
            ("document_file", wanted.document_file),
            parse_policy,
        )
        existing = own.get(wanted.name)
        differs, tags = None, dict(wanted.tags)
        if existing is not None:
            tags = await _missing_tags(context, policy_tags(existing.id), wanted.tags)
            differences = {
                "description": existing.description != wanted.description,
                "document": json.loads(existing.document) != json.loads(document),
                "tags": bool(tags),
            }
            differs = [name for name, differ in differences.items() if differ]
        apply = _policy(context, wanted.name, wanted.description, document, existing, tags)
        yield context.step(where, "policy", wanted.name, differs, apply)


def _policy(
    context: Context,
    name: str,
    description: str,
    document: str,
    existing: Policy | None,
    tags: Mapping[str, str],
) -> Apply:
    async def apply() -> None:
        if existing is None:
            new = policy_commands.CreatePolicy(name, document, description, tuple(tags.items()))
            context.policies[name] = await context.execute(new)
            return
        if existing.description != description or json.loads(existing.document) != json.loads(document):
            change = policy_commands.ChangePolicy(
                PolicyRef(existing.id), description=description, document=document
            )
            await context.execute(change)
        if tags:
            place = policy_tags(existing.id)
            await context.execute(tag_commands.ChangeTags((place,), tuple(tags.items())))

    return apply


async def plan_groups(context: Context) -> AsyncIterator[Step]:
    """Raises `CommandError`."""
    there = {group.name: group for group in (await context.execute(commands.PageGroups(0, _ALL))).items}
    context.groups |= {name: group.id for name, group in there.items()}
    seen: set[object] = set()
    for index, wanted in enumerate(context.seed.groups):
        where = f"groups[{index}]"
        context.require_new(seen, wanted.name, where)
        existing = there.get(wanted.name)
        bearer = None if existing is None else BearerRef(Bearer.GROUP, existing.id)
        attached = await _policies_to_attach(context, where, wanted.policies, bearer)
        differs = None
        if existing is not None:
            differences = {"remark": existing.remark != wanted.remark, "policies": bool(attached)}
            differs = [name for name, differ in differences.items() if differ]

        async def apply(
            name: str = wanted.name, remark: str = wanted.remark, attached: Sequence[str] = attached
        ) -> None:
            if name not in context.groups:
                context.groups[name] = await context.execute(commands.AddGroup(name, remark))
            else:
                await context.execute(commands.ChangeGroup(context.groups[name], remark=remark))
            await _attach(context, attached, BearerRef(Bearer.GROUP, context.groups[name]))

        yield context.step(where, "group", wanted.name, differs, apply)


async def plan_roles(context: Context) -> AsyncIterator[Step]:
    """Raises `CommandError`."""
    there = {role.name: role for role in (await context.execute(role_commands.PageRoles(0, _ALL))).items}
    seen: set[object] = set()
    for index, wanted in enumerate(context.seed.roles):
        where = f"roles[{index}]"
        context.require_new(seen, wanted.name, where)
        trust = _document(
            context, where, ("trust", wanted.trust), ("trust_file", wanted.trust_file), parse_trust
        )
        existing = there.get(wanted.name)
        bearer = None if existing is None else BearerRef(Bearer.ROLE, existing.id)
        attached = await _policies_to_attach(context, where, wanted.policies, bearer)
        tags, differs = dict(wanted.tags), None
        if existing is not None:
            tags = await _missing_tags(context, role_tags(existing.id), wanted.tags)
            differences = {
                "description": existing.description != wanted.description,
                "trust": json.loads(existing.trust) != json.loads(trust),
                "session_seconds": wanted.session_seconds not in (0, existing.session_seconds),
                "console_login": existing.console_login != wanted.console_login,
                "policies": bool(attached),
                "tags": bool(tags),
            }
            differs = [name for name, differ in differences.items() if differ]
        apply = _role(context, wanted, trust, existing, attached, tags)
        yield context.step(where, "role", wanted.name, differs, apply)


def _role(
    context: Context,
    wanted: SeedRole,
    trust: str,
    existing: Role | None,
    attached: Sequence[str],
    tags: Mapping[str, str],
) -> Apply:
    async def apply() -> None:
        pairs = tuple(tags.items())
        if existing is None:
            number = await context.execute(
                role_commands.CreateRole(
                    wanted.name,
                    trust,
                    wanted.description,
                    wanted.console_login,
                    wanted.session_seconds,
                    pairs,
                )
            )
        else:
            number = existing.id
            await context.execute(
                role_commands.ChangeRole(
                    RoleRef(number),
                    trust,
                    wanted.description,
                    wanted.console_login,
                    wanted.session_seconds or None,
                )
            )
            if pairs:
                await context.execute(role_commands.TagRole(RoleRef(number), pairs))
        await _attach(context, attached, BearerRef(Bearer.ROLE, number))

    return apply


async def plan_sub_users(context: Context) -> AsyncIterator[Step]:
    """Raises `CommandError`."""
    groups = {group.name for group in context.seed.groups} | context.groups.keys()
    seen: set[object] = set()
    for index, wanted in enumerate(context.seed.sub_users):
        where = f"sub_users[{index}]"
        context.require_new(seen, wanted.name, where)
        password = _password(context, wanted, where)
        for position, group in enumerate(wanted.groups):
            if group not in groups:
                raise context.file.error(f"{where}.groups[{position}]", f"there is no group `{group}`")
        existing = await context.opened.store.sub_users.named(context.owner.id, wanted.name)
        bearer = None if existing is None else BearerRef(Bearer.SUB_USER, existing.number)
        attached = await _policies_to_attach(context, where, wanted.policies, bearer)
        joined, needs_key, differs = list(wanted.groups), wanted.key, None
        if existing is not None:
            member = await context.execute(commands.PageGroupsOf(SubUserRef(existing.number), 0, _ALL))
            joined = [name for name in wanted.groups if name not in {group.name for group in member.items}]
            needs_key = wanted.key and not await context.execute(commands.ListKeys(existing.number))
            differences = {
                "remark": existing.remark != wanted.remark,
                "console_login": existing.console_login != wanted.console_login,
                "groups": bool(joined),
                "policies": bool(attached),
                "key": needs_key,
            }
            differs = [name for name, differ in differences.items() if differ]
        apply = _sub_user(context, wanted, password, existing, joined, attached, needs_key=needs_key)
        yield context.step(where, "sub-user", wanted.name, differs, apply)


def _password(context: Context, wanted: SeedSubUser, where: str) -> Secret | None:
    if wanted.console_login:
        return context.passwords.given(wanted, where)
    if wanted.sources():
        raise context.file.error(
            f"{where}.{wanted.sources()[0]}", "it has no password without `console_login`"
        )
    return None


def _sub_user(
    context: Context,
    wanted: SeedSubUser,
    password: Secret | None,
    existing: SubUser | None,
    joined: Sequence[str],
    attached: Sequence[str],
    *,
    needs_key: bool,
) -> Apply:
    kept = f"sub_users/{wanted.name}"

    async def number() -> int:
        gets_password = wanted.console_login and (existing is None or not existing.console_login)
        new = (password or context.passwords.made(kept)) if gets_password else None
        if existing is None:
            add = commands.AddSubUser(
                wanted.name, wanted.remark, console_login=wanted.console_login, password=new
            )
            return (await context.execute(add)).user.number
        change = commands.ChangeSubUser(
            wanted.name, wanted.remark, console_login=wanted.console_login, password=new
        )
        await context.execute(change)
        return existing.number

    async def apply() -> None:
        principal = await number()
        if joined:
            memberships = tuple(Membership(context.groups[name], SubUserRef(principal)) for name in joined)
            await context.execute(commands.JoinGroups(memberships))
        await _attach(context, attached, BearerRef(Bearer.SUB_USER, principal))
        if needs_key:
            key = await context.execute(commands.CreateKey(principal))
            context.passwords.secrets.keep(kept, secret_id=key.id, secret_key=key.secret)

    return apply


async def _policies_to_attach(
    context: Context, where: str, wanted: Sequence[str], bearer: BearerRef | None
) -> list[str]:
    """Those that the bearer does not have. Raises `CommandError` for a policy that is neither there nor listed."""
    known = context.policies.keys() | {policy.name for policy in context.seed.policies}
    for position, name in enumerate(wanted):
        if name not in known:
            raise context.file.error(f"{where}.policies[{position}]", f"there is no policy `{name}`")
    if bearer is None:
        return list(wanted)
    attached = await context.execute(policy_commands.PageAttached(bearer, 0, _ALL))
    held = {each.policy.name for each in attached.items}
    return [name for name in wanted if name not in held]


async def _attach(context: Context, names: Sequence[str], bearer: BearerRef) -> None:
    for name in names:
        policy = PolicyRef(context.policies[name])
        await context.execute(policy_commands.AttachPolicy(policy, bearer))


async def _missing_tags(
    context: Context, place: tag_commands.TagPlace, wanted: Mapping[str, str]
) -> dict[str, str]:
    """Those that the resource does not have, or has with another value."""
    if not wanted:
        return {}
    query = tag_commands.TagQuery(places=(place,))
    there = {
        tag.key: tag.value for tag in (await context.execute(tag_commands.PageTags(query, 0, _ALL))).items
    }
    return {key: value for key, value in wanted.items() if there.get(key) != value}


def _document(
    context: Context,
    where: str,
    inline: tuple[str, Mapping[str, object] | str | None],
    file: tuple[str, str | None],
    parse: Callable[[str], Document],
) -> str:
    """The text of a policy document, given as a table, as a text or in a file, of which each has a key.

    Raises `CommandError`.
    """
    key, content = inline
    if (content is None) == (file[1] is None):
        raise context.file.error(where, f"give one of {key} and {file[0]}")
    if file[1] is not None:
        key = file[0]
        try:
            content = context.file.beside(file[1]).read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            raise context.file.error(f"{where}.{key}", f"cannot read {file[1]}") from None
    text = content if isinstance(content, str) else json.dumps(content)
    try:
        accept(parse(text))
    except Refused as refused:
        raise context.file.error(f"{where}.{key}", f"it is not a valid document: {refused}") from None
    return text
