"""The calls of the demo, as the vendors' clients send them."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Mapping
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen
from uuid import uuid4

from rolecall.cli.errors import CommandError
from rolecall.signing import acs1, tc3
from rolecall.values import Secret

_TIMEOUT = 30

_JSON_TYPE = {"Content-Type": "application/json", "Accept": "application/json"}

_VERSIONS = {"postgres": "2017-03-12", "cam": "2019-01-16", "ciam": "2022-03-31", "sts": "2018-08-13"}


def tencent(
    ready: Mapping[str, Any],
    service: str,
    action: str,
    params: Mapping[str, object],
    key: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """The Response of one Tencent call, signed with `key` (id and secret) or the owner's key.

    Raises `CommandError` with the vendor's error.
    """
    keys = ready["tencent"]
    payload = json.dumps(params).encode()
    key_id, secret = key or (keys["secret_id"], keys["secret_key"])
    headers = tc3.post_headers(
        key_id,
        Secret(secret),
        service=service,
        version=_VERSIONS[service],
        action=action,
        region=keys["region"],
        timestamp=int(time.time()),
        host=urlsplit(ready["endpoint"]).netloc,
        payload=payload,
    )
    response: dict[str, Any] = json.loads(_send(ready, ready["endpoint"] + "/", payload, headers)[1])[
        "Response"
    ]
    if "Error" in response:
        raise CommandError(f"{action}: {response['Error']['Code']}: {response['Error']['Message']}")
    return response


def aliyun(ready: Mapping[str, Any], action: str, params: Mapping[str, str]) -> dict[str, Any]:
    """The answer of one signed PetaData call."""
    keys = ready["aliyun"]
    fields = {
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
    fields["Signature"] = acs1.sign("POST", fields.items(), Secret(keys["access_key_secret"]))
    body = urlencode(fields).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer: dict[str, Any] = json.loads(_send(ready, ready["endpoint"] + "/", body, headers)[1])
    return answer


def openstack(ready: Mapping[str, Any], path: str, content: Mapping[str, object]) -> int:
    """The status of one call of the Database API, with a new token."""
    keys = ready["openstack"]
    url = f"{keys['database_url']}/instances/{keys['instance_id']}/{path}"
    headers = {**_JSON_TYPE, "X-Auth-Token": openstack_token(ready)}
    response, _ = _send(ready, url, json.dumps(content).encode(), headers)
    return int(response["status"])


def openstack_token(ready: Mapping[str, Any]) -> str:
    """A new token of the Identity API."""
    keys = ready["openstack"]
    credential = {"id": keys["username"], "secret": keys["password"]}
    body = {
        "auth": {"identity": {"methods": ["application_credential"], "application_credential": credential}}
    }
    headers, _ = _send(ready, keys["auth_url"] + "/auth/tokens", json.dumps(body).encode(), _JSON_TYPE)
    return headers["x-subject-token"]


def password_grant(ready: Mapping[str, Any], login: str, password: str) -> dict[str, Any]:
    """Sign in a user of the quickstart store; the claims of its userinfo."""
    keys = ready["tencent"]
    form = {
        "grant_type": "password",
        "client_id": keys["oidc_client_id"],
        "username": login,
        "password": password,
        "scope": "openid",
    }
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    found: dict[str, Any] = json.loads(
        _get(ready, keys["oidc_issuer"] + "/.well-known/openid-configuration", {})
    )
    answer = json.loads(_send(ready, found["token_endpoint"], urlencode(form).encode(), kind)[1])
    bearer = {"Authorization": f"Bearer {answer['access_token']}"}
    claims: dict[str, Any] = json.loads(_get(ready, found["userinfo_endpoint"], bearer))
    return claims


def _get(ready: Mapping[str, Any], url: str, headers: Mapping[str, str]) -> bytes:
    return _send(ready, url, None, headers)[1]


def _send(
    ready: Mapping[str, Any], url: str, body: bytes | None, headers: Mapping[str, str]
) -> tuple[dict[str, str], bytes]:
    request = Request(url, body, dict(headers))  # noqa: S310 - the endpoint of a ready file
    trust = ssl.create_default_context(cafile=ready.get("ca_file"))
    try:
        with urlopen(request, timeout=_TIMEOUT, context=trust) as response:  # noqa: S310
            found = {name.lower(): value for name, value in response.headers.items()}
            return found | {"status": str(response.status)}, response.read()
    except HTTPError as error:
        raise CommandError(f"{error.code}: {error.read().decode(errors='replace')[:500]}") from None
