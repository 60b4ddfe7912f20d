"""Master-key rotation: seal again, under the current key, all that an older listed key sealed.

In this order every replica can open every value: put the new key above the old one in the key file of every replica,
and restart them; reseal; then remove the old key.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from rolecall.domain.access import keys
from rolecall.domain.accounts.context import password_purpose
from rolecall.domain.accounts.deferred import verifier_purpose
from rolecall.domain.directories.signing_keys import signing_key_purpose
from rolecall.domain.directories.uploads import piece_purpose
from rolecall.domain.engine.pages import display_name
from rolecall.domain.instances import registry as instances
from rolecall.domain.secrets.sealing import SealBroken, Sealer
from rolecall.domain.webhooks import targets as webhooks


class SealedPlace(StrEnum):
    ACCESS_KEY = "access key"
    ADMINISTRATOR = "administrator's password"
    ACCOUNT = "account's password"
    FACT = "fact of the deployment"
    OPERATION = "what an unresolved operation needs"
    SIGNING_KEY = "signing key"
    WEBHOOK = "webhook's URL or secret"
    UPLOAD = "piece of a file of users"


@dataclass(frozen=True, slots=True)
class SealedValue:
    """A sealed value and where it stands. `key` names its row: what its place's purpose is made of."""

    place: SealedPlace
    key: tuple[str, ...]
    sealed: bytes


class SealedValueRepository(Protocol):
    """Where sealed values are kept."""

    async def sealed_values(self, *places: SealedPlace) -> Sequence[SealedValue]:
        """Of these places; of all if none is named."""

    async def replace(self, value: SealedValue, sealed: bytes) -> None: ...


_PURPOSES: Mapping[SealedPlace, Callable[..., str]] = {
    SealedPlace.ACCESS_KEY: keys.secret_purpose,
    SealedPlace.ADMINISTRATOR: lambda instance, owner, *address: instances.password_purpose(
        owner, instance, *address
    ),
    SealedPlace.ACCOUNT: lambda instance, name, host: password_purpose(instance, display_name(name, host)),
    SealedPlace.FACT: str,
    SealedPlace.SIGNING_KEY: signing_key_purpose,
    SealedPlace.WEBHOOK: lambda webhook, what: (
        webhooks.url_purpose(webhook) if what == "url" else webhooks.secret_purpose(webhook)
    ),
    SealedPlace.UPLOAD: piece_purpose,
    SealedPlace.OPERATION: lambda _id, instance, target, what: (
        verifier_purpose(instance, target) if what == "verifier" else password_purpose(instance, target)
    ),
}


async def bind_passwords(repository: SealedValueRepository, sealer: Sealer) -> int:
    """Seal administrators' passwords for their instances and addresses that were sealed for a name alone.

    Returns how many there were. What opens in neither way is left as it is: its use is refused.
    """
    done = 0
    for value in await repository.sealed_values(SealedPlace.ADMINISTRATOR):
        purpose = _PURPOSES[value.place](*value.key)
        try:
            sealer.open(value.sealed, purpose)
        except SealBroken:
            with contextlib.suppress(SealBroken):
                password = sealer.open(value.sealed, instances.older_password_purpose(value.key[2]))
                await repository.replace(value, sealer.seal(password, purpose))
                done += 1
    return done


async def reseal(repository: SealedValueRepository, sealer: Sealer) -> int:
    """Returns how many values were sealed again. Raises `SealBroken` if one was sealed by no listed key."""
    done = 0
    for value in await repository.sealed_values():
        if not sealer.is_current(value.sealed):
            purpose = _PURPOSES[value.place](*value.key)
            await repository.replace(value, sealer.seal(sealer.open(value.sealed, purpose), purpose))
            done += 1
    return done
