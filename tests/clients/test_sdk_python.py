"""The unmodified tencentcloud-sdk-python-postgres against a running Rolecall."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.postgres.v20170312 import models
from tencentcloud.postgres.v20170312.postgres_client import PostgresClient
from tests.clients.vendor_sdk import by_models

pytestmark = pytest.mark.filterwarnings(
    # The SDK asks the clock by a function that Python 3.12 deprecates.
    "ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning:tencentcloud"
)

PASSWORD = "Test_password1"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
WAYS = [
    pytest.param({}, id="TC3 POST"),
    pytest.param({"reqMethod": "GET"}, id="TC3 GET"),
    pytest.param({"unsignedPayload": True}, id="TC3 POST unsigned payload"),
    pytest.param({"signMethod": "HmacSHA256", "reqMethod": "GET"}, id="HmacSHA256 GET"),
    pytest.param({"signMethod": "HmacSHA256"}, id="HmacSHA256 POST"),
    pytest.param({"signMethod": "HmacSHA1", "reqMethod": "GET"}, id="HmacSHA1 GET"),
    pytest.param({"signMethod": "HmacSHA1"}, id="HmacSHA1 POST"),
    pytest.param({"scheme": True, "keepAlive": True}, id="endpoint as URL, connection kept"),
]


@pytest.fixture
def client(rolecall: Any) -> Callable[..., PostgresClient]:
    """A client by its options: those of HttpProfile, those of ClientProfile, and `key`, `token`, `region`."""

    def make(
        *,
        scheme: bool = False,
        signMethod: str | None = None,  # noqa: N803 - the SDK's spelling
        unsignedPayload: bool = False,  # noqa: N803
        language: str = "en-US",
        key: tuple[str, str] | None = None,
        region: str = "",
        token: str | None = None,
        **http: Any,
    ) -> PostgresClient:
        where = {"endpoint": rolecall.netloc, "protocol": "http"}
        if scheme:
            where = {"endpoint": rolecall.endpoint}
        http_profile = HttpProfile(**where | http)
        profile = ClientProfile(signMethod=signMethod, language=language, httpProfile=http_profile)
        profile.unsignedPayload = unsignedPayload
        key = key or (rolecall.tencent["secret_id"], rolecall.tencent["secret_key"])
        return PostgresClient(Credential(*key, token), region or rolecall.tencent["region"], profile)

    return make


@pytest.fixture
def typed(refused: type[Exception]) -> Callable[[PostgresClient], Callable[..., Mapping[str, Any]]]:
    """Calls by the SDK's request and response models, as the life cycle makes them."""

    return lambda client: by_models(client, models, refused)


@pytest.mark.parametrize("way", WAYS)
def test_every_action_of_the_sdk_does_on_the_engine_what_it_says(
    way: dict[str, Any], client: Any, typed: Any, live: Any
) -> None:
    live(typed(client(**way)))


def test_an_account_made_as_the_vendors_example_writes_it_stands_in_pg_roles(
    rolecall: Any, client: Any, engine: Any, name: Any
) -> None:
    user = name()
    request = models.CreateAccountRequest()
    request.DBInstanceId = rolecall.instance_id
    request.UserName = user
    request.Type = "normal"
    request.Password = PASSWORD
    response = client().CreateAccount(request)
    assert UUID.fullmatch(response.RequestId)
    assert not hasattr(
        response, "Oid"
    )  # the answer has one; the SDK's model does not know it and minds nothing
    assert engine.role(user)[1:] == (True, False)
    assert engine.can_log_in(user, PASSWORD)


@pytest.mark.parametrize("way", WAYS)
def test_the_answer_carries_the_oid_of_pg_roles(
    way: dict[str, Any], rolecall: Any, client: Any, engine: Any, name: Any
) -> None:
    user = name()
    params = {"DBInstanceId": rolecall.instance_id, "UserName": user, "Type": "normal"}
    response = client(**way).call_json("CreateAccount", params)["Response"]
    assert response["Oid"] == engine.role(user)[0]


def test_the_sdks_client_for_any_service_is_served_too(
    rolecall: Any, client: Any, engine: Any, name: Any
) -> None:
    user, like = name(), client()
    common = CommonClient("postgres", "2017-03-12", like.credential, like.region, like.profile)
    params = {"DBInstanceId": rolecall.instance_id, "UserName": user, "Type": "normal", "Password": PASSWORD}
    response = common.call_json("CreateAccount", params)["Response"]
    assert response["Oid"] == engine.role(user)[0]
    assert engine.can_log_in(user, PASSWORD)


def test_multipart_calls_of_the_sdk_are_understood(
    rolecall: Any, client: Any, engine: Any, name: Any
) -> None:
    user = name()
    params = {"DBInstanceId": rolecall.instance_id, "UserName": user, "Type": "normal", "Password": PASSWORD}
    client().call("CreateAccount", params, options={"IsMultipart": True})
    assert engine.can_log_in(user, PASSWORD)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"UserName": "pg_clerk"}, "InvalidParameterValue.InvalidAccountNameFormatError"),
        ({"Password": "short"}, "InvalidParameterValue.InvalidPasswordLengthError"),
        ({"Password": "onlylowercase"}, "InvalidParameterValue.InvalidPasswordValueError"),
        ({"Remark": "no;semicolon"}, "InvalidParameterValue.ParameterCharacterError"),
        ({"Remark": "x" * 61}, "InvalidParameterValue.ParameterLengthLimitError"),
        ({"Type": "superuser"}, "InvalidParameter.ParameterCheckError"),
        ({"Type": None}, "MissingParameter"),
        ({"UserName": "postgres"}, "InvalidParameterValue.InvalidAccountNameFormatError"),
    ],
)
def test_a_refusal_is_the_sdks_exception_with_code_and_request_id(
    way: dict[str, Any],
    changes: dict[str, Any],
    code: str,
    rolecall: Any,
    client: Any,
    engine: Any,
    name: Any,
) -> None:
    user = name()
    request = models.CreateAccountRequest()
    request.DBInstanceId, request.UserName, request.Type = rolecall.instance_id, user, "normal"
    for attribute, value in changes.items():
        setattr(request, attribute, value)
    with pytest.raises(TencentCloudSDKException) as refused:
        client(**way).CreateAccount(request)
    assert refused.value.code == code
    assert UUID.fullmatch(refused.value.requestId)
    assert engine.role(user) is None


