"""`rolecall application`: relying parties of the user stores' OpenID providers, and the signing keys of those."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from rolecall.cli.context import report, show, with_store
from rolecall.cli.errors import CommandError
from rolecall.cli.options import DataOption, FilterOption, JsonOption, LimitOption, OffsetOption
from rolecall.cli.printing import Paging
from rolecall.cli.records import AuditedCommand, change_application, change_store
from rolecall.domain.directories import provider
from rolecall.domain.directories.applications import ApplicationRefused, register
from rolecall.domain.directories.model import UserStore
from rolecall.values import Secret

if TYPE_CHECKING:
    from rolecall.app.application import Application
    from rolecall.cli.context import HasStore
    from rolecall.cli.opening import OpenStore

app = typer.Typer(rich_markup_mode=None)

StoreOption = Annotated[str, typer.Option("--store", metavar="ID", help="The user store.")]

_COLUMNS = ("client_id", "name", "store", "public", "password_grant", "redirect_uris", "created_at")


@app.command("add")
def add(
    store: StoreOption,
    redirect_uri: Annotated[
        list[str],
        typer.Option(
            "--redirect-uri", metavar="URI", help="A URI that codes may be sent to. May be repeated."
        ),
    ],
    name: Annotated[
        str | None, typer.Option("--name", help="The name that users see. Default: the client id.")
    ] = None,
    logout_uri: Annotated[
        list[str] | None,
        typer.Option(
            "--logout-uri", metavar="URI", help="A URI that a sign-out may redirect to. May be repeated."
        ),
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="It cannot keep a secret (mobile, browser, CLI) and uses PKCE.")
    ] = False,
    password_grant: Annotated[
        bool,
        typer.Option("--password-grant", help="Allow the password grant: names and passwords for tokens."),
    ] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register an application. Its secret is shown once, now."""

    async def work(opened: OpenStore) -> dict[str, object]:
        user_store = await find_store(opened, store)
        try:
            registered, secret = await register(
                opened.store.provider,
                user_store.id,
                name,
                redirect_uri,
                logout_uris=logout_uri or (),
                public=public,
                password_grant=password_grant,
            )
        except ApplicationRefused as error:
            raise CommandError(str(error)) from None
        return _row(registered) | _secret_column(secret)

    command = AuditedCommand("application add", detail={"store": store, "password_grant": password_grant})
    row = change_store(data, command, work, lambda row: str(row["client_id"]))
    show([row], as_json=as_json, columns=("client_id", "client_secret", "name", "store", "public"))


@app.command("list")
def list_applications(
    store: Annotated[
        str | None,
        typer.Option("--store", metavar="ID", help="List the applications of this user store only."),
    ] = None,
    limit: LimitOption = None,
    offset: OffsetOption = 0,
    contains: FilterOption = "",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List applications, without their secrets."""

    async def work(opened: OpenStore) -> list[dict[str, object]]:
        only = None if store is None else (await find_store(opened, store)).id
        return [_row(application) for application in await opened.store.provider.applications(only)]

    paging = Paging(limit, offset, contains, _COLUMNS)
    show(
        with_store(data, work), as_json=as_json, columns=_COLUMNS, empty="no applications yet", paging=paging
    )


@app.command("set")
def set_application(
    client_id: str,
    password_grant: Annotated[
        bool,
        typer.Option(
            "--password-grant/--no-password-grant",
            help="Whether it may exchange names and passwords for tokens.",
        ),
    ],
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Allow or forbid the password grant to an application."""

    async def work(opened: OpenStore) -> None:
        found = await opened.store.provider.set_password_grant(client_id, allowed=password_grant)
        _require_application(client_id, found=found)

    change_store(data, AuditedCommand("application set", client_id, {"password_grant": password_grant}), work)
    text = f"{client_id}: the password grant is {'on' if password_grant else 'off'}"
    report({"client_id": client_id, "password_grant": password_grant}, text, as_json=as_json)


@app.command("delete")
def delete(client_id: str, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Delete an application. Its codes and tokens become invalid at once."""

    async def work(opened: OpenStore) -> None:
        _require_application(client_id, found=await opened.store.provider.delete_application(client_id))

    change_store(data, AuditedCommand("application delete", client_id), work)
    report({"client_id": client_id, "done": "deleted"}, f"{client_id} is deleted", as_json=as_json)


@app.command("rotate-key")
def rotate_key(store: StoreOption, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Create a new signing key for the ID tokens of a user store. The previous key stays published for another day."""

    async def work(opened: Application) -> str:
        user_store = await find_store(opened, store)
        return (await opened.sign_in.keys.rotate(user_store.id, datetime.now(UTC))).id

    key_id = change_application(data, AuditedCommand("application rotate-key", store), work)
    report({"store": store, "key_id": key_id}, f"{key_id} now signs ID tokens", as_json=as_json)


async def find_store(opened: HasStore, store_id: str) -> UserStore:
    try:
        found = await opened.store.directories.store(UUID(hex=store_id))
    except ValueError:
        found = None
    if found is None:
        raise CommandError(f"there is no user store `{store_id}`")
    return found


def _require_application(client_id: str, *, found: bool) -> None:
    if not found:
        raise CommandError(f"there is no application `{client_id}`; `rolecall application list` shows them")


def _row(application: provider.Application) -> dict[str, object]:
    return {
        "client_id": application.id,
        "name": application.name,
        "store": application.store_id.hex,
        "public": application.public,
        "password_grant": application.password_grant,
        "redirect_uris": list(application.redirect_uris),
        "logout_uris": list(application.logout_uris),
        "issuer_path": f"/oidc/{application.store_id.hex}",
        "created_at": application.created_at,
    }


def _secret_column(secret: Secret | None) -> dict[str, object]:
    return {"client_secret": None if secret is None else secret.reveal()}
