"""The kinds of servers that are registered: the defaults of each, the options of its engine, and its public ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import uuid4

from rolecall.domain.engine import VerifierWrite
from rolecall.domain.instances.registry import Instance, NewInstance, new_public_id
from rolecall.values import Secret

SUPER_ROLE = "pg_tencentdb_superuser"
"""The role that every super account is a member of (vendor page of CreateAccount, parameter Type)."""

DIALECTS = ("tencent", "aliyun", "openstack")
"""In the order in which an instance's ids are shown; the first of them is its name."""


@dataclass(frozen=True, slots=True)
class ServerKind:
    """Defaults of a kind of server. `region` is that of its instances unless another is given."""

    engine: str
    port: int
    database: str
    options: Mapping[str, str]
    region: str
    zone_suffix: str


POSTGRESQL = ServerKind("postgresql", 5432, "postgres", {"super_role": SUPER_ROLE}, "ap-guangzhou", "-1")
MARIADB = ServerKind("mysql", 3306, "mysql", {"flavor": "mariadb"}, "cn-hangzhou", "-a")
MYSQL = ServerKind("mysql", 3306, "mysql", {"flavor": "mysql"}, "cn-hangzhou", "-a")

KINDS: Mapping[str, ServerKind] = {
    "postgresql": POSTGRESQL,
    "postgres": POSTGRESQL,
    "mariadb": MARIADB,
    "mysql": MYSQL,
}
"""By the scheme of a URL."""

ENGINES = ("postgresql", "mariadb", "mysql")
"""Names of the kinds."""

SSL_MODES = ("disable", "prefer", "require", "verify-ca", "verify-full")
"""Of connections to every kind of server (`rolecall.domain.instances.channels`)."""

LOCAL_OPTIONS: Mapping[str, Mapping[str, str]] = {
    "postgresql": {"sslmode": "prefer", "verifier_write": VerifierWrite.CATALOG.value}
}
"""By engine: options for servers that `rolecall up` starts itself."""


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int
    administrator: str
    password: Secret
    database: str


def new_faces(kind: ServerKind, public_id: str | None = None) -> dict[str, str]:
    """Public ids for a new instance, by dialect; `public_id` is that of its first dialect if it is given."""
    if kind.engine == "postgresql":
        return {"tencent": public_id or new_public_id("postgres-")}
    return {"aliyun": public_id or new_public_id("pd-", 14), "openstack": str(uuid4())}


def new_instance(
    owner_id: int,
    kind: ServerKind,
    address: Address,
    *,
    name: str,
    faces: Mapping[str, str],
    region: str | None = None,
    zone: str | None = None,
    options: Mapping[str, str] | None = None,
) -> NewInstance:
    placed = region or kind.region
    return NewInstance(
        owner_id=owner_id,
        engine=kind.engine,
        name=name,
        host=address.host,
        port=address.port,
        administrator=address.administrator,
        password=address.password,
        database=address.database,
        options={**kind.options, **(options or {})},
        region=placed,
        zone=zone or placed + kind.zone_suffix,
        faces=faces,
    )


def first_face(instance: Instance) -> str:
    """The first dialect in which an instance has an id. LookupError."""
    for dialect in DIALECTS:
        if dialect in instance.faces:
            return dialect
    raise LookupError(f"the instance {instance.id} has no id in a known dialect")


def face_of(instance: Instance) -> str:
    """The public id by which the command line and the console name an instance: that of its first dialect."""
    return instance.faces[first_face(instance)]
