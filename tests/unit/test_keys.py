"""Names and passwords in place of access keys: how often a client address may try."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.unit.openstack_cloud import Cloud
from tests.unit.signin_desk import OWNER, START, MemorySessions, failed

from rolecall.domain.access.sign_ins import AddressLimit
from rolecall.domain.iam.sign_in import SubUserPasswords, SubUserTokenKey
from rolecall.domain.reasons import Reason, Refused
from rolecall.signing.token import CredentialsClaim
from rolecall.store.memory_audit import MemoryAudit
from rolecall.values import Secret

RIGHT = "Right_password1"


class People:
    """One sub-user, and how often somebody was looked at."""

    def __init__(self) -> None:
        self.asked = 0
        self.trouble: Reason | None = None

    async def sign_in(self, name: str, password: Secret) -> SubUserTokenKey:
        self.asked += 1
        if self.trouble is not None or (name, password.reveal()) != ("ann", RIGHT):
            raise Refused(self.trouble or Reason.CREDENTIALS_INVALID)
        return SubUserTokenKey(OWNER, 700000000001, "sub-user:700000000001", Secret("k"))

    async def token_key(self, key_id: str) -> SubUserTokenKey | None:
        raise AssertionError(key_id)


@pytest.fixture
def people() -> People:
    return People()


@pytest.fixture
def limit() -> AddressLimit:
    return AddressLimit(MemorySessions(), MemoryAudit(), 2, 900)


@pytest.fixture
def cloud(people: People, limit: AddressLimit) -> Cloud:
    return Cloud(SubUserPasswords(people, limit))


async def tried(cloud: Cloud, password: str, client: str = "192.0.2.1", at: float = START) -> Reason | None:
    try:
        await cloud.authenticator.authenticate(
            CredentialsClaim("ann", Secret(password), "password"), at, client
        )
    except Refused as refusal:
        return refusal.reason
    return None


async def test_an_address_with_too_many_failures_is_refused_before_any_password_is_looked_at(
    cloud: Cloud, people: People
) -> None:
    for _ in range(2):
        assert await tried(cloud, "wrong") is Reason.CREDENTIALS_INVALID
    assert await tried(cloud, RIGHT) is Reason.RATE_EXCEEDED
    assert people.asked == 2
    assert await tried(cloud, RIGHT, "192.0.2.2") is None
    assert await tried(cloud, RIGHT, at=START + 901) is None


async def test_what_is_nobodys_wrong_guess_is_not_counted(cloud: Cloud, people: People) -> None:
    people.trouble = Reason.HASHING_BUSY
    for _ in range(3):
        assert await tried(cloud, RIGHT) is Reason.HASHING_BUSY
    people.trouble = None
    assert await tried(cloud, RIGHT) is None


@pytest.mark.parametrize("password", [RIGHT, "wrong"])
async def test_of_guesses_sent_at_once_those_over_the_limit_are_all_refused_alike(
    cloud: Cloud, people: People, limit: AddressLimit, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in = people.sign_in

    async def meanwhile(name: str, shown: Secret) -> SubUserTokenKey:
        for _ in range(2):
            await failed(limit, "192.0.2.1", datetime.fromtimestamp(START, UTC))
        return await sign_in(name, shown)

    monkeypatch.setattr(people, "sign_in", meanwhile)
    assert await tried(cloud, password) is Reason.RATE_EXCEEDED
