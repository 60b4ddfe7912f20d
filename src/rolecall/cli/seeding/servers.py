"""Instances and accounts of a seed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import unquote, urlsplit

from rolecall.cli.errors import CommandError
from rolecall.cli.records import AuditedCommand, record
from rolecall.cli.registering import register_instance
from rolecall.cli.seeding.document import SeedAccount, SeedInstance
from rolecall.cli.seeding.plan import Apply, Context, Step
from rolecall.domain.accounts import commands
from rolecall.domain.accounts.views import AccountView
from rolecall.domain.engine import DatabaseGrant
from rolecall.domain.engine.pages import display_name
from rolecall.domain.instances.channels import sslmode
from rolecall.domain.instances.registrations import ChangeRefused, Wanted
from rolecall.domain.instances.registry import Instance, NewInstance
from rolecall.domain.messages import InstanceName
from rolecall.domain.reasons import Reason, Refused
from rolecall.server_kinds import KINDS, SSL_MODES, Address, ServerKind, face_of, new_faces, new_instance
from rolecall.values import Secret


async def plan_instances(context: Context) -> AsyncIterator[Step]:
    """Raises `CommandError`."""
    for instance in await context.opened.store.instances.instances(context.owner.id):
        context.instances.setdefault(instance.name, instance)
    seen: set[object] = set()
    for index, wanted in enumerate(context.seed.instances):
        where = f"instances[{index}]"
        context.require_new(seen, wanted.name, where)
        kind, address = _address(context, wanted, where)
        existing = context.instances.get(wanted.name)
        if existing is None:
            new = _new(context, wanted, kind, address)
            yield context.step(where, "instance", wanted.name, None, _registering(context, wanted, new))
            continue
        if (existing.engine, existing.administrator) != (kind.engine, address.administrator):
            raise context.file.error(
                f"{where}.url", "another kind of server, or administrator, is registered"
            )
        changes = _changes(wanted, address, existing)
        differs = list(changes.fields())
        yield context.step(
            where, "instance", wanted.name, differs, _changing(context, wanted.name, existing, changes)
        )


def _address(context: Context, wanted: SeedInstance, where: str) -> tuple[ServerKind, Address]:
    try:
        parts = urlsplit(wanted.url)
        given = parts.port
    except ValueError:
        raise context.file.error(f"{where}.url", "its host or port is malformed") from None
    kind = KINDS.get(parts.scheme)
    if kind is None or not parts.hostname or not parts.username or parts.password is not None:
        raise context.file.error(
            f"{where}.url",
            "it is not of the form postgresql://ADMIN@HOST:PORT/DATABASE or mariadb://ADMIN@HOST:PORT,"
            " without a password",
        )
    if wanted.generate:
        raise context.file.error(f"{where}.generate", "the server has the password already")
    if wanted.sslmode is not None and wanted.sslmode not in SSL_MODES:
        raise context.file.error(f"{where}.sslmode", f"it is not one of {', '.join(SSL_MODES)}")
    password = context.passwords.given(wanted, where, check=False) or Secret("")
    database = parts.path.strip("/") or kind.database
    return kind, Address(parts.hostname, given or kind.port, unquote(parts.username), password, database)


def _options(wanted: SeedInstance) -> dict[str, str]:
    given = {
        "sslmode": wanted.sslmode,
        "sslrootcert": wanted.sslrootcert,
        "account_quota": None if wanted.account_quota is None else str(wanted.account_quota),
    }
    return {name: value for name, value in given.items() if value is not None}


def _new(context: Context, wanted: SeedInstance, kind: ServerKind, address: Address) -> NewInstance:
    return new_instance(
        context.owner.id,
        kind,
        address,
        name=wanted.name,
        faces=new_faces(kind, wanted.id),
        region=wanted.region,
        zone=wanted.zone,
        options={"sslmode": sslmode(address.host, {}), **_options(wanted)},
    )


def _registering(context: Context, wanted: SeedInstance, new: NewInstance) -> Apply:
    async def apply() -> None:
        face = next(iter(new.faces.values()))
        registration = register_instance(context.opened, new, face, checked=not wanted.unchecked)
        command = AuditedCommand("seed instance", face, {"address": f"{new.host}:{new.port}"})
        context.instances[wanted.name] = await record(context.opened, command, registration)

    return apply


def _changes(wanted: SeedInstance, address: Address, existing: Instance) -> Wanted:
    options = {name: value for name, value in _options(wanted).items() if existing.options.get(name) != value}
    return Wanted(
        host=None if existing.host == address.host else address.host,
        port=None if existing.port == address.port else address.port,
        options=options,
    )


def _changing(context: Context, name: str, existing: Instance, changes: Wanted) -> Apply:
    async def apply() -> None:
        registrations = context.opened.instances.registrations
        command = AuditedCommand("seed instance", face_of(existing), changes.fields())
        try:
            await record(context.opened, command, registrations.change(existing, changes))
        except ChangeRefused as refused:
            raise CommandError(str(refused)) from None
        changed = await context.opened.store.instances.instance_by_id(existing.id)
        if changed is not None:
            context.instances[name] = changed

    return apply


async def plan_accounts(context: Context) -> AsyncIterator[Step]:
    """Raises `CommandError` and `Refused`."""
    planned = {instance.name for instance in context.seed.instances} - context.instances.keys()
    seen: set[object] = set()
    for index, wanted in enumerate(context.seed.accounts):
        where = f"accounts[{index}]"
        context.require_new(seen, (wanted.instance, wanted.name, wanted.host), where)
        if wanted.instance not in context.instances and wanted.instance not in planned:
            raise context.file.error(f"{where}.instance", f"there is no instance `{wanted.instance}`")
        password = _password(context, wanted, where)
        existing = None if wanted.instance in planned else await _existing(context, wanted, where)
        differs = None if existing is None else _differs(context, wanted, existing, where)
        name = f"{wanted.instance}/{display_name(wanted.name, wanted.host)}"
        yield context.step(where, "account", name, differs, _applying(context, wanted, password, existing))


def _password(context: Context, wanted: SeedAccount, where: str) -> Secret | None:
    if wanted.managed:
        if wanted.sources():
            raise context.file.error(where, f"`managed` makes the password; omit {wanted.sources()[0]}")
        return None
    return context.passwords.given(wanted, where)


async def _existing(context: Context, wanted: SeedAccount, where: str) -> AccountView | None:
    place = _place(context, wanted)
    try:
        found = await context.execute(commands.ShowAccount(place, wanted.name, wanted.host))
    except Refused as refused:
        if refused.reason is not Reason.ACCOUNT_MISSING:
            raise
        engine = (
            await context.opened.instances.resolver.connect_instance(context.instances[wanted.instance])
        ).engine
        try:
            engine.require_new_name(wanted.name)
        except Refused:
            raise context.file.error(
                f"{where}.name", "the server cannot have an account of that name"
            ) from None
        return None
    if found.standing == "protected":
        raise context.file.error(where, f"`{wanted.name}` has more rights than a tenant may have")
    return None if found.standing == "failed" else found


def _differs(context: Context, wanted: SeedAccount, existing: AccountView, where: str) -> list[str]:
    if wanted.kind is not existing.kind:
        raise context.file.error(f"{where}.kind", f"the account is {existing.kind.value}, and stays so")
    grants = {grant.database: grant.access for grant in existing.grants}
    differences = {
        "remark": wanted.remark != existing.remark,
        "locked": wanted.locked != existing.locked,
        "grants": any(grants.get(database) is not access for database, access in wanted.grants.items()),
    }
    return [name for name, differ in differences.items() if differ]


def _applying(
    context: Context, wanted: SeedAccount, password: Secret | None, existing: AccountView | None
) -> Apply:
    grants = tuple(DatabaseGrant(database, access) for database, access in wanted.grants.items())

    async def create(place: InstanceName) -> None:
        given = password
        if given is None and not wanted.managed:
            given = context.passwords.made(
                f"accounts/{wanted.instance}/{display_name(wanted.name, wanted.host)}"
            )
        await context.execute(
            commands.CreateAccount(
                place, wanted.name, wanted.kind, given, wanted.remark, wanted.managed, wanted.host, grants
            )
        )

    async def apply() -> None:
        place, name, host = _place(context, wanted), wanted.name, wanted.host
        if existing is None:
            await create(place)
        else:
            if wanted.remark != existing.remark:
                await context.execute(commands.ChangeRemark(place, name, wanted.remark, host))
            if set(grants) - set(existing.grants):
                await context.execute(commands.ChangeGrants(place, name, host, grants))
        is_locked = existing is not None and existing.locked
        if wanted.locked and not is_locked:
            await context.execute(commands.LockAccount(place, name, host))
        elif is_locked and not wanted.locked:
            await context.execute(commands.UnlockAccount(place, name, host))

    return apply


def _place(context: Context, wanted: SeedAccount) -> InstanceName:
    dialect, public_id = next(iter(context.instances[wanted.instance].faces.items()))
    return InstanceName(dialect, public_id)
