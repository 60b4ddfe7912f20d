"""`rolecall instance`: the registered database servers."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import SplitResult, unquote, urlsplit

import typer

from rolecall.cli.context import find_instance, only_owner, report, show, with_servers
from rolecall.cli.errors import CommandError
from rolecall.cli.options import DataOption, FilterOption, JsonOption, LimitOption, OffsetOption
from rolecall.cli.passwords import read_secret
from rolecall.cli.printing import Paging
from rolecall.cli.records import AuditedCommand, change_application, change_store
from rolecall.domain.engine import VerifierWrite
from rolecall.domain.instances.channels import sslmode as default_sslmode
from rolecall.domain.instances.registry import Instance
from rolecall.server_kinds import KINDS, Address, face_of, new_faces, new_instance
from rolecall.values import Secret

if TYPE_CHECKING:
    from rolecall.app.application import Application
    from rolecall.cli.opening import OpenStore
    from rolecall.cli.servers import OpenServers


class SslMode(StrEnum):
    DISABLE = "disable"
    PREFER = "prefer"
    REQUIRE = "require"
    VERIFY_CA = "verify-ca"
    VERIFY_FULL = "verify-full"


app = typer.Typer(rich_markup_mode=None)

SslModeOption = Annotated[
    SslMode | None,
    typer.Option(help="TLS to the server, as libpq's sslmode. Default: verify-full; prefer on this machine."),
]
SslRootCertOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Certificate authorities of the server, PEM. Default: the system's."),
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
            help="File with the administrator's password. Default: $ROLECALL_INSTANCE_PASSWORD, else a prompt."
        ),
    ] = None,
    public_id: Annotated[
        str | None,
        typer.Option("--id", help="The id of the instance, such as postgres-5cz25tr5. Default: a new id."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="The name of the instance.")] = None,
    region: Annotated[str | None, typer.Option(help="The region that the API reports.")] = None,
    zone: Annotated[str | None, typer.Option(help="The zone that the API reports.")] = None,
    sslmode: SslModeOption = None,
    sslrootcert: SslRootCertOption = None,
    unchecked: Annotated[
        bool, typer.Option("--unchecked", help="Register the server without connecting to it.")
    ] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register a PostgreSQL, MariaDB or MySQL server of your own."""
    from rolecall.cli.registering import register_instance

    parts, port = _split(url)
    kind = KINDS.get(parts.scheme)
    if kind is None or not parts.hostname or not parts.username:
        raise CommandError(
            f"`{parts.scheme}:...` is not a URL of the form postgresql://ADMIN@HOST:PORT/DATABASE,"
            " mariadb://ADMIN@HOST:PORT or mysql://ADMIN@HOST:PORT"
        )
    address = Address(
        parts.hostname,
        port or kind.port,
        unquote(parts.username),
        _password(parts.password, password_file),
        parts.path.strip("/") or kind.database,
    )
    options = {"sslmode": sslmode or default_sslmode(address.host, {})}
    if sslrootcert is not None:
        options["sslrootcert"] = str(sslrootcert.absolute())
    faces = new_faces(kind, public_id)
    face = next(iter(faces.values()))

    async def work(opened: Application) -> Instance:
        new = new_instance(
            (await only_owner(opened)).id,
            kind,
            address,
            name=name or face,
            faces=faces,
            region=region,
            zone=zone,
            options=options,
        )
        return await register_instance(opened, new, face, checked=not unchecked)

    detail = {"administrator": address.administrator, "address": f"{address.host}:{address.port}"}
    instance = change_application(data, AuditedCommand("instance add", face, detail), work)
    if as_json:
        show([_row(instance, "running", "")], as_json=True, columns=())
    else:
        print(f"{face} is registered: {instance.administrator}@{instance.host}:{instance.port}")


def _split(url: str) -> tuple[SplitResult, int | None]:
    """The parts of a URL, with its port. Raises `CommandError`, whose text holds no password of the URL."""
    try:
        parts = urlsplit(url)
        return parts, parts.port
    except ValueError:
        raise CommandError("the URL's host or port is malformed") from None


