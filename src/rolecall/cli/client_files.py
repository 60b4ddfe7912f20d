"""`rolecall env --format config`: the configuration files of clients, with the endpoint and the owner's key."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from rolecall.cli.env import Client, Ready, served, variables
from rolecall.cli.errors import CommandError


def configuration(ready: Ready, client: Client | None) -> str:
    """The text of the client's file. `CommandError` for a client that has none."""
    write = None if client is None else _FILES.get(client)
    if write is None:
        raise CommandError(f"--format config needs one of the clients {', '.join(sorted(_FILES))}")
    return write(ready)


def _tccli(ready: Ready) -> str:
    """``~/.tccli/default.credential``."""
    tencent = ready["tencent"]
    return _json({"secretId": tencent["secret_id"], "secretKey": tencent["secret_key"]})


def _aliyun(ready: Ready) -> str:
    """``~/.aliyun/config.json``."""
    aliyun = served(ready, "aliyun")
    profile = {
        "name": "rolecall",
        "mode": "AK",
        "access_key_id": aliyun["access_key_id"],
        "access_key_secret": aliyun["access_key_secret"],
        "region_id": aliyun["region_id"],
        "output_format": "json",
        "language": "en",
    }
    return _json({"current": "rolecall", "profiles": [profile]})


def _openstack(ready: Ready) -> str:
    """``clouds.yaml``, whose cloud is `rolecall`. A text of JSON is one of YAML too."""
    found = variables(ready, Client.openstack)
    cloud = {
        "auth": {
            "auth_url": found["OS_AUTH_URL"],
            "username": found["OS_USERNAME"],
            "password": found["OS_PASSWORD"],
            "user_domain_id": found["OS_USER_DOMAIN_ID"],
            "project_id": found["OS_PROJECT_ID"],
        },
        "region_name": found["OS_REGION_NAME"],
        "identity_api_version": 3,
    } | ({"cacert": found["OS_CACERT"]} if "OS_CACERT" in found else {})
    return _json({"clouds": {"rolecall": cloud}})


def _terraform(ready: Ready) -> str:
    """The blocks of the providers `tencentcloud` and `openstack`."""
    found = variables(ready, Client.terraform)
    blocks = [
        _block(
            "tencentcloud",
            {
                "secret_id": found["TENCENTCLOUD_SECRET_ID"],
                "secret_key": found["TENCENTCLOUD_SECRET_KEY"],
                "region": found["TENCENTCLOUD_REGION"],
                "protocol": found["TENCENTCLOUD_PROTOCOL"],
                "domain": found["TENCENTCLOUD_DOMAIN"],
            },
        )
    ]
    if "openstack" in ready:
        own = {
            "auth_url": found["OS_AUTH_URL"],
            "user_name": found["OS_USERNAME"],
            "password": found["OS_PASSWORD"],
            "tenant_id": found["OS_PROJECT_ID"],
            "user_domain_id": found["OS_USER_DOMAIN_ID"],
            "region": found["OS_REGION_NAME"],
        }
        blocks.append(
            _block("openstack", own | ({"cacert_file": ready["ca_file"]} if "ca_file" in ready else {}))
        )
    return "\n".join(blocks)


def _curl(ready: Ready) -> str:
    """A file for ``curl --config``."""
    found = variables(ready, Client.curl)
    lines = [f"header = {json.dumps('X-Auth-Token: ' + found['OS_TOKEN'])}"]
    if "CURL_CA_BUNDLE" in found:
        lines.append(f"cacert = {json.dumps(found['CURL_CA_BUNDLE'])}")
    return "\n".join(lines) + "\n"


def _block(provider: str, values: Mapping[str, str]) -> str:
    width = max(map(len, values))
    lines = (f"  {name:{width}} = {_hcl(value)}" for name, value in values.items())
    return "\n".join([f'provider "{provider}" {{', *lines, "}"]) + "\n"


def _hcl(text: str) -> str:
    """A quoted string of HCL, in which ``${`` and ``%{`` would begin a template."""
    return json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")


def _json(content: object) -> str:
    return json.dumps(content, indent=2) + "\n"


_FILES: Mapping[Client, Callable[[Ready], str]] = {
    Client.tencent: _tccli,
    Client.tccli: _tccli,
    Client.aliyun: _aliyun,
    Client.openstack: _openstack,
    Client.terraform: _terraform,
    Client.curl: _curl,
}
