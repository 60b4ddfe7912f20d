"""The unmodified vendor SDKs for Python, one call at a time, with any caller's key."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tests.waiting import unless_late

MODULES = {
    "cam": "tencentcloud.cam.v20190116",
    "sts": "tencentcloud.sts.v20180813",
    "postgres": "tencentcloud.postgres.v20170312",
}


@dataclass(frozen=True)
class Sdk:
    """A caller. `way` are the profile's settings: how requests are sent and signed."""

    netloc: str
    credential: Credential
    region: str
    way: Mapping[str, str]

    @classmethod
    def of_owner(cls, rolecall: Any, way: Mapping[str, str] | None = None) -> Sdk:
        given = rolecall.tencent
        credential = Credential(given["secret_id"], given["secret_key"])
        return cls(rolecall.netloc, credential, given["region"], way or {})

    def with_key(self, secret_id: str, secret_key: str, token: str | None = None) -> Sdk:
        return Sdk(self.netloc, Credential(secret_id, secret_key, token), self.region, self.way)

    def with_user(self, added: Mapping[str, Any]) -> Sdk:
        """The sub-user that AddUser answered."""
        return self.with_key(added["SecretId"], added["SecretKey"])

    def with_lent(self, answer: Mapping[str, Any]) -> Sdk:
        """Whoever has the temporary credentials that an action of sts answered."""
        given = answer["Credentials"]
        return self.with_key(given["TmpSecretId"], given["TmpSecretKey"], given["Token"])

    def call(self, service: str, action: str, **params: Any) -> dict[str, Any]:
        """By the SDK's own request and response models; raises its exception."""
        models = importlib.import_module(f"{MODULES[service]}.models")
        module = importlib.import_module(f"{MODULES[service]}.{service}_client")
        http = dict(self.way)
        profile = ClientProfile(
            signMethod=http.pop("signMethod", None),
            language="en-US",
            httpProfile=HttpProfile(endpoint=self.netloc, protocol="http", **http),
        )
        region = self.region if service == "postgres" else ""
        client = getattr(module, f"{service.capitalize()}Client")(self.credential, region, profile)
        request = getattr(models, f"{action}Request")()
        request.from_json_string(json.dumps(params))
        answer: dict[str, Any] = json.loads(answered(getattr(client, action), request).to_json_string())
        return answer

    def code(self, service: str, action: str, **params: Any) -> str:
        """The error code, empty if it succeeds."""
        try:
            self.call(service, action, **params)
        except TencentCloudSDKException as error:
            return str(error.code) if len(error.requestId) == 36 else "an answer without a request id"
        return ""


def answered(method: Callable[[Any], Any], request: Any) -> Any:
    """What a method of a client returns; or it raises."""

    def send() -> Any:
        try:
            return method(request)
        except TencentCloudSDKException as error:
            return error

    answer = unless_late(send, lambda found: str(getattr(found, "code", "")))
    if isinstance(answer, TencentCloudSDKException):
        raise answer
    return answer


def by_models(
    client: Any, models: ModuleType, refused: Callable[[str, str], Exception]
) -> Callable[[str, Mapping[str, Any]], Mapping[str, Any]]:
    """Calls by the SDK's own request and response models."""

    def call(action: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        request = getattr(models, f"{action}Request")()
        request.from_json_string(json.dumps(params))
        try:
            response = answered(getattr(client, action), request)
        except TencentCloudSDKException as error:
            raise refused(error.code, error.requestId) from error
        answer: Mapping[str, Any] = json.loads(response.to_json_string())
        return answer

    return call
