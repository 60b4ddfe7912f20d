"""Changes of a policy that expect it as it was shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.refusals import refused

from rolecall.domain.iam.policies import PolicyDraft
from rolecall.domain.iam.policy_commands import PolicyContent, PolicyRef
from rolecall.domain.operations.model import Change
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason, Refused
from rolecall.store import Store
from rolecall.values import Caller, Origin, Secret


@pytest.fixture
async def store(dsn: Secret) -> AsyncIterator[Store]:
    made = Store(dsn, pool_size=6)
    await made.open()
    yield made
    await made.close()


async def test_of_changes_that_expect_the_same_content_one_is_made(store: Store) -> None:
    owner = (await store.keys.add_owner(100, 200)).id
    record = Record(Change.POLICY_UPDATE, "p", Origin(Caller(owner, 100, 200, 100, "AKIDx"), "d", "A", "r"))
    draft = PolicyDraft("p", "as it was", "{}", "")
    policy = await store.policies.add_policy(owner, draft, 10, record)
    expected = PolicyContent("{}", "as it was")

    async def change(number: int) -> Reason | None:
        draft = PolicyDraft(description=f"of {number}")
        try:
            await store.policies.change_policy(owner, policy, draft, expected, record)
        except Refused as refusal:
            return refusal.reason
        return None

    made = await asyncio.gather(*(change(number) for number in range(8)))
    assert (made.count(None), made.count(Reason.ENGINE_BUSY)) == (1, 7)
    known = await store.policies.policy(owner, PolicyRef(policy))
    assert known is not None
    assert known.description == f"of {made.index(None)}"
    other = PolicyContent("{ }", known.description)
    late = store.policies.change_policy(owner, policy, PolicyDraft(description="no"), other, record)
    assert await refused(late) is Reason.ENGINE_BUSY
    await store.policies.change_policy(
        owner, policy, PolicyDraft(description="whatever it was"), None, record
    )
