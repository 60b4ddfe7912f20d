"""What `rolecall up` sets up in its store: the owner, its first key, the quickstart instances; and the ready file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rolecall.assembly import House
from rolecall.cli.registration import (
    MARIADB,
    POSTGRESQL,
    Address,
    ServerKind,
    new_faces,
    new_instance,
)
from rolecall.domain.instances import Instance, NewInstance, register
from rolecall.domain.keys import Owner
from rolecall.local.mariadb import LocalMariaDB
from rolecall.local.postgres import LocalPostgres
from rolecall.local.quickstart import LocalServers
from rolecall.settings import SettingsError
from rolecall.values import Secret

_POSTGRES = "quickstart"
_MYSQL = "quickstart-mysql"


@dataclass(frozen=True, slots=True)
class Quickstart:
    owner: Owner
    key_id: str
    secret: Secret
    postgres: Instance
    mysql: Instance | None


async def prepare(house: House, servers: LocalServers) -> Quickstart:
    """Make what is not there yet, and keep the instances' addresses true."""
    owners = await house.store.keys.owners()
    owner = owners[0] if owners else await house.keys.create_owner()
    key_id, secret = await _first_key(house, owner)
    postgres = await _instance(
        house, owner, servers.postgres, _new(owner, POSTGRESQL, servers.postgres, _POSTGRES)
    )
    mysql = None
    if servers.mysql is not None:
        mysql = await _instance(house, owner, servers.mysql, _new(owner, MARIADB, servers.mysql, _MYSQL))
    return Quickstart(owner, key_id, secret, postgres, mysql)


async def _first_key(house: House, owner: Owner) -> tuple[str, Secret]:
    """The owner's oldest active key; a new one if all were disabled."""
    for key in await house.store.keys.keys():
        if key.active and key.principal == owner.number:
            return key.id, house.keys.secret_of(key)
    return await house.keys.create(owner)


async def _instance(
    house: House, owner: Owner, server: LocalPostgres | LocalMariaDB, new: NewInstance
) -> Instance:
    """The instance of that name, registered once; its port is kept true."""
    book = house.store.instances
    for instance in await book.instances(owner.id):
        if instance.name == new.name:
            if (instance.host, instance.port) == (server.host, server.port):
                return instance
            await book.change_instance(instance.id, host=server.host, port=server.port)
            changed = await book.instance_by_id(instance.id)
            if changed is None:
                raise SettingsError(f"the instance {new.name} was removed while starting")
            return changed
    return await register(book, house.sealer, new)


def _new(owner: Owner, kind: ServerKind, server: LocalPostgres | LocalMariaDB, name: str) -> NewInstance:
    address = Address(server.host, server.port, server.superuser, server.password, kind.database)
    options = {"sslmode": "prefer"} if kind is POSTGRESQL else None
    return new_instance(owner, kind, address, name=name, faces=new_faces(kind), options=options)


def ready_content(endpoint: str, quickstart: Quickstart, servers: LocalServers) -> dict[str, object]:
    """The content of the ready file; docs/configuration.md tells its keys."""
    owner, key_id, secret = quickstart.owner, quickstart.key_id, quickstart.secret.reveal()
    engines: dict[str, object] = {"postgres": _engine(servers.postgres, "postgres")}
    ready: dict[str, object] = {
        "endpoint": endpoint,
        "owner": {"uin": owner.number, "app_id": owner.app_id},
        "tencent": {
            "secret_id": key_id,
            "secret_key": secret,
            "region": POSTGRESQL.region,
            "postgres_instance_id": quickstart.postgres.faces["tencent"],
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
            "database_url": f"{endpoint}/v1.0/{tenant}",
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
