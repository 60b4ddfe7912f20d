"""Secrets of a seed: those that it refers to, and the file of those that were generated."""

from __future__ import annotations

import json
import os
from pathlib import Path

from rolecall.cli.errors import CommandError
from rolecall.cli.passwords import read_secret, require_valid
from rolecall.cli.private_files import write_private
from rolecall.cli.seeding.document import Password, SeedFile
from rolecall.domain.accounts.credentials import new_managed_password
from rolecall.values import Secret


class SecretsFile:
    """A JSON object, mode 0600: for each thing its secrets, under a name such as ``accounts/orders/app``.

    A secret is written before it is used, and a later run uses it again: so a home that was reset gets the same
    passwords.
    """

    def __init__(self, path: Path) -> None:
        """Raises `CommandError` if there is a file that is not such an object, or that others may read."""
        self.path = path
        self._kept: dict[str, dict[str, str]] = {}
        try:
            if path.stat().st_mode & 0o077:
                raise CommandError(f"{path} holds secrets and others may read it; chmod 600 it")
            self._kept = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return
        except (OSError, ValueError):
            raise CommandError(f"{path} is not a file of secrets that `rolecall seed` wrote") from None
        if not isinstance(self._kept, dict) or not all(
            isinstance(kept, dict) for kept in self._kept.values()
        ):
            raise CommandError(f"{path} is not a file of secrets that `rolecall seed` wrote")

    def kept(self, name: str, field: str) -> Secret | None:
        text = self._kept.get(name, {}).get(field)
        return None if text is None else Secret(text)

    def keep(self, name: str, **secrets: Secret | str) -> None:
        """Raises `CommandError`."""
        texts = {
            field: secret.reveal() if isinstance(secret, Secret) else secret
            for field, secret in secrets.items()
        }
        self._kept[name] = self._kept.get(name, {}) | texts
        write_private(self.path, self._kept)


class Passwords:
    """The passwords that a seed refers to."""

    def __init__(self, file: SeedFile, secrets: SecretsFile) -> None:
        self._file = file
        self.secrets = secrets

    def given(self, password: Password, where: str, *, check: bool = True) -> Secret | None:
        """The password from a file or the environment; None if it is to be generated. Raises `CommandError`."""
        sources = password.sources()
        if len(sources) != 1:
            wanted = "password_file, password_env or generate"
            raise self._file.error(
                where, f"give one of {wanted}" if not sources else f"give only one of {wanted}"
            )
        try:
            if password.password_file is not None:
                found = read_secret(self._file.beside(password.password_file))
            elif password.password_env is not None:
                text = os.environ.get(password.password_env)
                if text is None:
                    raise CommandError(f"the variable {password.password_env} is not set")
                found = Secret(text)
            else:
                return None
            return require_valid(found) if check else found
        except CommandError as error:
            raise self._file.error(f"{where}.{sources[0]}", str(error)) from None

    def made(self, name: str) -> Secret:
        """A generated password, kept under `name`: that of an earlier run if there is one."""
        found = self.secrets.kept(name, "password")
        if found is None:
            found = new_managed_password()
            self.secrets.keep(name, password=found)
        return found
