"""Terraform, where the provider has a resource that is created by the action."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from rolecall.console.explorer.calls import DescribedCall, Hole, Value, holes_in
from rolecall.console.explorer.snippets.literals import HCL


@dataclass(frozen=True, slots=True)
class _Resource:
    """`arguments` by parameter. `flags`: parameters that are 0 or 1 and stand for a boolean. `each`: the parameter
    whose items are a resource each."""

    type: str
    arguments: Mapping[str, str]
    flags: frozenset[str] = field(default_factory=frozenset)
    each: str = ""


_RESOURCES: Mapping[tuple[str, str], _Resource] = {
    ("postgres", "CreateAccount"): _Resource(
        "tencentcloud_postgresql_account",
        {
            "DBInstanceId": "db_instance_id",
            "UserName": "user_name",
            "Password": "password",
            "Type": "type",
            "Remark": "remark",
        },
    ),
    ("cam", "AddUser"): _Resource(
        "tencentcloud_cam_user",
        {
            "Name": "name",
            "Remark": "remark",
            "ConsoleLogin": "console_login",
            "UseApi": "use_api",
            "NeedResetPassword": "need_reset_password",
            "Password": "password",
            "PhoneNum": "phone_num",
            "CountryCode": "country_code",
            "Email": "email",
        },
        frozenset({"ConsoleLogin", "UseApi", "NeedResetPassword"}),
    ),
    ("cam", "CreateAccessKey"): _Resource("tencentcloud_cam_access_key", {"TargetUin": "target_uin"}),
    ("cam", "CreatePolicy"): _Resource(
        "tencentcloud_cam_policy",
        {"PolicyName": "name", "PolicyDocument": "document", "Description": "description"},
    ),
    ("cam", "CreateGroup"): _Resource("tencentcloud_cam_group", {"GroupName": "name", "Remark": "remark"}),
    ("database", "CreateUsers"): _Resource(
        "openstack_db_user_v1",
        {"name": "name", "password": "password", "host": "host", "databases": "databases"},
        each="users",
    ),
    ("database", "CreateDatabases"): _Resource(
        "openstack_db_database_v1", {"name": "name"}, each="databases"
    ),
}


def snippet(call: DescribedCall) -> str:
    """Empty without such a resource."""
    resource = _RESOURCES.get((call.service, call.action))
    if resource is None:
        return ""
    blocks = [_variable(hole) for hole in holes_in(dict(call.params))]
    blocks += (
        _block(resource, number, arguments) for number, arguments in enumerate(_all(call, resource), 1)
    )
    return _provider(call) + "\n" + "\n".join(blocks)


def _all(call: DescribedCall, resource: _Resource) -> Iterator[dict[str, Value]]:
    if not resource.each:
        yield _arguments(resource, call.params)
        return
    items = call.params.get(resource.each)
    for item in items if isinstance(items, list) else []:
        if isinstance(item, dict):
            yield {"instance_id": call.params.get("instance_id", ""), **_arguments(resource, item)}


def _arguments(resource: _Resource, params: Mapping[str, Value]) -> dict[str, Value]:
    given: dict[str, Value] = {}
    for name, argument in resource.arguments.items():
        if name not in params:
            continue
        value = params[name]
        if name in resource.flags:
            value = value in (1, "1")
        if isinstance(value, list):
            value = [item.get("name", "") for item in value if isinstance(item, dict)]
        given[argument] = value
    return given


def _block(resource: _Resource, number: int, arguments: Mapping[str, Value]) -> str:
    lines = "".join(f"  {name} = {HCL.literal(value, 1)}\n" for name, value in arguments.items())
    return f'resource "{resource.type}" "example{number}" {{\n{lines}}}\n'


def _variable(hole: Hole) -> str:
    return f'variable "{hole.variable.lower()}" {{\n  type      = string\n  sensitive = true\n}}\n'


def _provider(call: DescribedCall) -> str:
    """The credentials are read from the environment, as the comments say."""
    if call.dialect == "openstack":
        return """\
# Reads OS_AUTH_URL, OS_USERNAME, OS_PASSWORD, OS_PROJECT_ID and OS_USER_DOMAIN_ID; variables from TF_VAR_...
terraform {
  required_providers {
    openstack = {
      source = "terraform-provider-openstack/openstack"
    }
  }
}
"""
    region = f"  region   = {HCL.text(call.region)}\n" if call.region else ""
    return f"""\
# Reads TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY; variables from TF_VAR_...
# The provider calls {call.service}.<domain>: that name must lead to this server (for example in /etc/hosts).
terraform {{
  required_providers {{
    tencentcloud = {{
      source = "tencentcloudstack/tencentcloud"
    }}
  }}
}}

provider "tencentcloud" {{
{region}  protocol = {HCL.text(call.scheme.upper())}
  domain   = {HCL.text(call.host)}
}}
"""
