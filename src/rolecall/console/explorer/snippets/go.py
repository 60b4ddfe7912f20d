"""Go: Tencent's SDK, Alibaba's SDK, and net/http for OpenStack."""

from __future__ import annotations

from rolecall.console.explorer.calls import DescribedCall, flat_text, holes_in
from rolecall.console.explorer.snippets.literals import GO


def snippet(call: DescribedCall) -> str:
    return {"tencent": _tencent, "aliyun": _aliyun, "openstack": _openstack}[call.dialect](call)


def _tencent(call: DescribedCall) -> str:
    text = GO.text
    return f"""\
// go get github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common
package main

import (
	"fmt"
	"log"
	"os"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	tchttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
)

func main() {{
	credential := common.NewCredential(os.Getenv("TENCENTCLOUD_SECRET_ID"), os.Getenv("TENCENTCLOUD_SECRET_KEY"))
	settings := profile.NewClientProfile()
	settings.HttpProfile.Scheme = {text(call.scheme.upper())}
	settings.HttpProfile.Endpoint = {text(call.host)}
	client := common.NewCommonClient(credential, {text(call.region)}, settings)
	request := tchttp.NewCommonRequest({text(call.service)}, {text(call.version)}, {text(call.action)})
	params := {GO.literal(dict(call.params), 1)}
	if err := request.SetActionParameters(params); err != nil {{
		log.Fatal(err)
	}}
	response := tchttp.NewCommonResponse()
	if err := client.Send(request, response); err != nil {{
		log.Fatal(err)
	}}
	fmt.Println(string(response.GetBody()))
}}
"""


def _aliyun(call: DescribedCall) -> str:
    text = GO.text
    lines = "".join(
        f"\trequest.FormParams[{text(name)}] = {GO.literal(flat_text(value))}\n"
        for name, value in call.params.items()
    )
    return f"""\
// go get github.com/aliyun/alibaba-cloud-sdk-go/sdk
package main

import (
	"fmt"
	"log"
	"os"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
)

func main() {{
	client, err := sdk.NewClientWithAccessKey(
		{text(call.region)}, os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_ID"), os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET"))
	if err != nil {{
		log.Fatal(err)
	}}
	request := requests.NewCommonRequest()
	request.Method = "POST"
	request.Scheme = {text(call.scheme)}
	request.Domain = {text(call.host)}
	request.Version = {text(call.version)}
	request.ApiName = {text(call.action)}
{lines}	response, err := client.ProcessCommonRequest(request)
	if err != nil {{
		log.Fatal(err)
	}}
	fmt.Println(response.GetHttpContentString())
}}
"""


def _openstack(call: DescribedCall) -> str:
    rest = call.rest
    imports = {"fmt", "io", "log", "net/http"}
    body, reader = "", "nil"
    if rest.body is not None:
        imports |= {"bytes", "encoding/json"}
        body = f"""\
	body, err := json.Marshal({GO.literal(rest.body, 1)})
	if err != nil {{
		log.Fatal(err)
	}}
"""
        reader = "bytes.NewReader(body)"
    sent = {"Accept": '"application/json"'} | (
        {} if rest.body is None else {"Content-Type": '"application/json"'}
    )
    sent |= {} if rest.public else {"X-Auth-Token": GO.variable("OS_TOKEN")}
    sent |= {name: GO.variable(hole.variable) for name, hole in rest.headers.items()}
    headers = "".join(f'\trequest.Header.Set("{name}", {value})\n' for name, value in sent.items())
    if (
        not rest.public
        or rest.headers
        or holes_in(rest.body)
        or any(not isinstance(p, str) for p in rest.path)
    ):
        imports.add("os")
    imported = "\n".join(f'\t"{name}"' for name in sorted(imports))
    return f"""\
// export OS_TOKEN=$(openstack token issue -f value -c id)
package main

import (
{imported}
)

func main() {{
{body}	request, err := http.NewRequest({GO.text(rest.method)}, {GO.joined((call.endpoint, *rest.path))}, {reader})
	if err != nil {{
		log.Fatal(err)
	}}
{headers}	response, err := http.DefaultClient.Do(request)
	if err != nil {{
		log.Fatal(err)
	}}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {{
		log.Fatal(err)
	}}
	fmt.Println(response.Status, string(answer))
}}
"""
