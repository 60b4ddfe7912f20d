"""Policies, roles and temporary credentials through every client of the vendor: SDK, international package, tccli."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
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

DRIVER = Path(__file__).with_name("intl_driver.py")
INTERNATIONAL = Path(sys.executable).parent.parent / "intl"
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


@pytest.fixture
def driver(rolecall: Any) -> Iterator[subprocess.Popen[str]]:
    variables = {
        **os.environ,
        "PYTHONPATH": str(INTERNATIONAL),
        "TENCENTCLOUD_SECRET_ID": rolecall.tencent["secret_id"],
        "TENCENTCLOUD_SECRET_KEY": rolecall.tencent["secret_key"],
    }
    command = [sys.executable, DRIVER, rolecall.netloc, rolecall.tencent["region"]]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=variables, **pipes) as process:
        yield process
        process.stdin.close()
        assert process.wait(120) == 0


def test_policies_live_their_life_through_the_international_sdk(
    driver: subprocess.Popen[str], refused: type[Exception], live: Callable[..., None]
) -> None:
    def call(service: str, action: str, params: Mapping[str, Any], key: Key) -> Mapping[str, Any]:
        sent = {**params, ":key": key} if key else dict(params)
        driver.stdin.write(json.dumps([action, sent, service]) + "\n")
        driver.stdin.flush()
        answer: dict[str, Any] = json.loads(driver.stdout.readline())
        if "response" not in answer:
            raise refused(answer["code"], answer["request_id"])
        response: Mapping[str, Any] = answer["response"]
        return response

    live(call, CHINESE_ONLY)


def test_policies_live_their_life_through_tccli(
    tccli_call: Callable[..., Mapping[str, Any]], live: Callable[..., None]
) -> None:
    live(tccli_call)
