"""The unmodified cam and tag SDKs, the international package and tccli against a running Rolecall."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tests.clients.cam_people import DETAILS, PeopleLife
from tests.clients.vendor_sdk import by_models

pytestmark = pytest.mark.filterwarnings(
    # The SDK asks the clock by a function that Python 3.12 deprecates.
    "ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning:tencentcloud"
)

MODULES = {"cam": "tencentcloud.cam.v20190116", "tag": "tencentcloud.tag.v20180813"}
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
        return by_models(client, models, refused)(action, params)

    PeopleLife(call, refused, name).run()


def test_sub_users_live_their_life_through_the_international_sdk(
    international: Callable[..., Mapping[str, Any]], refused: type[Exception], name: Callable[[str], str]
) -> None:
    PeopleLife(international, refused, name, lacks=frozenset({"ListAccounts", "UpdateProject"})).run()


def test_sub_users_live_their_life_through_tccli(
    tccli_call: Callable[..., Mapping[str, Any]], refused: type[Exception], name: Callable[[str], str]
) -> None:
    PeopleLife(tccli_call, refused, name, lacks=DETAILS).run()
