"""Policies, roles and temporary credentials through every client of the vendor: SDK, international package, tccli."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tests.clients.cam_policies_life import PolicyLife
from tests.clients.vendor_sdk import Sdk

pytestmark = pytest.mark.filterwarnings(
    # The SDK asks the clock by a function that Python 3.12 deprecates.
    "ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning:tencentcloud"
)

TCCLI = Path(sys.executable).with_name("tccli")
CHINESE_ONLY = frozenset({"BuildDataFlowAuthToken", "UpdateRoleSessionDuration", "QueryApiKey"})
Key = tuple[str, ...] | None
Client = Callable[[str, str, Mapping[str, Any], Key], Mapping[str, Any]]


@pytest.fixture
def live(rolecall: Any, refused: type[Exception], name: Callable[[str], str]) -> Callable[..., None]:
    """Lives a life of policies through a client."""

    def run(client: Client, lacks: frozenset[str] = frozenset()) -> None:
        owner = rolecall.ready["owner"]["uin"]
        PolicyLife(client, refused, name, owner, rolecall.instance_id, lacks).run()

    return run


def test_policies_live_their_life_through_the_sdk(
    rolecall: Any, refused: type[Exception], live: Callable[..., None]
) -> None:
    owner = Sdk.of_owner(rolecall)

    def call(service: str, action: str, params: Mapping[str, Any], key: Key) -> Mapping[str, Any]:
        try:
            return (owner.with_key(*key) if key else owner).call(service, action, **params)
        except TencentCloudSDKException as error:
            raise refused(error.code, error.requestId) from error  # type: ignore[call-arg]

    live(call)


def test_policies_live_their_life_through_the_international_sdk(
    international: Client, live: Callable[..., None]
) -> None:
    live(international, CHINESE_ONLY)


def test_policies_live_their_life_through_tccli(
    tccli_call: Callable[..., Mapping[str, Any]], live: Callable[..., None]
) -> None:
    live(tccli_call)
