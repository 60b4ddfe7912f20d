"""How many messages to the store a call sends in all, once its caller is known: reads, the change and its record."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from tests.store.counted_calls import Calls, counted_calls

from rolecall.values import Secret


@pytest.fixture(scope="module")
async def calls(module_dsn: Secret) -> AsyncIterator[Calls]:
    with pytest.MonkeyPatch.context() as patched:
        async with counted_calls(module_dsn, patched) as made:
            yield made


def fresh() -> str:
    return f"n{secrets.token_hex(6)}"


@dataclass(frozen=True)
class Scene:
    """What there is before the call that is counted."""

    user: Mapping[str, Any]
    key: str
    group: int


async def scene(calls: Calls) -> Scene:
    user = await calls.ok("AddUser", {"Name": fresh(), "UseApi": 1})
    group = (await calls.ok("CreateGroup", {"GroupName": fresh()}))["GroupId"]
    return Scene(user, user["SecretId"], group)


Params = Callable[[Scene], Mapping[str, object]]

PASSWORD = "Right-Horse-42"

CALLS: Mapping[tuple[str, str], tuple[int, Params]] = {
    ("AddUser", ""): (1, lambda _: {"Name": fresh()}),
    ("AddUser", "with a key"): (1, lambda _: {"Name": fresh(), "UseApi": 1}),
    ("AddUser", "with a password"): (2, lambda _: {"Name": fresh(), "ConsoleLogin": 1, "Password": PASSWORD}),
    ("UpdateUser", ""): (2, lambda s: {"Name": s.user["Name"], "Remark": "new"}),
    ("UpdateUser", "with a password"): (
        2,
        lambda s: {"Name": s.user["Name"], "ConsoleLogin": 1, "Password": PASSWORD},
    ),
    ("DeleteUser", "with its keys"): (2, lambda s: {"Name": s.user["Name"], "Force": 1}),
    ("UpdatePasswordRules", ""): (2, lambda _: {"Rules": {"MinimumLength": 9}}),
    ("CreateAccessKey", ""): (1, lambda s: {"TargetUin": s.user["Uin"]}),
    ("UpdateAccessKey", ""): (
        1,
        lambda s: {"TargetUin": s.user["Uin"], "AccessKeyId": s.key, "Status": "Inactive"},
    ),
    ("DeleteAccessKey", ""): (1, lambda s: {"TargetUin": s.user["Uin"], "AccessKeyId": s.key}),
    ("CreateGroup", ""): (1, lambda _: {"GroupName": fresh()}),
    ("UpdateGroup", ""): (1, lambda s: {"GroupId": s.group, "GroupName": fresh()}),
    ("DeleteGroup", ""): (1, lambda s: {"GroupId": s.group}),
    ("AddUserToGroup", ""): (2, lambda s: {"Info": [{"GroupId": s.group, "Uin": s.user["Uin"]}]}),
    ("RemoveUserFromGroup", ""): (2, lambda s: {"Info": [{"GroupId": s.group, "Uin": s.user["Uin"]}]}),
}
"""By action and case: the most messages, and the parameters."""


@pytest.mark.parametrize(("action", "case"), CALLS, ids=lambda word: word.replace(" ", "-") or "bare")
async def test_a_call_sends_no_more_messages_than_that(calls: Calls, action: str, case: str) -> None:
    most, params = CALLS[action, case]
    service = "cam"
    asked = params(await scene(calls))
    await calls.ok("GetUserAppId")  # whose caller is cached then
    before = calls.sent
    await calls.ok(action, asked, service)
    assert calls.sent - before <= most


async def test_a_change_of_others_leaves_the_caller_cached(calls: Calls) -> None:
    for action, params in (
        ("AddUser", {"Name": fresh(), "UseApi": 1}),
        ("CreateGroup", {"GroupName": fresh()}),
    ):
        await calls.ok("GetUserAppId")
        await calls.ok(action, params)
        before = calls.sent
        await calls.ok("GetUserAppId")
        assert calls.sent == before
