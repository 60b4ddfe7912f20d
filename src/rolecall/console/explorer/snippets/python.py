"""Python: Tencent's SDK, aliyun-python-sdk-core, keystoneauth1."""

from __future__ import annotations

from rolecall.console.explorer.calls import DescribedCall, flat_text
from rolecall.console.explorer.snippets.literals import PYTHON


def snippet(call: DescribedCall) -> str:
    return {"tencent": _tencent, "aliyun": _aliyun, "openstack": _openstack}[call.dialect](call)


def _tencent(call: DescribedCall) -> str:
    text = PYTHON.text
    return f"""\
# pip install tencentcloud-sdk-python-common
import json
import os

from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

credential = Credential(os.environ["TENCENTCLOUD_SECRET_ID"], os.environ["TENCENTCLOUD_SECRET_KEY"])
profile = ClientProfile(httpProfile=HttpProfile(protocol={text(call.scheme)}, endpoint={text(call.host)}))
client = CommonClient({text(call.service)}, {text(call.version)}, credential, {text(call.region)}, profile)
params = {PYTHON.literal(dict(call.params))}
print(json.dumps(client.call_json({text(call.action)}, params), indent=2, ensure_ascii=False))
"""


def _aliyun(call: DescribedCall) -> str:
    text = PYTHON.text
    params = {name: flat_text(value) for name, value in call.params.items()}
    return f"""\
# pip install aliyun-python-sdk-core
import os

from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest

client = AcsClient(
    os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"], os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"], {text(call.region)}
)
request = CommonRequest(domain={text(call.host)}, version={text(call.version)}, action_name={text(call.action)})
request.set_method("POST")
request.set_protocol_type({text(call.scheme)})
request.set_accept_format("json")
params = {PYTHON.literal(dict(params))}
for name, value in params.items():
    request.add_body_params(name, value)
print(client.do_action_with_exception(request).decode())
"""


def _openstack(call: DescribedCall) -> str:
    rest = call.rest
    json = "" if rest.body is None else f"\n    json={PYTHON.literal(rest.body, 1)},"
    sent = {"Accept": '"application/json"'}
    sent |= {name: PYTHON.variable(hole.variable) for name, hole in rest.headers.items()}
    headers = ", ".join(f'"{name}": {value}' for name, value in sent.items())
    authenticated = "" if rest.public else "\n    authenticated=True,"
    auth = "" if rest.public else _PASSWORD
    given = "" if rest.public else "auth=auth"
    return f"""\
# pip install keystoneauth1
import os

from keystoneauth1 import session
{"" if rest.public else "from keystoneauth1.identity import v3"}
{auth}
response = session.Session({given}).request(
    {PYTHON.joined((call.endpoint, *rest.path))},
    {PYTHON.text(rest.method)},{json}{authenticated}
    headers={{{headers}}},
)
print(response.status_code, response.text)
"""


_PASSWORD = """
auth = v3.Password(
    auth_url=os.environ["OS_AUTH_URL"],
    username=os.environ["OS_USERNAME"],
    password=os.environ["OS_PASSWORD"],
    user_domain_id="default",
    project_id=os.environ["OS_PROJECT_ID"],
)"""
