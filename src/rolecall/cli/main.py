"""The program `rolecall`: its commands, one module each."""

from __future__ import annotations

import asyncio
import sys
from typing import NoReturn

import typer

from rolecall import __version__
from rolecall.cli import (
    account,
    application,
    audit,
    demo,
    doctor,
    instance,
    key,
    operation,
    policy,
    serve,
    store,
    sub_user,
    up,
    user,
)
from rolecall.cli.context import first_line
from rolecall.domain.operations.audit import ChainBroken
from rolecall.domain.reasons import OutcomeUnknown, Refused
from rolecall.domain.secrets.sealing import SealBroken
from rolecall.local.account import LocalServerError
from rolecall.settings import SettingsError
from rolecall.store.connection import LOST, SchemaMismatch

app = typer.Typer(
    name="rolecall",
    help="One self-hosted account control plane that speaks the cloud vendors' account APIs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("up")(up.up)
app.command("serve")(serve.serve)
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.add_typer(instance.app, name="instance")
app.add_typer(key.app, name="key")
app.add_typer(sub_user.app, name="sub-user")
app.add_typer(policy.app, name="policy")
app.add_typer(account.app, name="account")
app.add_typer(operation.app, name="operation")
app.add_typer(application.app, name="application")
app.add_typer(audit.app, name="audit")
app.add_typer(store.app, name="store")
app.add_typer(user.app, name="user")


@app.command("version")
def version() -> None:
    """Print the version."""
    print(__version__)


def _end(message: str) -> NoReturn:
    print(f"rolecall: {message}", file=sys.stderr)
    sys.exit(1)


def main() -> None:
    """Run the program; what a person can mend is one line on standard error and exit status 1."""
    try:
        app()
    except (SettingsError, LocalServerError, SchemaMismatch, SealBroken, ChainBroken) as error:
        _end(str(error))
    except (Refused, OutcomeUnknown) as error:
        _end(f"a database server refused, or is out of reach: {error}")
    except LOST as error:
        _end(f"the store cannot be used: {first_line(error)}")
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(130)
