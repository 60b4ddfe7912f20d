"""The unmodified ciam SDK, the international package and tccli against a running Rolecall."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tencentcloud.ciam.v20220331 import models
from tencentcloud.ciam.v20220331.ciam_client import CiamClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tests.clients.ciam_life import DirectoryLife
from tests.clients.vendor_sdk import by_models

pytestmark = pytest.mark.filterwarnings(
    # The SDK asks the clock by a function that Python 3.12 deprecates.
    "ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning:tencentcloud"
)

TCCLI = Path(sys.executable).with_name("tccli")
ABROAD = frozenset({
    "CreateUserStore", "UpdateUserStore", "DeleteUserStore", "ListUserStore", "CreateUserGroup", "UpdateUserGroup",
    "DeleteUserGroups", "ListUserGroups",
})  # fmt: skip
"""What the international package does not have: there a store must be there before."""

WAYS = [
    pytest.param({}, id="TC3 POST"),
    pytest.param({"reqMethod": "GET"}, id="TC3 GET"),
    pytest.param({"signMethod": "HmacSHA256"}, id="HmacSHA256 POST"),
    pytest.param({"signMethod": "HmacSHA1", "reqMethod": "GET"}, id="HmacSHA1 GET"),
]


@pytest.fixture
def password_of(rolecall: Any) -> Callable[[str], str]:
    """The hash of a user's password, as the store keeps it."""

    def ask(user: str) -> str:
        dsn = json.loads((rolecall.data / "connection.json").read_text())["database_url"]
        with psycopg.connect(dsn, options="-c search_path=rolecall") as connection:
            row = connection.execute("select password_hash from users where id = %s", (user,)).fetchone()
        assert row is not None
        return str(row[0])

    return ask


@pytest.fixture
def sdk(rolecall: Any) -> Callable[..., CiamClient]:
    def make(language: str = "en-US", **http: Any) -> CiamClient:
        sign_method = http.pop("signMethod", None)
        profile = ClientProfile(
            signMethod=sign_method,
            language=language,
            httpProfile=HttpProfile(endpoint=rolecall.netloc, protocol="http", **http),
        )
        given = rolecall.tencent
        return CiamClient(Credential(given["secret_id"], given["secret_key"]), given["region"], profile)

    return make


@pytest.mark.parametrize("way", WAYS)
def test_a_store_lives_its_life_through_the_sdk(
    sdk: Any, refused: type[Exception], name: Any, password_of: Any, way: dict[str, str]
) -> None:
    """By the SDK's own request and response models."""
    DirectoryLife(by_models(sdk(**way), models, refused), refused, name, password_of).run()


def test_a_user_is_made_by_the_sdks_own_names(sdk: Any, rolecall: Any, name: Any) -> None:
    """As a program does it, without JSON; and refused in the vendor's Chinese."""
    client = sdk(language="zh-CN")
    request = models.CreateUserRequest()
    request.UserStoreId = rolecall.tencent["user_store_id"]
    request.UserName, request.PhoneNumber = name("sdk"), "+86-13700137000"
    request.Email, request.Password = f"{name('sdk')}@example.com", "Right-Horse-42"
    attribute = models.MemberMap()
    attribute.Name, attribute.Value = "shoe", "42"
    request.CustomizationAttributes = [attribute]
    user = client.CreateUser(request).User
    try:
        assert (user.UserName, user.Status, user.Primary) == (request.UserName, "NORMAL", True)
        assert (user.CustomAttributes[0].Name, user.CustomAttributes[0].Type) == ("shoe", "STRING")
        assert user.LastSignOn is None
        request.PhoneNumber = ""
        with pytest.raises(TencentCloudSDKException) as error:
            client.CreateUser(request)
        assert (error.value.code, error.value.message) == (
            "FailedOperation.PhoneNumberIsNull",
            "电话号码不能为空。",
        )
    finally:
        client.call_json("DeleteUsers", {"UserStoreId": request.UserStoreId, "UserIds": [user.UserId]})


def test_a_dry_run_is_asked_for_beside_the_models(sdk: Any, rolecall: Any, name: Any) -> None:
    params = {
        "UserStoreId": rolecall.tencent["user_store_id"], "UserName": name("dry"), "PhoneNumber": "13700137001",
        "Email": "dry@example.com", "Password": "x", "DryRun": True,
    }  # fmt: skip
    for way in ({}, {"reqMethod": "GET"}, {"signMethod": "HmacSHA1"}):
        with pytest.raises(TencentCloudSDKException) as error:
            sdk(**way).call_json("CreateUser", params)
        assert error.value.code == "DryRunOperation"


def test_users_live_their_life_through_the_international_sdk(
    rolecall: Any, international: Any, refused: type[Exception], name: Any, password_of: Any
) -> None:
    store = rolecall.tencent["user_store_id"]
    DirectoryLife(partial(international, "ciam"), refused, name, password_of, store=store, lacks=ABROAD).run()


def test_a_store_lives_its_life_through_tccli(
    tccli_call: Callable[..., Mapping[str, Any]], refused: type[Exception], name: Any, password_of: Any
) -> None:
    DirectoryLife(partial(tccli_call, "ciam"), refused, name, password_of).run()


def test_the_examples_of_tccli_are_understood(rolecall: Any) -> None:
    """The vendor's example requests, with real ids: what is refused is what they name that is not there."""
    found = importlib.util.find_spec("tccli")
    assert found is not None
    assert found.origin is not None
    path = Path(found.origin).parent / "services" / "ciam" / "v20220331" / "examples.json"
    examples = json.loads(path.read_text("utf-8"))["actions"]
    codes = {}
    for action, listed in examples.items():
        body = listed[0]["input"].partition("\n\n")[2]
        sent = json.loads(body) if body.strip() else {}
        for key in ("UserStoreId", "UserPoolId"):
            if key in sent:
                sent[key] = rolecall.tencent["user_store_id"]
        if action not in ("DeleteUserStore", "UpdateUserStore", "CreateUserStore"):
            answer = rolecall.call(action, sent, service="ciam", version="2022-03-31")
            codes[action] = answer.get("Error", {}).get("Code", "")
    refused = {action: code for action, code in codes.items() if code}
    assert refused == REFUSED_EXAMPLES


REFUSED_EXAMPLES = {
    "CreateApiImportUserJob": "InvalidAction",
    "CreateFileExportUserJob": "InvalidAction",
    "ListJobs": "InvalidAction",
    "CreateUser": "UnsupportedOperation",  # an organization
    "UpdateUser": "FailedOperation.UserNotFound",
    "UpdateUserStatus": "FailedOperation.UserNotFound",
    "SetPassword": "FailedOperation.UserNotFound",
    "ResetPassword": "FailedOperation.UserNotFound",
    "LinkAccount": "FailedOperation.PrimaryUserNotFound",
    "UpdateUserGroup": "FailedOperation.UserGroupNotFound",
    "DescribeUser": "FailedOperation.QueryUsersParameterMustInWhitelist",  # by the nickname alone
    "ListLogMessageByCondition": "InvalidParameterValue",  # by a nickname
}
