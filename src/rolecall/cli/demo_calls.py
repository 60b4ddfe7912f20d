"""One account through each dialect, over plain HTTP, as the vendors' clients would send it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from uuid import uuid4

from rolecall.settings import SettingsError
from rolecall.signing import acs1, tc3
from rolecall.values import Secret

_TIMEOUT = 30


def tencent(ready: Mapping[str, Any], action: str, params: Mapping[str, object]) -> dict[str, Any]:
    """One signed Tencent postgres call; its Response. Raises `SettingsError` with the vendor's error."""
    keys = ready["tencent"]
    payload = json.dumps(params).encode()
    headers = tc3.post_headers(
        keys["secret_id"],
        Secret(keys["secret_key"]),
        service="postgres",
        version="2017-03-12",
        action=action,
        region=keys["region"],
        timestamp=int(time.time()),
        host=str(ready["endpoint"]).removeprefix("http://"),
        payload=payload,
    )
    response: dict[str, Any] = json.loads(_send(ready["endpoint"] + "/", payload, headers)[1])["Response"]
    if "Error" in response:
        raise SettingsError(f"{action}: {response['Error']['Code']}: {response['Error']['Message']}")
    return response


def aliyun(ready: Mapping[str, Any], action: str, params: Mapping[str, str]) -> dict[str, Any]:
    """One signed PetaData call."""
    keys = ready["aliyun"]
    everything = {
        "Action": action,
        "Version": "2016-01-01",
        "Format": "JSON",
        "RegionId": keys["region_id"],
        "AccessKeyId": keys["access_key_id"],
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        "SignatureNonce": str(uuid4()),
        "Timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        **params,
    }
    everything["Signature"] = acs1.sign("POST", everything.items(), Secret(keys["access_key_secret"]))
    body = urlencode(everything).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer: dict[str, Any] = json.loads(_send(ready["endpoint"] + "/", body, headers)[1])
    return answer


def openstack(ready: Mapping[str, Any], path: str, content: Mapping[str, object]) -> int:
    """One call of the Database API with a fresh token; its status."""
    keys = ready["openstack"]
    credential = {"id": keys["username"], "secret": keys["password"]}
    ask = {
        "auth": {"identity": {"methods": ["application_credential"], "application_credential": credential}}
    }
    json_type = {"Content-Type": "application/json", "Accept": "application/json"}
    headers, _ = _send(keys["auth_url"] + "/auth/tokens", json.dumps(ask).encode(), json_type)
    token = headers["x-subject-token"]
    url = f"{keys['database_url']}/instances/{keys['instance_id']}/{path}"
    answered, _ = _send(url, json.dumps(content).encode(), {**json_type, "X-Auth-Token": token})
    return int(answered["status"])


def _send(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[dict[str, str], bytes]:
    request = Request(url, body, dict(headers))  # noqa: S310 - the endpoint of a ready file
    try:
        with urlopen(request, timeout=_TIMEOUT) as response:  # noqa: S310
            found = {name.lower(): value for name, value in response.headers.items()}
            return found | {"status": str(response.status)}, response.read()
    except HTTPError as error:
        raise SettingsError(f"{error.code}: {error.read().decode(errors='replace')[:500]}") from None
