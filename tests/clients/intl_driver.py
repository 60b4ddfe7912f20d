"""Calls of the international SDK for a test of another process: its packages have the names of the Chinese ones.

Arguments: endpoint and region. A line of standard input is `[action, params]` in JSON, the line of standard output
that follows is `{"response": {..}}` or `{"code", "message", "request_id"}`. The key is in the environment.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from tencentcloud.common.credential import EnvironmentVariableCredential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.postgres.v20170312 import models
from tencentcloud.postgres.v20170312.postgres_client import PostgresClient


def client(endpoint: str, region: str) -> PostgresClient:
    http = HttpProfile(protocol="http", endpoint=endpoint)
    profile = ClientProfile(httpProfile=http, language="en-US")
    return PostgresClient(EnvironmentVariableCredential().get_credential(), region, profile)


def answer(postgres: PostgresClient, action: str, params: dict[str, Any]) -> dict[str, Any]:
    request = getattr(models, f"{action}Request")()
    request.from_json_string(json.dumps(params))
    try:
        response = getattr(postgres, action)(request)
    except TencentCloudSDKException as error:
        return {"code": error.code, "message": error.message, "request_id": error.requestId}
    return {"response": json.loads(response.to_json_string())}


def main() -> None:
    postgres = client(*sys.argv[1:])
    for line in sys.stdin:
        print(json.dumps(answer(postgres, *json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
