"""`rolecall instance`: the registered database servers."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

import typer

from rolecall.assembly import House
from rolecall.cli.context import JsonOption, find_instance, only_owner, show, with_house
from rolecall.cli.data import DataOption
from rolecall.cli.doctor import engine_findings
from rolecall.cli.records import Deed, change_house
from rolecall.cli.registration import KINDS, Address, face_of, new_faces, new_instance
from rolecall.domain.instances.channels import sslmode as default_sslmode
from rolecall.domain.instances.registry import Instance, NewInstance, moved, register
from rolecall.settings import SettingsError
from rolecall.store.instances import FaceTaken
from rolecall.values import Secret


class SslMode(StrEnum):
    DISABLE = "disable"
    PREFER = "prefer"
    REQUIRE = "require"
    VERIFY_CA = "verify-ca"
    VERIFY_FULL = "verify-full"


app = typer.Typer(help="Instances: the database servers whose accounts are controlled.", no_args_is_help=True)

SslModeOption = Annotated[
    SslMode | None,
    typer.Option(help="TLS to the server, as libpq's sslmode. Default: verify-full; on this machine prefer."),
]
SslRootCertOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Its certificate authorities, PEM. Default: the system's.")
]

_COLUMNS = ("id", "name", "engine", "address", "administrator", "region", "state", "version")


@app.command("add")
def add(
    url: Annotated[
        str,
        typer.Argument(
            help="postgresql://, mariadb:// or mysql://ADMIN@HOST:PORT (and /DATABASE for PostgreSQL)."
        ),
    ],
    password_file: Annotated[
        Path | None,
        typer.Option(
            help="File with the administrator's password. Else $ROLECALL_INSTANCE_PASSWORD, else asked."
        ),
    ] = None,
    public_id: Annotated[
        str | None,
        typer.Option("--id", help="Its id, such as postgres-5cz25tr5. Else a new one."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="A name for people.")] = None,
    region: Annotated[str | None, typer.Option(help="The region it is reported in.")] = None,
    zone: Annotated[str | None, typer.Option(help="The zone it is reported in.")] = None,
    sslmode: SslModeOption = None,
    sslrootcert: SslRootCertOption = None,
    unchecked: Annotated[
        bool, typer.Option("--unchecked", help="Register although the server can't be used now.")
    ] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register a PostgreSQL, MariaDB or MySQL server of your own."""
    parts = urlsplit(url)
    kind = KINDS.get(parts.scheme)
    if kind is None or not parts.hostname or not parts.username:
        raise SettingsError(
            f"`{parts.scheme}:...` is no URL of the form postgresql://ADMIN@HOST:PORT/DATABASE,"
            " mariadb://ADMIN@HOST:PORT or mysql://ADMIN@HOST:PORT"
        )
    address = Address(
        parts.hostname,
        parts.port or kind.port,
        unquote(parts.username),
        _password(parts.password, password_file),
        parts.path.strip("/") or kind.database,
    )
    options = {"sslmode": sslmode or default_sslmode(address.host, {})}
    if sslrootcert is not None:
        options["sslrootcert"] = str(sslrootcert.absolute())
    faces = new_faces(kind, public_id)
    face = next(iter(faces.values()))

    async def work(house: House) -> Instance:
        owner = await only_owner(house)
        new = new_instance(
            owner, kind, address, name=name or face, faces=faces, region=region, zone=zone, options=options
        )
        if not unchecked:
            await _expect_usable(house, new)
        try:
            return await register(house.store.instances, house.sealer, new)
        except FaceTaken:
            raise SettingsError(f"another instance has the id `{face}` already") from None

    told = {"administrator": address.administrator, "address": f"{address.host}:{address.port}"}
    instance = change_house(data, Deed("instance add", face, told), work)
    if as_json:
        show([_row(instance, "running", "")], as_json=True, columns=())
    else:
        print(f"{face} is registered: {instance.administrator}@{instance.host}:{instance.port}")


def _password(from_url: str | None, file: Path | None) -> Secret:
    if file is not None:
        return Secret(file.read_text("utf-8").rstrip("\r\n"))
    if from_url is not None:
        return Secret(unquote(from_url))
    if (given := os.environ.get("ROLECALL_INSTANCE_PASSWORD")) is not None:
        return Secret(given)
    return Secret(typer.prompt("Administrator's password", hide_input=True))


async def _expect_usable(house: House, new: NewInstance) -> None:
    """Refuse a server that could not be administered, and say how to mend it."""
    findings = await engine_findings(house, new)
    serious = [finding for finding in findings if not finding.well]
    if serious:
        told = "; ".join(f"{finding.what}: {finding.mend}" for finding in serious)
        raise SettingsError(f"not registered (--unchecked would): {told}")


