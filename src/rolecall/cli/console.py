"""`rolecall console`: a link that signs the owner in to the console once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from rolecall.cli.context import only_owner, show
from rolecall.cli.errors import CommandError
from rolecall.cli.options import DataOption, JsonOption
from rolecall.cli.records import AuditedCommand, change_store

if TYPE_CHECKING:
    from pathlib import Path

    from rolecall.cli.opening import OpenStore

app = typer.Typer(rich_markup_mode=None)


@app.command("console")
def console(
    data: DataOption = None,
    as_json: JsonOption = False,
    endpoint: Annotated[
        str,
        typer.Option(metavar="URL", help="Address of the API. Default: that of the ready file."),
    ] = "",
) -> None:
    """Print a link that signs the owner in to the console, once, within 15 minutes, on this machine."""
    from datetime import UTC, datetime

    from rolecall.domain.access.sign_in_links import SignInLinks

    address = (endpoint or _served_at(data)).rstrip("/")

    async def work(opened: OpenStore) -> str:
        links = SignInLinks(opened.store.sign_in_links)
        text = await links.create(await only_owner(opened), datetime.now(UTC))
        return link(address, text.reveal())

    row = {"link": change_store(data, AuditedCommand("console"), work, lambda _: "link")}
    if as_json:
        show([row], as_json=True, columns=("link",))
    else:
        print(row["link"])


def link(endpoint: str, text: str) -> str:
    """The address of a sign-in link."""
    return f"{endpoint}/console/link?code={text}"


def _served_at(data: Path | None) -> str:
    """The endpoint of the `rolecall up` that runs over the data directory. CommandError."""
    from rolecall.cli.data import DataDirectory, default_directory
    from rolecall.settings import load_settings

    try:
        ready = json.loads(DataDirectory(data or default_directory()).ready.read_text("utf-8"))
        return str(ready["endpoint"])
    except (OSError, ValueError, KeyError):
        if public := load_settings().public_url:
            return public
    raise CommandError("name the address where Rolecall serves: rolecall console --endpoint URL")
