"""The commands of `rolecall`, and the module that has each: it is imported when the command is run or asked about.

Names and summaries stand here, so that `rolecall --help`, the help of a group and completion import no command.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

GROUPS: Mapping[str, str] = {
    "instance": "Instances: the database servers whose accounts Rolecall controls.",
    "key": "Access keys, which sign calls.",
    "sub-user": "Sub-users: people and machines that act for the owner.",
    "policy": "Policies: who may do what, and why.",
    "account": "Database accounts.",
    "membership": "Memberships of PostgreSQL accounts in roles.",
    "defaults": "Default privileges: what accounts may do with objects that others create later (PostgreSQL).",
    "public": "What every account may do on a database (PostgreSQL).",
    "fault": "Faults on request, to test how clients take errors.",
    "operation": "Operations: every change, who asked for it, and its outcome.",
    "application": "Applications that users of user stores sign in to.",
    "audit": "The audit trail: every change, denial and sign-in.",
    "webhook": "Webhooks: where audit records are posted.",
    "store": "User stores: directories of users.",
    "user": "Users of user stores.",
}

COMMANDS: Mapping[str, tuple[str, str]] = {
    # words of the command: its module in rolecall.cli, and its summary, which begins its docstring
    "up": ("up", "Start Rolecall with its own store and quickstart instances, PostgreSQL and MariaDB."),
    "serve": (
        "serve",
        "Serve from the store at ROLECALL_DATABASE_URL, sealed under ROLECALL_MASTER_KEY_FILE.",
    ),
    "demo": ("demo", "Create an account in each of the five systems, sign in with it, and show the answers."),
    "doctor": (
        "doctor",
        "Check the store, the master key, the clock, and every instance's server and permissions.",
    ),
    "console": (
        "console",
        "Print a link that signs the owner in to the console, once, within 15 minutes, on this machine.",
    ),
    "env": (
        "env",
        "Print the variables that clients of a running `rolecall up` read, as `export NAME=value`.",
    ),
    "seed": ("seed", "Create what a file lists, and change what differs."),
    "instance add": ("instance", "Register a PostgreSQL, MariaDB or MySQL server of your own."),
    "instance list": ("instance", "List instances and their present states."),
    "instance show": ("instance", "Show an instance, without its administrator's password."),
    "instance check": ("doctor", "Check the server and the permissions of one instance."),
    "instance set": ("instance", "Change an instance: its state, callers, quota, name or address."),
    "instance remove": ("instance", "Unregister an instance."),
    "key create": ("key", "Create an access key for the owner."),
    "key list": ("key", "List access keys, without their secrets."),
    "key disable": ("key", "Disable an access key."),
    "key enable": ("key", "Enable a disabled access key."),
    "key reseal": (
        "key",
        "Reseal every secret of the store under the current master key.",
    ),
    "key master": ("key", "Print a new master key for ROLECALL_MASTER_KEY_FILE."),
    "sub-user list": ("sub_user", "List the owner's sub-users."),
    "sub-user add": ("sub_user", "Create a sub-user."),
    "sub-user delete": ("sub_user", "Delete a sub-user with its keys."),
    "policy list": (
        "policy",
        "List policies and presets, or those of a sub-user (with its groups) or a role.",
    ),
    "policy show": ("policy", "Print the document of a policy."),
    "policy explain": (
        "policy",
        "Explain whether a call is permitted, and which statement of which policy decides.",
    ),
    "account list": ("account", "List accounts."),
    "account show": (
        "account",
        "Show an account with its grants on whole databases, its limits and its memberships.",
    ),
    "account create": ("account_changes", "Create an account."),
    "account delete": ("account_changes", "Delete an account and end its sessions."),
    "account lock": ("account_changes", "Lock an account: no new sessions, and the open ones end."),
    "account unlock": ("account_changes", "Unlock an account."),
    "account password": (
        "account_changes",
        "Print the password of an account that Rolecall manages, or set that of an account it does not manage.",
    ),
    "account limit": ("account_limits", "Limit how many connections an account may have at once."),
    "account expire": ("account_limits", "Set when an account expires."),
    "membership grant": ("membership", "Make an account a member of a role."),
    "membership revoke": ("membership", "End the membership of an account in a role."),
    "membership list": ("membership", "List memberships."),
    "defaults grant": (
        "defaults",
        "Grant an account privileges on the objects that an owner creates from now on.",
    ),
    "defaults revoke": (
        "defaults",
        "Revoke them. What was granted on objects that exist stays.",
    ),
    "defaults list": ("defaults", "List the default privileges of the accounts of an instance."),
    "public revoke": ("public", "Revoke from everyone what every account may do on a database."),
    "public grant": ("public", "Grant it back to everyone."),
    "public list": ("public", "List what every account may do on the databases of an instance."),
    "account check": ("account_drift", "Compare accounts with what was recorded of them."),
    "account adopt": ("account_drift", "Record what the server has now as what is expected."),
    "account reassert": ("account_drift", "Put back on the server what was recorded of an account."),
    "fault add": ("fault", "Refuse the next calls of an action with an error code of its contract."),
    "fault list": ("fault", "List faults, and the calls that each will still refuse."),
    "fault clear": ("fault", "Remove a fault, or all."),
    "operation list": ("operation", "List operations, the newest first."),
    "application add": ("application", "Register an application."),
    "application list": ("application", "List applications, without their secrets."),
    "application set": ("application", "Allow or forbid the password grant to an application."),
    "application delete": ("application", "Delete an application."),
    "application rotate-key": ("application", "Create a new signing key for the ID tokens of a user store."),
    "audit list": ("audit", "List records, the newest last."),
    "audit verify": ("audit", "Verify the chain of records."),
    "audit export": (
        "audit",
        "Write all chained records as JSON lines.",
    ),
    "audit prune": ("audit", "Remove records older than ROLECALL_AUDIT_RETENTION_DAYS."),
    "webhook add": ("webhook", "Post audit records to a URL."),
    "webhook list": ("webhook", "List webhooks and how far they are, without secrets and paths of URLs."),
    "webhook remove": ("webhook", "Remove a webhook."),
    "webhook pause": ("webhook", "Post nothing to a webhook until it is resumed."),
    "webhook resume": ("webhook", "Post to a paused webhook again, from its place on."),
    "webhook replay": (
        "webhook",
        "Post records again that were confirmed, or skip records: set the place of a webhook.",
    ),
    "webhook rotate": ("webhook", "Sign with another secret."),
    "store list": ("store", "List the user stores."),
    "store add": ("store", "Create a user store."),
    "store set": ("store", "Set the colour of a user store's sign-in pages."),
    "store activate": ("store", "Activate the owner's user stores."),
    "store deactivate": ("store", "Refuse every call to the owner's user stores."),
    "user import": ("user", "Import users with their password hashes."),
    "user export": ("user", "Export the users of a store to a file that `user import` reads."),
    "backup": (
        "backup",
        "Back up the store, and the servers of a running `rolecall up`, to an encrypted file.",
    ),
    "restore": (
        "backup",
        "Restore a backup into an empty store, or into a new data directory of `rolecall up`.",
    ),
    "upgrade": ("upgrade", "Migrate the store's schema to this release."),
    "version": ("version", "Print the version."),
}


def load_command(words: str) -> TyperCommand:
    """Import a command of the table, such as ``key create``."""
    module, _ = COMMANDS[words]
    app: typer.Typer = import_module(f"rolecall.cli.{module}").app
    command = get_group(app).commands[words.rpartition(" ")[2]]
    assert isinstance(command, TyperCommand)  # noqa: S101 - what Typer makes of a function
    return command


class LazyCommand(TyperCommand):
    """Stands for a command in listings."""

    def __init__(self, words: str) -> None:
        _, summary = COMMANDS[words]
        super().__init__(name=words.rpartition(" ")[2], short_help=summary, rich_markup_mode=None)
        self.words = words


DEFAULTS: Mapping[str, str] = {"audit": "list"}
"""The command of a group that is meant where options follow the group's name."""


class LazyGroup(TyperGroup):
    """A group that imports a command once a command line names it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        default = DEFAULTS.get(self.name or "")
        if default and args and args[0].startswith("-") and args[0] not in self.get_help_option_names(ctx):
            args = [default, *args]
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return name, load_command(command.words) if isinstance(command, LazyCommand) else command, rest


def add_commands(program: TyperGroup) -> None:
    """Add the commands of the tables to `program`, without importing their modules."""
    groups = {
        name: LazyGroup(
            name=name, help=summary, short_help=summary, no_args_is_help=True, rich_markup_mode=None
        )
        for name, summary in GROUPS.items()
    }
    for words in COMMANDS:
        parent, _, _ = words.rpartition(" ")
        (groups[parent] if parent else program).add_command(LazyCommand(words))
    for group in groups.values():
        program.add_command(group)
