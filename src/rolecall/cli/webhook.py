"""`rolecall webhook`: where audit records are posted, and how far that is."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rolecall.cli.context import report, show, with_store
from rolecall.cli.errors import CommandError
from rolecall.cli.options import DataOption, FilterOption, JsonOption, LimitOption, OffsetOption
from rolecall.cli.passwords import read_secret
from rolecall.cli.printing import Paging
from rolecall.cli.records import AuditedCommand, change_store
from rolecall.values import Secret

if TYPE_CHECKING:
    from rolecall.cli.opening import OpenStore

app = typer.Typer(rich_markup_mode=None)

_COLUMNS = ("name", "origin", "paused", "position", "lag_records", "lag_seconds", "failures", "last_error")

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The webhook.")]
SecretFileOption = Annotated[
    Path | None,
    typer.Option(
        "--secret-file",
        metavar="FILE",
        help="File with the secret (whsec_ and base64); - for standard input. Default: a new one, printed once.",
        allow_dash=True,
    ),
]


@app.command("add")
def add(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Lower-case letters, digits, dots, dashes and underscores.")
    ],
    url: Annotated[
        str, typer.Argument(metavar="URL", help="Where records are posted: https://; - for standard input.")
    ],
    begin: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="WHERE",
            help="now; beginning, with the oldest record; or the position behind which to begin.",
        ),
    ] = "now",
    secret_file: SecretFileOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Post audit records to a URL. The secret that signs them is shown once, now."""
    from rolecall.domain.webhooks.model import MOST, NameTaken, TooMany
    from rolecall.domain.webhooks.targets import UrlRefused, is_name, origin_of
    from rolecall.domain.webhooks.targets import add as add_webhook

    if not is_name(name):
        raise CommandError(f"`{name}` is not a name: up to 63 of a-z, 0-9, `.`, `-` and `_`")
    if begin not in ("now", "beginning") and not _is_position(begin):
        raise CommandError("--from is now, beginning or a position of the chain")
    target = Secret(sys.stdin.readline().strip() if url == "-" else url)
    try:
        origin = origin_of(target.reveal())
    except UrlRefused as error:
        raise CommandError(str(error)) from None
    given = _given_secret(secret_file)

    async def work(opened: OpenStore) -> tuple[int, Secret]:
        position = await _position(opened, begin)
        try:
            secret = await add_webhook(
                opened.store.webhooks, opened.sealer, name, target, origin, position, given
            )
        except NameTaken:
            raise CommandError(f"there is a webhook `{name}` already") from None
        except TooMany:
            raise CommandError(f"there are {MOST} webhooks, which is the most") from None
        return position, secret

    command = AuditedCommand("webhook add", name, {"origin": origin, "from": begin})
    position, secret = change_store(data, command, work)
    shown = secret.reveal() if given is None else None
    row = {"name": name, "origin": origin, "position": position, "secret": shown}
    show([row], as_json=as_json, columns=("name", "origin", "position", "secret"))


@app.command("list")
def list_webhooks(
    limit: LimitOption = None,
    offset: OffsetOption = 0,
    contains: FilterOption = "",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List webhooks and how far they are, without secrets and paths of URLs."""

    async def work(opened: OpenStore) -> list[dict[str, object]]:
        return [dataclasses.asdict(standing) for standing in await opened.store.webhooks.standings()]

    paging = Paging(limit, offset, contains, _COLUMNS)
    show(with_store(data, work), as_json=as_json, columns=_COLUMNS, empty="no webhooks yet", paging=paging)


@app.command("remove")
def remove(name: NameArgument, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Remove a webhook. Nothing is posted to it any longer."""
    _change(
        name, AuditedCommand("webhook remove", name), data, lambda opened: opened.store.webhooks.remove(name)
    )
    report({"name": name, "done": "removed"}, f"{name} is removed", as_json=as_json)


@app.command("pause")
def pause(name: NameArgument, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Post nothing to a webhook until it is resumed. Its place is kept."""
    from rolecall.domain.webhooks.model import Pause

    _change(
        name,
        AuditedCommand("webhook pause", name),
        data,
        lambda opened: opened.store.webhooks.set_paused(name, Pause.OPERATOR),
    )
    report({"name": name, "done": "paused"}, f"{name} is paused", as_json=as_json)


@app.command("resume")
def resume(name: NameArgument, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Post to a paused webhook again, from its place on."""
    from rolecall.domain.webhooks.model import Pause

    _change(
        name,
        AuditedCommand("webhook resume", name),
        data,
        lambda opened: opened.store.webhooks.set_paused(name, Pause.NONE),
    )
    report({"name": name, "done": "resumed"}, f"{name} is resumed", as_json=as_json)


@app.command("replay")
def replay(
    name: NameArgument,
    after: Annotated[
        str,
        typer.Option(
            "--after", metavar="POSITION", help="The position behind which to begin; now; beginning."
        ),
    ],
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Post records again that were confirmed, or skip records: set the place of a webhook."""
    if after not in ("now", "beginning") and not _is_position(after):
        raise CommandError("--after is a position of the chain, now or beginning")
    found: list[int] = []

    async def work(opened: OpenStore) -> bool:
        found.append(await _position(opened, after))
        return await opened.store.webhooks.set_position(name, found[0])

    _change(name, AuditedCommand("webhook replay", name, {"after": after}), data, work)
    text = f"{name} continues behind position {found[0]}"
    report({"name": name, "position": found[0]}, text, as_json=as_json)


@app.command("rotate")
def rotate(
    name: NameArgument,
    overlap: Annotated[
        float,
        typer.Option(min=0, max=8760, metavar="HOURS", help="How long the present secret signs as well."),
    ] = 24.0,
    secret_file: SecretFileOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sign with another secret. It is shown once, now; the present one signs as well for a day."""
    from rolecall.domain.webhooks.targets import rotate as rotate_secret

    given = _given_secret(secret_file)

    async def work(opened: OpenStore) -> Secret:
        span = timedelta(hours=overlap)
        secret = await rotate_secret(opened.store.webhooks, opened.sealer, name, span, given)
        if secret is None:
            raise _missing(name)
        return secret

    secret = change_store(data, AuditedCommand("webhook rotate", name, {"overlap_hours": overlap}), work)
    row = {"name": name, "secret": secret.reveal() if given is None else None}
    show([row], as_json=as_json, columns=("name", "secret"))


def _change(
    name: str, command: AuditedCommand, data: Path | None, work: Callable[[OpenStore], Awaitable[bool]]
) -> None:
    """CommandError if there is no such webhook."""

    async def done(opened: OpenStore) -> None:
        if not await work(opened):
            raise _missing(name)

    change_store(data, command, done)


def _missing(name: str) -> CommandError:
    return CommandError(f"there is no webhook `{name}`; `rolecall webhook list` shows them")


def _is_position(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


async def _position(opened: OpenStore, text: str) -> int:
    """The position behind which a webhook begins. CommandError if the chain has not come there."""
    if text == "beginning":
        return (await opened.store.audit.checkpoint()).position
    end = await opened.store.audit.end()
    if text != "now" and int(text) > end:
        raise CommandError(f"the chain of audit records ends at position {end}")
    return end if text == "now" else int(text)


def _given_secret(file: Path | None) -> Secret | None:
    from rolecall.domain.webhooks.signatures import parse_secret

    if file is None:
        return None
    try:
        return parse_secret(read_secret(file).reveal())
    except ValueError as error:
        raise CommandError(str(error)) from None
