"""What `rolecall up` creates in its store: the owner, a key, the quickstart instances; and the ready file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rolecall.app.application import Application
from rolecall.cli.errors import CommandError
from rolecall.cli.records import AuditedCommand, record
from rolecall.domain.access.keys import Owner
from rolecall.domain.directories import provider
from rolecall.domain.directories.applications import register as register_application
from rolecall.domain.directories.model import UserStore
from rolecall.domain.directories.stores import new_store
from rolecall.domain.instances.registry import Instance, NewInstance, moved, register
from rolecall.local.mariadb import LocalMariaDB
from rolecall.local.postgres import LocalPostgres
from rolecall.local.quickstart import LocalServers
from rolecall.server_kinds import (
    LOCAL_OPTIONS,
    MARIADB,
    POSTGRESQL,
    Address,
    ServerKind,
    face_of,
    new_faces,
    new_instance,
)
from rolecall.values import Secret

_POSTGRES = "quickstart"
_MYSQL = "quickstart-mysql"
_USER_STORE = "quickstart"
_APPLICATION = "quickstart"
_REDIRECT_URI = "http://127.0.0.1:7654/callback"
"""Of the quickstart application. This program does not listen there; a client may."""


@dataclass(frozen=True, slots=True)
class Quickstart:
    owner: Owner
    key_id: str
    secret: Secret
    postgres: Instance
    mysql: Instance | None
    user_store: UserStore
    application: provider.Application


async def prepare(opened: Application, servers: LocalServers) -> Quickstart:
    """Create what is missing, and update the instances' addresses."""
    owners = await opened.store.keys.owners()
    owner = owners[0] if owners else await _owner(opened)
    key_id, secret = await _first_key(opened, owner)
    postgres = await _instance(
        opened, owner, servers.postgres, _new(owner, POSTGRESQL, servers.postgres, _POSTGRES)
    )
    mysql = None
    if servers.mysql is not None:
        mysql = await _instance(opened, owner, servers.mysql, _new(owner, MARIADB, servers.mysql, _MYSQL))
    user_store = await _user_store(opened, owner)
    application = await _application(opened, user_store)
    return Quickstart(owner, key_id, secret, postgres, mysql, user_store, application)


async def _owner(opened: Application) -> Owner:
    return await record(
        opened, AuditedCommand("up owner"), opened.keys.create_owner(), lambda owner: str(owner.number)
    )


async def _user_store(opened: Application, owner: Owner) -> UserStore:
    """The owner's default store, else its oldest; created if it has none."""
    stores = await opened.store.directories.stores(owner.id)
    if stores:
        return next((store for store in stores if store.is_default), stores[0])
    new = new_store(owner.id, _USER_STORE, is_default=True)
    return await record(
        opened, AuditedCommand("up store", new.name), opened.store.directories.add_store(new, None)
    )


async def _application(opened: Application, store: UserStore) -> provider.Application:
    """The store's quickstart application, a public client; created if there is none."""
    repository = opened.store.provider
    for application in await repository.applications(store.id):
        if application.name == _APPLICATION:
            if not application.password_grant:
                command = AuditedCommand("up application", application.id, {"password_grant": True})
                await record(opened, command, repository.set_password_grant(application.id, allowed=True))
            return application
    registration = register_application(
        repository, store.id, _APPLICATION, [_REDIRECT_URI], public=True, password_grant=True
    )
    application, _ = await record(
        opened, AuditedCommand("up application"), registration, lambda registered: registered[0].id
    )
    return application


async def _first_key(opened: Application, owner: Owner) -> tuple[str, Secret]:
    """The owner's oldest active key; a new one if it has none."""
    for key in await opened.store.keys.keys():
        if key.active and key.principal == owner.number:
            return key.id, opened.keys.secret_of(key)
    return await record(opened, AuditedCommand("up key"), opened.keys.create(owner), lambda key: key[0])


async def _instance(
    opened: Application, owner: Owner, server: LocalPostgres | LocalMariaDB, new: NewInstance
) -> Instance:
    """The instance of that name, registered once; its address is updated, and options of a newer release are added."""
    repository = opened.store.instances
    for instance in await repository.instances(owner.id):
        if instance.name == new.name and instance.provision is None:
            changes: dict[str, object] = {}
            if (instance.host, instance.port) != (server.host, server.port):
                changes |= moved(opened.sealer, instance, server.host, server.port)
            options = {**new.options, **instance.options, "socket": new.options["socket"]}
            if options != instance.options:
                changes["options"] = options
            if not changes:
                return instance
            command = AuditedCommand(
                "up instance", face_of(instance), {"address": f"{server.host}:{server.port}"}
            )
            await record(opened, command, repository.change_instance(instance.id, **changes))
            changed = await repository.instance_by_id(instance.id)
            if changed is None:
                raise CommandError(f"the instance {new.name} was removed while starting")
            return changed
    return await record(
        opened, AuditedCommand("up instance"), register(repository, opened.sealer, new), face_of
    )


def _new(owner: Owner, kind: ServerKind, server: LocalPostgres | LocalMariaDB, name: str) -> NewInstance:
    address = Address(server.host, server.port, server.superuser, server.password, kind.database)
    options = {**LOCAL_OPTIONS.get(kind.engine, {}), "socket": str(server.sockets or "")}
    return new_instance(owner.id, kind, address, name=name, faces=new_faces(kind), options=options)


def ready_content(
    endpoint: str,
    quickstart: Quickstart,
    servers: LocalServers,
    public_url: str = "",
    extras: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """The content of the ready file; docs/configuration.md lists its keys."""
    owner, key_id, secret = quickstart.owner, quickstart.key_id, quickstart.secret.reveal()
    engines: dict[str, object] = {"postgres": _engine(servers.postgres, "postgres")}
    ready: dict[str, object] = {
        "endpoint": endpoint,
        **(extras or {}),
        "owner": {"uin": owner.number, "app_id": owner.app_id},
        "tencent": {
            "secret_id": key_id,
            "secret_key": secret,
            "region": POSTGRESQL.region,
            "postgres_instance_id": quickstart.postgres.faces["tencent"],
            "user_store_id": quickstart.user_store.id.hex,
            "oidc_issuer": f"{public_url or endpoint}/oidc/{quickstart.user_store.id.hex}",
            "oidc_client_id": quickstart.application.id,
            "oidc_redirect_uri": quickstart.application.redirect_uris[0],
        },
        "engines": engines,
    }
    if quickstart.mysql is not None and servers.mysql is not None:
        tenant = str(owner.number)
        engines["mysql"] = _engine(servers.mysql, "mysql")
        ready["aliyun"] = {
            "access_key_id": key_id,
            "access_key_secret": secret,
            "region_id": MARIADB.region,
            "instance_id": quickstart.mysql.faces["aliyun"],
        }
        ready["openstack"] = {
            "auth_url": f"{endpoint}/v3",
            "database_url": f"{endpoint}/database/v1.0/{tenant}",
            "username": key_id,
            "password": secret,
            "project_id": tenant,
            "tenant_id": tenant,
            "api_key": secret,
            "instance_id": quickstart.mysql.faces["openstack"],
        }
    return ready


def _engine(server: LocalPostgres | LocalMariaDB, database: str) -> Mapping[str, object]:
    return {
        "host": server.host,
        "port": server.port,
        "user": server.superuser,
        "password": server.password.reveal(),
        "database": database,
    }
