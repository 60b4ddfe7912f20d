"""Calls of the international SDK for a test of another process: its packages have the names of the Chinese ones.

Arguments: endpoint and region. A line of standard input is `[action, params]` or `[action, params, service]` in JSON,
the line of standard output that follows is `{"response": {..}}` or `{"code", "message", "request_id"}`. The key is in
the environment; `params` may bring another one as `":key"`.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

from tencentcloud.common.credential import Credential, EnvironmentVariableCredential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

VERSIONS = {
    "postgres": "v20170312",
    "cam": "v20190116",
    "ciam": "v20220331",
    "sts": "v20180813",
    "tag": "v20180813",
}


def client(service: str, key: list[str] | None, endpoint: str, region: str) -> Any:
    module = importlib.import_module(f"tencentcloud.{service}.{VERSIONS[service]}.{service}_client")
    profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=endpoint), language="en-US")
    credential = Credential(*key) if key else EnvironmentVariableCredential().get_credential()
    return getattr(module, f"{service.capitalize()}Client")(credential, region, profile)


def answer(
    where: list[str], action: str, params: dict[str, Any], service: str = "postgres"
) -> dict[str, Any]:
    models = importlib.import_module(f"tencentcloud.{service}.{VERSIONS[service]}.models")
    caller = client(service, params.pop(":key", None), *where)
    request = getattr(models, f"{action}Request")()
    request.from_json_string(json.dumps(params))
    try:
        response = getattr(caller, action)(request)
    except TencentCloudSDKException as error:
        return {"code": error.code, "message": error.message, "request_id": error.requestId}
    return {"response": json.loads(response.to_json_string())}


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(answer(sys.argv[1:], *json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
