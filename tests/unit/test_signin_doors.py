"""Three doors take passwords: directories, the console and OpenStack's tokens. Each holds against guesses sent at once.

A18: all of them were admitted before the first was counted, and at the console each was answered honestly.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.unit.openstack_cloud import Cloud
from tests.unit.signin_desk import OWNER, START, Desk, MemorySessions, content, form_of

from rolecall.domain.access.sign_ins import AddressLimit
from rolecall.domain.iam.sign_in import SubUserPasswords, SubUserTokenKey
from rolecall.domain.operations.audit import Outcome
from rolecall.domain.reasons import Reason, Refused
from rolecall.signing.token import CredentialsClaim
from rolecall.store.memory_audit import MemoryAudit
from rolecall.values import Secret

LIMIT, GUESSES = 5, 60


def together(judge: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Judges nothing before all the guesses have come."""
    come, all_there = 0, asyncio.Event()

    async def judged(*given: Any) -> Any:
        nonlocal come
        come += 1
        if come == GUESSES:
            all_there.set()
        await all_there.wait()
        return await judge(*given)

    return judged


@pytest.fixture
def desk() -> Desk:
    return Desk(address_failures=LIMIT, failures=1000)


async def test_a_directory_answers_no_more_guesses_than_the_limit(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, application = await desk.add_user(), desk.add_application()
    verify = desk.passwords.verify
    monkeypatch.setattr(desk.passwords, "verify", together(verify))
    form = {"grant_type": "password", "username": user.name or "", "password": "wrong"}
    replies = await asyncio.gather(*(desk.token(application, **form) for _ in range(GUESSES)))
    assert Counter(reply.status for reply in replies) == {400: LIMIT, 429: GUESSES - LIMIT}


async def test_the_console_answers_no_more_guesses_than_the_limit(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    action, hidden = form_of(await desk.ask("GET", "/console/sign-in"))
    monkeypatch.setattr(desk.people, "at_console", together(desk.people.at_console))
    form = {**hidden, "owner": str(OWNER.number), "name": "ann", "secret_password": "wrong"}
    replies = await asyncio.gather(*(desk.ask("POST", action, "", form) for _ in range(GUESSES)))
    assert Counter(reply.status for reply in replies) == {403: LIMIT, 429: GUESSES - LIMIT}


async def test_the_password_grant_is_for_applications_that_were_registered_for_it(desk: Desk) -> None:
    """B11: any client id, of a public application too, was enough to try passwords."""
    user, application = await desk.add_user(), desk.add_application(password_grant=False)
    form = {"grant_type": "password", "username": user.name or "", "password": "Right_password1"}
    reply = await desk.token(application, **form)
    assert (reply.status, content(reply)["error"]) == (400, "unauthorized_client")
    await desk.provider.set_password_grant(application.id, allowed=True)
    assert (await desk.token(application, **form)).status == 200


async def test_openstacks_tokens_answer_no_more_guesses_than_the_limit() -> None:
    class People:
        async def sign_in(self, name: str, password: Secret) -> SubUserTokenKey:
            raise Refused(Reason.CREDENTIALS_INVALID)

        async def token_key(self, key_id: str) -> SubUserTokenKey | None:
            raise AssertionError(key_id)

    people = People()
    people.sign_in = together(people.sign_in)  # type: ignore[method-assign]
    addresses = AddressLimit(MemorySessions(), MemoryAudit(), LIMIT, 900)
    cloud = Cloud(SubUserPasswords(people, addresses))

    async def guess() -> Reason:
        claim = CredentialsClaim("ann", Secret("wrong"), "password")
        with pytest.raises(Refused) as refused:
            await cloud.authenticator.authenticate(claim, START, "192.0.2.1")
        return refused.value.reason

    reasons = Counter(await asyncio.gather(*(guess() for _ in range(GUESSES))))
    assert reasons == {Reason.CREDENTIALS_INVALID: LIMIT, Reason.RATE_EXCEEDED: GUESSES - LIMIT}


async def test_a_sign_in_is_recorded_with_whose_it_was_and_what_nobody_is_called_is_not(desk: Desk) -> None:
    """A name that nobody has may be a password, typed into the wrong field."""
    user, application = await desk.add_user(), desk.add_application(password_grant=True)
    form = {"grant_type": "password", "username": user.name or ""}
    await desk.token(application, **form, password="Right_password1")
    await desk.token(application, **form, password="Wrong_password1")
    await desk.token(application, **{**form, "username": "Typed_password1"}, password="Right_password1")
    right, wrong, nobody = desk.audit.entries
    assert {(one.dialect, one.action) for one in desk.audit.entries} == {("oidc", "password grant")}
    assert (right.outcome, right.target) == (Outcome.DONE, user.name)
    assert (wrong.outcome, wrong.target, wrong.reason) == (Outcome.FAILED, user.name, "credentials-invalid")
    assert (nobody.outcome, nobody.target, nobody.detail) == (Outcome.FAILED, "", {})
    assert "assword1" not in repr(desk.audit.entries)


async def test_no_more_failures_are_recorded_than_the_limit_allows(desk: Desk, monkeypatch: Any) -> None:
    action, hidden = form_of(await desk.ask("GET", "/console/sign-in"))
    monkeypatch.setattr(desk.people, "at_console", together(desk.people.at_console))
    form = {**hidden, "owner": str(OWNER.number), "name": "ann", "secret_password": "wrong"}
    await asyncio.gather(*(desk.ask("POST", action, "", form) for _ in range(GUESSES)))
    assert [one.outcome for one in desk.audit.entries] == [Outcome.FAILED] * LIMIT
