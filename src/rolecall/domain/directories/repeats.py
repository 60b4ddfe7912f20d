"""The same request once more: a client that lost the answer and repeats the request is refused.

A user cannot be made twice anyway, since its name, phone number and mail address are its own. So nothing is remembered
beside the users: a digest of the request stands with the event of the user's making, and is looked at only where a new
user meets one that is there. All processes that share a store see it, and it costs a request that succeeds nothing.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from contextlib import contextmanager

from rolecall.domain.directories.commands import CreateUser
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Origin, Secret

SECONDS = 120
"""How long a request counts as the same one: clients wait a minute for an answer before they ask again."""


class Repeats:
    """`key` is secret: a digest covers a password, which must not be guessed from the store."""

    def __init__(self, key: Secret) -> None:
        self._key = key
        self._under_way: set[str] = set()

    def digest(self, command: CreateUser, origin: Origin) -> str:
        """Of all that the user is to be: attributes as their data classes print them, and the password."""
        password = command.password.reveal()
        text = f"{origin.caller.owner_id} {command.store.hex} {command.attributes!r} {password!r}"
        return hmac.digest(self._key.reveal().encode(), text.encode(), "sha256").hex()

    @contextmanager
    def one_at_a_time(self, digest: str) -> Iterator[None]:
        """REQUEST_REPEATED while the same request is being carried out by this process."""
        if digest in self._under_way:
            raise Refused(Reason.REQUEST_REPEATED)
        self._under_way.add(digest)
        try:
            yield
        finally:
            self._under_way.discard(digest)
