"""The rules that an owner sets for its sub-users' passwords, and passwords that keep them."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from rolecall import ambient
from rolecall.domain.iam.model import SubUser
from rolecall.domain.reasons import Reason, Refused
from rolecall.domain.secrets.passwords import Passwords
from rolecall.values import Secret

_SYMBOLS = "!@#$%^&*()-_=+[]{}:,.?"
_MADE_CHARACTERS = 32

CLASSES: Mapping[str, re.Pattern[str]] = {
    "upper": re.compile("[A-Z]"),
    "lower": re.compile("[a-z]"),
    "digit": re.compile("[0-9]"),
    "symbol": re.compile("[^A-Za-z0-9]"),
}
"""The classes of characters that a password may have to contain."""

_MADE_OF = (string.ascii_uppercase, string.ascii_lowercase, string.digits, _SYMBOLS)

MOST_EARLIER = 24
"""Earlier passwords that are remembered, and the most that can be forbidden."""


@dataclass(frozen=True, slots=True)
class PasswordRules:
    """`change_every_days`, `reuse_limit` and `retry_limit` 0: no such rule.

    Who fails to sign in `retry_limit` times within an hour is locked out for one. A password older than
    `change_every_days` must be changed at the next sign-in, or, where `expired_is_locked`, opens nothing any more.
    """

    minimum_length: int = 8
    must_contain: frozenset[str] = frozenset(CLASSES)
    change_every_days: int = 0
    reuse_limit: int = 0
    retry_limit: int = 10
    expired_is_locked: bool = False

    def require_kept(self, password: Secret) -> None:
        """PASSWORD_BREAKS_RULES, with the rule as its field: ``password.length``, or ``password.`` and a class."""
        plain = password.reveal()
        if len(plain) < self.minimum_length:
            raise Refused(
                Reason.PASSWORD_BREAKS_RULES, "password.length", facts={"value": self.minimum_length}
            )
        for name, characters in CLASSES.items():
            if name in self.must_contain and not characters.search(plain):
                raise Refused(Reason.PASSWORD_BREAKS_RULES, f"password.{name}")


def generated_password() -> Secret:
    """A random one of 32 characters that keeps any rules: it has characters of every class."""
    draw = ambient.draws()
    characters = [draw.choice(kind) for kind in _MADE_OF]
    everything = "".join(_MADE_OF)
    characters += [draw.choice(everything) for _ in range(_MADE_CHARACTERS - len(characters))]
    draw.shuffle(characters)
    return Secret("".join(characters))


class EarlierPasswords(Protocol):
    """Where earlier passwords are kept."""

    async def earlier_hashes(self, number: int, limit: int) -> Sequence[str]:
        """Of a sub-user's passwords before the present one, the newest first."""


class RuledPasswords:
    """Hashes new passwords of sub-users, if they keep the rules."""

    def __init__(self, repository: EarlierPasswords, passwords: Passwords) -> None:
        self._repository = repository
        self._passwords = passwords

    async def hashed(self, rules: PasswordRules, password: Secret, user: SubUser | None = None) -> str:
        """The hash of a password for a new sub-user, or for `user`. PASSWORD_BREAKS_RULES, HASHING_BUSY."""
        rules.require_kept(password)
        if user is not None and rules.reuse_limit:
            await self._require_new(user, password, rules.reuse_limit)
        return await self._passwords.hash(password)

    async def _require_new(self, user: SubUser, password: Secret, limit: int) -> None:
        """The present password counts as the first of the earlier ones."""
        earlier = list(await self._repository.earlier_hashes(user.number, limit - 1)) if limit > 1 else []
        present = [] if user.password_hash is None else [user.password_hash]
        for stored in (*present, *earlier):
            if (await self._passwords.verify(stored, password)).matches:
                raise Refused(
                    Reason.PASSWORD_BREAKS_RULES, "password.reuse", note="the password was used before"
                )
