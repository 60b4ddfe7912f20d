"""alibabacloud-tea-openapi, unmodified, against a live server: signature V3 (its default) and V2."""

from __future__ import annotations

import json
from typing import Any

import pytest
from alibabacloud_tea_openapi.client import Client
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
from darabonba.runtime import RuntimeOptions
from tests.clients.petadata_cloud import OTHER_PASSWORD, PASSWORD, Cloud, word


class Tea:
    def __init__(self, cloud: Cloud, algorithm: str, *, form: bool, secret: str = "") -> None:
        self._form = form
        self._client = Client(
            Config(
                access_key_id=cloud.key_id,
                access_key_secret=secret or cloud.key.reveal(),
                endpoint=cloud.endpoint.removeprefix("http://"),
                protocol="http",
                signature_algorithm=algorithm,
            )
        )

    def call(self, action: str, **params: str) -> dict[str, Any]:
        asked = Params(
            action=action, version="2016-01-01", protocol="HTTP", pathname="/", method="POST", auth_type="AK",
            style="RPC", req_body_type="formData", body_type="json",
        )  # fmt: skip
        request = OpenApiRequest(body=params) if self._form else OpenApiRequest(query=params)
        answer = self._client.call_api(
            asked, request, RuntimeOptions(read_timeout=60_000, connect_timeout=60_000)
        )
        assert answer["statusCode"] == 200
        found: dict[str, Any] = answer["body"]
        return found

    def code(self, action: str, **params: str) -> str:
        with pytest.raises(AlibabaCloudException) as caught:
            self.call(action, **params)
        return str(caught.value.code)


@pytest.mark.parametrize("form", [False, True], ids=["query", "form"])
@pytest.mark.parametrize("algorithm", ["ACS3-HMAC-SHA256", "v2"])
def test_one_life_of_an_account(cloud: Cloud, algorithm: str, form: bool) -> None:
    tea, here, name, database = (
        Tea(cloud, algorithm, form=form),
        {"InstanceId": cloud.instance},
        word(),
        word("d"),
    )
    password = "P~w*1+/=()!"
    tea.call("CreateDatabase", **here, DBName=database)
    info = json.dumps({"ReadOnly": [database]})
    tea.call("CreateAccount", **here, AccountName=name, AccountPassword=password, DBInfo=info)
    assert cloud.server.may(name, password, database, "SELECT 1")
    assert not cloud.server.may(name, password, database, "CREATE TABLE t (id int)")
    (listed,) = tea.call("DescribeAccounts", **here)["AccountList"]["Account"]
    assert listed["AccountName"] == name
    tea.call(
        "ModifyAccountPassword", **here, AccountName=name, OldPassword=password, NewPassword=OTHER_PASSWORD
    )
    assert cloud.server.can_log_in(name, OTHER_PASSWORD)
    again = tea.code("CreateAccount", **here, AccountName=name, AccountPassword=PASSWORD)
    assert again == "InvalidAccountName.Duplicate"
    tea.call("DeleteAccount", **here, AccountName=name)
    assert cloud.server.users() == []


@pytest.mark.parametrize("algorithm", ["ACS3-HMAC-SHA256", "v2"])
def test_a_wrong_secret_is_a_wrong_signature(cloud: Cloud, algorithm: str) -> None:
    tea = Tea(cloud, algorithm, form=False, secret="wrong")
    assert tea.code("DescribeAccounts", InstanceId=cloud.instance) == "SignatureDoesNotMatch"