def _password(from_url: str | None, file: Path | None) -> Secret:
    if file is not None:
        return read_secret(file)
    if from_url is not None:
        return Secret(unquote(from_url))
    if (given := os.environ.get("ROLECALL_INSTANCE_PASSWORD")) is not None:
        return Secret(given)
    return Secret(typer.prompt("Administrator's password", hide_input=True))


@app.command("list")
def list_instances(
    limit: LimitOption = None,
    offset: OffsetOption = 0,
    contains: FilterOption = "",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List instances and their present states."""
    paging = Paging(limit, offset, contains, _COLUMNS)
    show(with_servers(data, _rows), as_json=as_json, columns=_COLUMNS, paging=paging)


async def _rows(opened: OpenServers) -> list[dict[str, object]]:
    return [await _state_row(opened, instance) for instance in await opened.store.instances.instances()]


@app.command("show")
def show_instance(
    public_id: Annotated[str, typer.Argument(metavar="ID")],
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show an instance, without its administrator's password."""

    async def work(opened: OpenServers) -> dict[str, object]:
        return await _state_row(opened, await find_instance(opened, public_id))

    row = with_servers(data, work)
    if as_json:
        show([row], as_json=True, columns=())
    else:
        show(
            [{"field": key, "value": value} for key, value in row.items()],
            as_json=False,
            columns=("field", "value"),
        )


async def _state_row(opened: OpenServers, instance: Instance) -> dict[str, object]:
    state, facts = await opened.instances.servers.state_of(instance)
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
        "verifier_write": instance.options.get("verifier_write", VerifierWrite.STATEMENT)
        if instance.engine == "postgresql"
        else None,
        "listed_callers": None if instance.listed_callers is None else list(instance.listed_callers),
        "created_at": instance.created_at,
    }


@app.command("set")
def set_instance(
    public_id: Annotated[str, typer.Argument(metavar="ID")],
    isolated: Annotated[
        bool | None, typer.Option("--isolated/--running", help="Refuse or accept calls that need the server.")
    ] = None,
    allow: Annotated[
        list[int] | None, typer.Option(help="Only these callers (uin) may use it. May be repeated.")
    ] = None,
    allow_all: Annotated[
        bool, typer.Option("--allow-all", help="Every caller of the owner may use it.")
    ] = False,
    account_quota: Annotated[
        int | None,
        typer.Option(
            min=0, max=999_999_999, help="The quota of accounts, in place of the vendor's; 0: no limit."
        ),
    ] = None,
    verifier_write: Annotated[
        VerifierWrite | None,
        typer.Option(
            help="PostgreSQL: how verifiers are stored. catalog skips password checks and role audits."
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="A new name.")] = None,
    host: Annotated[str | None, typer.Option(help="A new host.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="A new port.")] = None,
    sslmode: SslModeOption = None,
    sslrootcert: SslRootCertOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change an instance: its state, callers, quota, name or address."""
    from rolecall.cli.registering import change_instance
    from rolecall.domain.instances.registrations import Wanted

    options = {
        "account_quota": None if account_quota is None else str(account_quota),
        "verifier_write": verifier_write,
        "sslmode": sslmode,
        "sslrootcert": None if sslrootcert is None else str(sslrootcert.absolute()),
    }
    chosen = {option: str(value) for option, value in options.items() if value is not None}
    callers = tuple(allow) if allow and not allow_all else None
    wanted = Wanted(name, isolated, callers, allow_all, host, port, chosen)
    if wanted == Wanted():
        raise CommandError("nothing to change; `rolecall instance set --help` lists what can be")

    async def work(opened: OpenStore) -> None:
        await change_instance(opened, await find_instance(opened, public_id), wanted)

    change_store(data, AuditedCommand("instance set", public_id, wanted.fields()), work)
    report(
        {"id": public_id, "done": "changed", **wanted.fields()}, f"{public_id} is changed", as_json=as_json
    )


@app.command("remove")
def remove(
    public_id: Annotated[str, typer.Argument(metavar="ID")],
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Unregister an instance. The server and its accounts are not changed."""

    from rolecall.cli.registering import remove_instance

    async def work(opened: OpenStore) -> None:
        await remove_instance(opened, await find_instance(opened, public_id))

    change_store(data, AuditedCommand("instance remove", public_id), work)
    row = {"id": public_id, "done": "unregistered"}
    report(row, f"{public_id} is unregistered; its server is unchanged", as_json=as_json)
