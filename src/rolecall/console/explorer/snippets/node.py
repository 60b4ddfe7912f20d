"""Node: Tencent's SDK, @alicloud/pop-core, and fetch for OpenStack. Modules of ECMAScript."""

from __future__ import annotations

from rolecall.console.explorer.calls import DescribedCall, flat_text
from rolecall.console.explorer.snippets.literals import NODE


def snippet(call: DescribedCall) -> str:
    return {"tencent": _tencent, "aliyun": _aliyun, "openstack": _openstack}[call.dialect](call)


def _tencent(call: DescribedCall) -> str:
    text = NODE.text
    return f"""\
// npm install tencentcloud-sdk-nodejs-common; a module: save it as call.mjs
import tencentcloud from "tencentcloud-sdk-nodejs-common";

const client = new tencentcloud.CommonClient({text(call.host)}, {text(call.version)}, {{
  credential: {{ secretId: process.env.TENCENTCLOUD_SECRET_ID, secretKey: process.env.TENCENTCLOUD_SECRET_KEY }},
  region: {text(call.region)},
  profile: {{ httpProfile: {{ protocol: {text(f"{call.scheme}://")}, endpoint: {text(call.host)} }} }},
}});
const params = {NODE.literal(dict(call.params))};
console.log(await client.request({text(call.action)}, params));
"""


def _aliyun(call: DescribedCall) -> str:
    text = NODE.text
    params = {"RegionId": call.region} if call.region else {}
    return f"""\
// npm install @alicloud/pop-core; a module: save it as call.mjs
import Core from "@alicloud/pop-core";

const client = new Core.RPCClient({{
  accessKeyId: process.env.ALIBABA_CLOUD_ACCESS_KEY_ID,
  accessKeySecret: process.env.ALIBABA_CLOUD_ACCESS_KEY_SECRET,
  endpoint: {text(call.endpoint)},
  apiVersion: {text(call.version)},
}});
const params = {NODE.literal({**params, **{name: flat_text(value) for name, value in call.params.items()}})};
console.log(await client.request({text(call.action)}, params, {{ method: "POST" }}));
"""


def _openstack(call: DescribedCall) -> str:
    rest = call.rest
    body = "" if rest.body is None else f"\n  body: JSON.stringify({NODE.literal(rest.body, 1)}),"
    sent = {"Accept": '"application/json"'} | (
        {} if rest.body is None else {"Content-Type": '"application/json"'}
    )
    sent |= {} if rest.public else {"X-Auth-Token": NODE.variable("OS_TOKEN")}
    sent |= {name: NODE.variable(hole.variable) for name, hole in rest.headers.items()}
    headers = ", ".join(f'"{name}": {value}' for name, value in sent.items())
    return f"""\
// export OS_TOKEN=$(openstack token issue -f value -c id); a module: save it as call.mjs
const response = await fetch({NODE.joined((call.endpoint, *rest.path))}, {{
  method: {NODE.text(rest.method)},
  headers: {{ {headers} }},{body}
}});
console.log(response.status, await response.text());
"""
