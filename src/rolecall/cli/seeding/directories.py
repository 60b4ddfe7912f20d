"""User stores with their groups, users, and applications of a seed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from uuid import UUID

from rolecall.cli.records import AuditedCommand, record
from rolecall.cli.seeding.document import SeedApplication, SeedUser, SeedUserStore
from rolecall.cli.seeding.plan import Apply, Context, Step
from rolecall.domain.directories import applications, commands, provider
from rolecall.domain.directories.attributes import is_mail, is_phone, is_text, is_user_name
from rolecall.domain.directories.commands import Attributes
from rolecall.domain.directories.model import UserStore
from rolecall.domain.directories.queries import Condition, Operator, UserField
from rolecall.domain.directories.views import UserView
from rolecall.values import Secret

_ALL = 1_000_000
"""A limit above every quota."""

_NAMES = 200
"""Names that one query looks for."""


async def plan_stores(context: Context) -> AsyncIterator[Step]:
    """Raises `CommandError`."""
    there = {store.name: store for store in await context.execute(commands.ListUserStores())}
    context.stores |= {name: store.id for name, store in there.items()}
    seen: set[object] = set()
    for index, wanted in enumerate(context.seed.user_stores):
        where = f"user_stores[{index}]"
        context.require_new(seen, wanted.name, where)
        if not is_text(wanted.name):
            raise context.file.error(f"{where}.name", "it has characters that show nothing")
        existing = there.get(wanted.name)
        groups, differs = list(wanted.groups), None
        if existing is not None:
            await _learn_groups(context, existing)
            groups = [name for name in wanted.groups if (wanted.name, name) not in context.user_groups]
            differences = {
                "description": existing.description != wanted.description,
                "groups": bool(groups),
            }
            differs = [name for name, differ in differences.items() if differ]
        yield context.step(
            where, "user store", wanted.name, differs, _store(context, wanted, existing, groups)
        )


async def _learn_groups(context: Context, store: UserStore) -> None:
    found = await context.execute(commands.ListUserGroups(store.id, (), None, 0, _ALL))
    context.user_groups |= {(store.name, group.name): group.id for group in found.items}


def _store(
    context: Context, wanted: SeedUserStore, existing: UserStore | None, groups: Sequence[str]
) -> Apply:
    async def apply() -> None:
        if existing is None:
            made = await context.execute(commands.CreateUserStore(wanted.name, wanted.description, ""))
            context.stores[wanted.name] = made.id
        elif existing.description != wanted.description:
            await context.execute(commands.ChangeUserStore(existing.id, None, wanted.description, None))
        for name in groups:
            group = await context.execute(commands.CreateUserGroup(context.stores[wanted.name], name, ""))
            context.user_groups[wanted.name, name] = group.id

    return apply


async def plan_users(context: Context) -> AsyncIterator[Step]:
    """Raises `CommandError`."""
    listed = {
        (store.name, group) for store in context.seed.user_stores for group in store.groups
    } | context.user_groups.keys()
    there = await _users_there(context)
    seen: set[object] = set()
    for index, wanted in enumerate(context.seed.users):
        where = f"users[{index}]"
        context.require_new(seen, (wanted.store, wanted.name), where)
        _require_store(context, wanted.store, where)
        _require_attributes(context, wanted, where)
        for position, group in enumerate(wanted.groups):
            if (wanted.store, group) not in listed:
                raise context.file.error(f"{where}.groups[{position}]", f"the store has no group `{group}`")
        password = context.passwords.given(wanted, where)
        existing = there.get((wanted.store, wanted.name))
        differs = None if existing is None else _differs(wanted, existing)
        name = f"{wanted.store}/{wanted.name}"
        yield context.step(where, "user", name, differs, _user(context, wanted, password, existing))


def _require_store(context: Context, store: str, where: str) -> None:
    if store not in context.stores and store not in {each.name for each in context.seed.user_stores}:
        raise context.file.error(f"{where}.store", f"there is no user store `{store}`")


def _require_attributes(context: Context, wanted: SeedUser, where: str) -> None:
    checks = {
        "name": is_user_name(wanted.name),
        "phone": wanted.phone is None or is_phone(wanted.phone),
        "email": wanted.email is None or is_mail(wanted.email),
        "nickname": wanted.nickname is None or is_text(wanted.nickname),
    }
    for key, holds in checks.items():
        if not holds:
            raise context.file.error(f"{where}.{key}", f"it is not a valid {key}")


async def _users_there(context: Context) -> Mapping[tuple[str, str], UserView]:
    """The users of the file that exist, by store and name; a query for every so many names."""
    there: dict[tuple[str, str], UserView] = {}
    for store in {user.store for user in context.seed.users} & context.stores.keys():
        names = [user.name for user in context.seed.users if user.store == store]
        for begin in range(0, len(names), _NAMES):
            condition = Condition(UserField.NAME, Operator.EQUAL, tuple(names[begin : begin + _NAMES]))
            query = commands.FindUsers(context.stores[store], (condition,), None, 0, _NAMES)
            for view in (await context.execute(query)).items:
                there[store, view.user.name or ""] = view
    return there


def _differs(wanted: SeedUser, existing: UserView) -> list[str]:
    """What the file does not give, a user keeps."""
    user = existing.user
    differences = {
        "phone": wanted.phone not in (None, user.phone),
        "email": wanted.email not in (None, user.email),
        "nickname": wanted.nickname not in (None, user.nickname),
        "groups": not set(wanted.groups) <= set(existing.group_names),
    }
    return [name for name, differ in differences.items() if differ]


def _user(context: Context, wanted: SeedUser, password: Secret | None, existing: UserView | None) -> Apply:
    async def apply() -> None:
        store = context.stores[wanted.store]
        joined = [context.user_groups[wanted.store, name] for name in wanted.groups]
        kept: Sequence[UUID] = () if existing is None else existing.user.groups
        groups = tuple(dict.fromkeys((*kept, *joined))) if wanted.groups else None
        attributes = Attributes(
            None if existing is not None else wanted.name,
            wanted.phone,
            wanted.email,
            wanted.nickname,
            groups=groups,
        )
        if existing is not None:
            await context.execute(commands.ChangeUser(store, existing.user.id, attributes))
            return
        given = password or context.passwords.made(f"users/{wanted.store}/{wanted.name}")
        await context.execute(commands.CreateUser(store, attributes, given))

    return apply


async def plan_applications(context: Context) -> AsyncIterator[Step]:
    """Raises `CommandError`."""
    repository = context.opened.store.provider
    there: dict[tuple[str, str], provider.Application] = {}
    for name in {wanted.store for wanted in context.seed.applications} & context.stores.keys():
        for application in await repository.applications(context.stores[name]):
            there[name, application.name] = application
    seen: set[object] = set()
    for index, wanted in enumerate(context.seed.applications):
        where, key = f"applications[{index}]", (wanted.store, wanted.name)
        context.require_new(seen, key, where)
        _require_store(context, wanted.store, where)
        try:
            applications.check(wanted.name, wanted.redirect_uris, wanted.logout_uris)
        except applications.ApplicationRefused as refused:
            raise context.file.error(where, str(refused)) from None
        existing = there.get(key)
        differs = None
        if existing is not None:
            _require_same(context, wanted, existing, where)
            differs = ["password_grant"] if existing.password_grant != wanted.password_grant else []
        apply = _application(context, wanted, existing)
        yield context.step(where, "application", "/".join(key), differs, apply)


def _require_same(
    context: Context, wanted: SeedApplication, existing: provider.Application, where: str
) -> None:
    """What an application has from its registration on."""
    same = {
        "redirect_uris": set(wanted.redirect_uris) == set(existing.redirect_uris),
        "logout_uris": set(wanted.logout_uris) == set(existing.logout_uris),
        "public": wanted.public == existing.public,
    }
    for key, holds in same.items():
        if not holds:
            raise context.file.error(
                f"{where}.{key}",
                f"the application is registered otherwise; `rolecall application delete {existing.id}` first",
            )


def _application(context: Context, wanted: SeedApplication, existing: provider.Application | None) -> Apply:
    async def apply() -> None:
        repository = context.opened.store.provider
        if existing is not None:
            command = AuditedCommand(
                "seed application", existing.id, {"password_grant": wanted.password_grant}
            )
            change = repository.set_password_grant(existing.id, allowed=wanted.password_grant)
            await record(context.opened, command, change)
            return
        registration = applications.register(
            repository,
            context.stores[wanted.store],
            wanted.name,
            wanted.redirect_uris,
            logout_uris=wanted.logout_uris,
            public=wanted.public,
            password_grant=wanted.password_grant,
        )
        made, secret = await record(
            context.opened, AuditedCommand("seed application"), registration, lambda found: found[0].id
        )
        if secret is not None:
            kept = f"applications/{wanted.store}/{wanted.name}"
            context.passwords.secrets.keep(kept, client_id=made.id, client_secret=secret)

    return apply
