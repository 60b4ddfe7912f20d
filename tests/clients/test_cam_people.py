"""The unmodified cam and tag SDKs, the international package and tccli against a running Rolecall."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tests.clients.cam_people import DETAILS, PeopleLife

pytestmark = pytest.mark.filterwarnings(
    # The SDK asks the clock by a function that Python 3.12 deprecates.
    "ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning:tencentcloud"
)

MODULES = {"cam": "tencentcloud.cam.v20190116", "tag": "tencentcloud.tag.v20180813"}
DRIVER = Path(__file__).with_name("intl_driver.py")
INTERNATIONAL = Path(sys.executable).parent.parent / "intl"
TCCLI = Path(sys.executable).with_name("tccli")
WAYS = [
    pytest.param({}, id="TC3 POST"),
    pytest.param({"reqMethod": "GET"}, id="TC3 GET"),
    pytest.param({"signMethod": "HmacSHA256"}, id="HmacSHA256 POST"),
    pytest.param({"signMethod": "HmacSHA1", "reqMethod": "GET"}, id="HmacSHA1 GET"),
]
Key = tuple[str, str] | None


@pytest.mark.parametrize("way", WAYS)
def test_sub_users_live_their_life_through_the_sdk(
    rolecall: Any, refused: type[Exception], name: Callable[[str], str], way: dict[str, str]
) -> None:
    """By the SDK's own request and response models. cam takes no region."""
    http = dict(way)
    sign_method = http.pop("signMethod", None)

    def call(service: str, action: str, params: Mapping[str, Any], key: Key) -> Mapping[str, Any]:
        models = importlib.import_module(f"{MODULES[service]}.models")
        module = importlib.import_module(f"{MODULES[service]}.{service}_client")
        profile = ClientProfile(
            signMethod=sign_method,
            language="en-US",
            httpProfile=HttpProfile(endpoint=rolecall.netloc, protocol="http", **http),
        )
        credential = Credential(*(key or (rolecall.tencent["secret_id"], rolecall.tencent["secret_key"])))
        client = getattr(module, f"{service.capitalize()}Client")(credential, "", profile)
        request = getattr(models, f"{action}Request")()
        request.from_json_string(json.dumps(params))
        try:
            response = getattr(client, action)(request)
        except TencentCloudSDKException as error:
            raise refused(error.code, error.requestId) from error
        answer: Mapping[str, Any] = json.loads(response.to_json_string())
        return answer

    PeopleLife(call, refused, name).run()


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


def test_sub_users_live_their_life_through_the_international_sdk(
    driver: subprocess.Popen[str], refused: type[Exception], name: Callable[[str], str]
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

    PeopleLife(call, refused, name, lacks=frozenset({"ListAccounts", "UpdateProject"})).run()


def test_sub_users_live_their_life_through_tccli(
    tccli_call: Callable[..., Mapping[str, Any]], refused: type[Exception], name: Callable[[str], str]
) -> None:
    PeopleLife(tccli_call, refused, name, lacks=DETAILS).run()
