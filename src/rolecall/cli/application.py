"""`rolecall application`: relying parties of user stores' OpenID providers, and the keys of these."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from rolecall.assembly import House
from rolecall.cli.context import JsonOption, show, with_house
from rolecall.cli.data import DataOption
from rolecall.cli.records import Deed, change_house
from rolecall.domain.directories.applications import ApplicationRefused, register
from rolecall.domain.directories.model import UserStore
from rolecall.domain.directories.provider import Application
from rolecall.settings import SettingsError
from rolecall.values import Secret

app = typer.Typer(help="Applications that users of user stores sign in to.", no_args_is_help=True)

StoreOption = Annotated[str, typer.Option("--store", metavar="ID", help="Its user store.")]

_COLUMNS = ("client_id", "name", "store", "public", "password_grant", "redirect_uris", "created_at")


@app.command("add")
def add(
    store: StoreOption,
    redirect_uri: Annotated[
        list[str],
        typer.Option("--redirect-uri", metavar="URI", help="Where codes may be sent; may be repeated."),
    ],
    name: Annotated[
        str | None, typer.Option("--name", help="What people see; default: the client id.")
    ] = None,
    logout_uri: Annotated[
        list[str] | None,
        typer.Option("--logout-uri", metavar="URI", help="Where a sign-out may lead; may be repeated."),
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="It can keep no secret: PKCE instead (mobile, browser, CLI).")
    ] = False,
    password_grant: Annotated[
        bool, typer.Option("--password-grant", help="It may send users' names and passwords for tokens.")
    ] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register an application. Its secret is shown now and never again."""

    async def work(house: House) -> dict[str, object]:
        one = await find_store(house, store)
        try:
            made, secret = await register(
                house.store.provider,
                one.id,
                name,
                redirect_uri,
                logout_uris=logout_uri or (),
                public=public,
                password_grant=password_grant,
            )
        except ApplicationRefused as trouble:
            raise SettingsError(str(trouble)) from None
        return _row(made) | _shown(secret)

    deed = Deed("application add", detail={"store": store, "password_grant": password_grant})
    made = change_house(data, deed, work, lambda made: str(made["client_id"]))
    show([made], as_json=as_json, columns=("client_id", "client_secret", "name", "store", "public"))


@app.command("list")
def list_applications(
    store: Annotated[
        str | None, typer.Option("--store", metavar="ID", help="Only this user store's.")
    ] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List applications, without their secrets."""

    async def work(house: House) -> list[dict[str, object]]:
        only = None if store is None else (await find_store(house, store)).id
        return [_row(one) for one in await house.store.provider.applications(only)]

    show(with_house(data, work), as_json=as_json, columns=_COLUMNS, empty="no applications yet")


@app.command("set")
def set_application(
    client_id: str,
    password_grant: Annotated[
        bool,
        typer.Option(
            "--password-grant/--no-password-grant",
            help="Whether it may send users' names and passwords for tokens.",
        ),
    ],
    data: DataOption = None,
) -> None:
    """Permit the password grant to an application, or take it away."""

    async def work(house: House) -> None:
        _expect(await house.store.provider.set_password_grant(client_id, allowed=password_grant), client_id)

    change_house(data, Deed("application set", client_id, {"password_grant": password_grant}), work)
    print(f"{client_id}: the password grant is {'on' if password_grant else 'off'}")


@app.command("delete")
def delete(client_id: str, data: DataOption = None) -> None:
    """Delete an application: its codes and tokens end at once."""

    async def work(house: House) -> None:
        _expect(await house.store.provider.delete_application(client_id), client_id)

    change_house(data, Deed("application delete", client_id), work)
    print(f"{client_id} is deleted")


@app.command("rotate-key")
def rotate_key(store: StoreOption, data: DataOption = None) -> None:
    """Make a new key for a user store's ID tokens; the one before is published for another day."""

    async def work(house: House) -> str:
        one = await find_store(house, store)
        return (await house.signing_keys.rotate(one.id, datetime.now(UTC))).id

    print(f"{change_house(data, Deed('application rotate-key', store), work)} signs from now on")


async def find_store(house: House, store_id: str) -> UserStore:
    try:
        found = await house.store.directories.store(UUID(hex=store_id))
    except ValueError:
        found = None
    if found is None:
        raise SettingsError(f"there is no user store `{store_id}`")
    return found


def _expect(found: bool, client_id: str) -> None:
    if not found:
        raise SettingsError(f"there is no application `{client_id}`; `rolecall application list` shows them")


def _row(application: Application) -> dict[str, object]:
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


def _shown(secret: Secret | None) -> dict[str, object]:
    return {"client_secret": None if secret is None else secret.reveal()}
