"""`rolecall account limit` and `expire`: bounds of PostgreSQL accounts, which no vendor's API has."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from rolecall.cli.account import InstanceOption, NameArgument
from rolecall.cli.account_changes import carry_out
from rolecall.cli.context import report
from rolecall.cli.errors import CommandError
from rolecall.cli.options import DataOption, JsonOption
from rolecall.domain.engine.roles import NO_LIMIT

app = typer.Typer(rich_markup_mode=None)

_MOST = 2**31 - 1
_DURATION = re.compile(r"([0-9]{1,9})([mhdw])", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@app.command("limit")
def limit(
    name: NameArgument,
    connections: Annotated[str, typer.Argument(metavar="N|none", help="Connections; none: no limit.")],
    instance: InstanceOption,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Limit how many connections an account may have at once. Open ones stay. PostgreSQL."""
    from rolecall.domain.accounts.role_commands import ChangeConnectionLimit

    most = _limit(connections)
    face, _ = carry_out(
        data, "account limit", instance, lambda place: ChangeConnectionLimit(place, name, most)
    )
    shown = None if most == NO_LIMIT else most
    row = {"instance": face, "name": name, "done": "limited", "connection_limit": shown}
    what = "has no limit of connections" if shown is None else f"may have {shown} connections at once"
    report(row, f"{name} on {face} {what}", as_json=as_json)


@app.command("expire")
def expire(
    name: NameArgument,
    when: Annotated[
        str,
        typer.Argument(
            metavar="WHEN",
            help="never, now, a time (2027-01-31T12:00:00Z), or a duration from now (90m, 12h, 30d, 6w).",
        ),
    ],
    instance: InstanceOption,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set when an account expires. Its password does not log it in then; open sessions stay. PostgreSQL."""
    from rolecall.domain.accounts.role_commands import ChangeExpiry

    now = datetime.now(UTC)
    at = expiry(when, now)
    face, _ = carry_out(data, "account expire", instance, lambda place: ChangeExpiry(place, name, at))
    row = {"instance": face, "name": name, "done": "expiry set", "valid_until": at}
    if at is None:
        what = "never expires"
    else:
        what = f"{'has expired' if at <= now else 'expires'} at {at:%Y-%m-%d %H:%M:%S} UTC"
    report(row, f"{name} on {face} {what}", as_json=as_json)


def _limit(text: str) -> int:
    if text == "none":
        return NO_LIMIT
    if not (text.isascii() and text.isdigit()) or int(text[:12]) > _MOST:
        raise CommandError(f"`{text}` is not a number of connections from 0 to {_MOST}, or `none`")
    return int(text)


def expiry(text: str, now: datetime) -> datetime | None:
    """What a user gives as the end of an account, in UTC; None for never. Raises `CommandError`."""
    if text == "never":
        return None
    if text == "now":
        return now.replace(microsecond=0)
    wrong = CommandError(
        f"`{text}` is not a time: `never`, `now`, 2027-01-31T12:00:00Z, or a duration as 90m, 12h, 30d or 6w"
    )
    try:
        if (found := _DURATION.fullmatch(text)) is not None:
            return now.replace(microsecond=0) + timedelta(**{_UNITS[found[2]]: int(found[1])})
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            raise CommandError(f"`{text}` has no zone; end it with `Z` for UTC")
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise wrong from None