@app.command("list")
def list_instances(data: DataOption = None, as_json: JsonOption = False) -> None:
    """List instances and how they are now."""
    show(with_house(data, _rows), as_json=as_json, columns=_COLUMNS)


async def _rows(house: House) -> list[dict[str, object]]:
    return [await _state_row(house, one) for one in await house.store.instances.instances()]


@app.command("show")
def show_instance(
    public_id: Annotated[str, typer.Argument(metavar="ID")],
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one instance. Its administrator's password is never shown."""

    async def work(house: House) -> dict[str, object]:
        return await _state_row(house, await find_instance(house, public_id))

    row = with_house(data, work)
    if as_json:
        show([row], as_json=True, columns=())
    else:
        show(
            [{"field": key, "value": value} for key, value in row.items()],
            as_json=False,
            columns=("field", "value"),
        )


async def _state_row(house: House, instance: Instance) -> dict[str, object]:
    state, facts = await house.servers.state_of(instance)
    return _row(instance, state, "" if facts is None else facts.version_text)


def _row(instance: Instance, state: str, version: str) -> dict[str, object]:
    return {
        "id": face_of(instance),
        "ids": dict(instance.faces),
        "name": instance.name,
        "engine": instance.engine,
        "address": f"{instance.host}:{instance.port}",
        "administrator": instance.administrator,
        "database": instance.database,
        "region": instance.region,
        "zone": instance.zone,
        "state": state,
        "version": version,
        "listed_callers": None if instance.listed_callers is None else list(instance.listed_callers),
        "created_at": instance.created_at,
    }


@app.command("set")
def set_instance(
    public_id: Annotated[str, typer.Argument(metavar="ID")],
    isolated: Annotated[
        bool | None, typer.Option("--isolated/--running", help="Refuse, or take, changes.")
    ] = None,
    allow: Annotated[
        list[int] | None, typer.Option(help="Only these callers (uin) may use it. May be repeated.")
    ] = None,
    allow_all: Annotated[
        bool, typer.Option("--allow-all", help="Every caller of the owner may use it.")
    ] = False,
    account_quota: Annotated[
        int | None,
        typer.Option(min=0, help="How many accounts it may have, instead of the vendor's number; 0: any."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="A new name.")] = None,
    host: Annotated[str | None, typer.Option(help="A new host.")] = None,
    port: Annotated[int | None, typer.Option(help="A new port.")] = None,
    sslmode: SslModeOption = None,
    sslrootcert: SslRootCertOption = None,
    data: DataOption = None,
) -> None:
    """Change an instance: isolate it, or say who may use it."""
    wanted: dict[str, object] = {"isolated": isolated, "name": name}
    changes = {column: value for column, value in wanted.items() if value is not None}
    if allow or allow_all:
        changes["listed_callers"] = None if allow_all else allow
    options = {
        "account_quota": None if account_quota is None else str(account_quota),
        "sslmode": sslmode,
        "sslrootcert": None if sslrootcert is None else str(sslrootcert.absolute()),
    }
    chosen = {option: value for option, value in options.items() if value is not None}
    if not changes and not chosen and host is None and port is None:
        raise SettingsError("nothing to change; `rolecall instance set --help` lists what can be")

    async def work(house: House) -> None:
        instance = await find_instance(house, public_id)
        if host is not None or port is not None:
            changes.update(moved(house.sealer, instance, host or instance.host, port or instance.port))
        if chosen:
            changes["options"] = {**instance.options, **chosen}
        await house.store.instances.change_instance(instance.id, **changes)

    told = {**changes, **chosen, "host": host, "port": port}
    if allow_all:
        told["listed_callers"] = "all"
    known = {option: value for option, value in told.items() if value is not None}
    change_house(data, Deed("instance set", public_id, known), work)
    print(f"{public_id} is changed")


@app.command("remove")
def remove(public_id: Annotated[str, typer.Argument(metavar="ID")], data: DataOption = None) -> None:
    """Forget an instance. The server and its accounts stay as they are."""

    async def work(house: House) -> None:
        instance = await find_instance(house, public_id)
        if instance.provision is not None:
            raise SettingsError(
                f"`{public_id}` is a server that Rolecall started itself; delete it as it was made: through the API"
            )
        await house.store.instances.remove_instance(instance.id)

    change_house(data, Deed("instance remove", public_id), work)
    print(f"{public_id} is forgotten; its server is as it was")