def test_a_name_that_is_taken_is_refused_and_the_first_account_stays(
    rolecall: Any, client: Any, engine: Any, name: Any
) -> None:
    request = models.CreateAccountRequest()
    request.DBInstanceId, request.UserName, request.Type = rolecall.instance_id, name(), "normal"
    request.Password = PASSWORD
    client().CreateAccount(request)
    oid = engine.role(request.UserName)[0]
    request.Password = "Other_password2"
    with pytest.raises(TencentCloudSDKException) as refused:
        client().CreateAccount(request)
    assert refused.value.code == "FailedOperation.PreCheckError"
    assert engine.role(request.UserName)[0] == oid
    assert engine.can_log_in(request.UserName, PASSWORD)


@pytest.mark.parametrize("way", WAYS)
def test_a_wrong_key_is_refused_by_either_signature(way: dict[str, Any], rolecall: Any, client: Any) -> None:
    wrong = (rolecall.tencent["secret_id"], "x" * 32), ("AKID" + "x" * 32, rolecall.tencent["secret_key"])
    codes = "AuthFailure.SignatureFailure", "AuthFailure.SecretIdNotFound"
    for key, code in zip(wrong, codes, strict=True):
        with pytest.raises(TencentCloudSDKException) as refused:
            client(key=key, **way).DescribeRegions(models.DescribeRegionsRequest())
        assert refused.value.code == code
        assert UUID.fullmatch(refused.value.requestId)


@pytest.mark.parametrize("way", WAYS)
def test_refusals_are_told_in_the_language_asked_for(way: dict[str, Any], rolecall: Any, client: Any) -> None:
    request = models.LockAccountRequest()
    request.DBInstanceId = rolecall.instance_id
    told = {}
    for language in ("en-US", "zh-CN"):
        with pytest.raises(TencentCloudSDKException) as refused:
            client(language=language, **way).LockAccount(request)
        assert refused.value.code == "MissingParameter"
        told[language] = refused.value.message
    assert told["en-US"] == "The request is missing a required parameter `UserName`."
    assert re.search("[\u4e00-\u9fff]", told["zh-CN"])
    assert "`UserName`" in told["zh-CN"]


def test_names_of_regions_follow_the_language(client: Any) -> None:
    request = models.DescribeRegionsRequest()
    names = {
        language: next(
            row.RegionName
            for row in client(language=language).DescribeRegions(request).RegionSet
            if row.Region == "ap-guangzhou"
        )
        for language in ("en-US", "zh-CN")
    }
    assert names["en-US"] == "Guangzhou"
    assert "广州" in names["zh-CN"]


def test_a_region_the_vendor_does_not_serve_is_refused(rolecall: Any, client: Any) -> None:
    request = models.CreateAccountRequest()
    request.DBInstanceId, request.UserName, request.Type = rolecall.instance_id, "somebody", "normal"
    with pytest.raises(TencentCloudSDKException) as refused:
        client(region="mars-north").CreateAccount(request)
    assert refused.value.code == "InvalidParameterValue.UnsupportedRegionError"


@pytest.mark.parametrize("method", ["TC3-HMAC-SHA256", "HmacSHA256"])
@pytest.mark.parametrize("verb", ["GET", "POST"])
@pytest.mark.parametrize("endpoint", ["{host}:{port}/", "{host}:{port}/prefix", "localhost:{port}"])
def test_other_forms_of_the_endpoint_are_served(
    endpoint: str, verb: str, method: str, rolecall: Any, client: Any
) -> None:
    host, port = rolecall.netloc.split(":")
    at = client(endpoint=endpoint.format(host=host, port=port), reqMethod=verb, signMethod=method)
    response = at.DescribeRegions(models.DescribeRegionsRequest())
    assert response.TotalCount == len(response.RegionSet) > 0


@pytest.mark.parametrize("way", WAYS)
def test_a_token_that_nobody_issued_is_refused(way: dict[str, Any], client: Any) -> None:
    with pytest.raises(TencentCloudSDKException) as refused:
        client(token="nobodys", **way).DescribeRegions(models.DescribeRegionsRequest())
    assert refused.value.code == "AuthFailure.TokenFailure"


@pytest.mark.parametrize("way", WAYS)
def test_an_action_of_the_sdk_that_is_not_offered_is_refused_as_unknown(
    way: dict[str, Any], client: Any
) -> None:
    request = models.RenewInstanceRequest()
    request.DBInstanceId, request.Period = "postgres-00000000", 1
    with pytest.raises(TencentCloudSDKException) as refused:
        client(**way).RenewInstance(request)
    assert refused.value.code == "InvalidAction"
    assert UUID.fullmatch(refused.value.requestId)
