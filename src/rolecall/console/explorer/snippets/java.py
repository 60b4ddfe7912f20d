"""Java: Tencent's SDK, aliyun-java-sdk-core, and java.net.http for OpenStack."""

from __future__ import annotations

from rolecall.console.explorer.calls import DescribedCall, flat_text
from rolecall.console.explorer.snippets.literals import JAVA

_DEEP = 2
"""Steps of indentation of a statement in `main`."""


def snippet(call: DescribedCall) -> str:
    return {"tencent": _tencent, "aliyun": _aliyun, "openstack": _openstack}[call.dialect](call)


def _tencent(call: DescribedCall) -> str:
    text = JAVA.text
    return f"""\
// com.tencentcloudapi:tencentcloud-sdk-java-common
import com.google.gson.Gson;
import com.tencentcloudapi.common.CommonClient;
import com.tencentcloudapi.common.Credential;
import com.tencentcloudapi.common.profile.ClientProfile;
import com.tencentcloudapi.common.profile.HttpProfile;
import java.util.List;
import java.util.Map;

public class Call {{
    public static void main(String[] arguments) throws Exception {{
        Credential credential =
            new Credential(System.getenv("TENCENTCLOUD_SECRET_ID"), System.getenv("TENCENTCLOUD_SECRET_KEY"));
        HttpProfile http = new HttpProfile();
        http.setProtocol({text(f"{call.scheme}://")});
        http.setEndpoint({text(call.host)});
        ClientProfile profile = new ClientProfile();
        profile.setHttpProfile(http);
        CommonClient client =
            new CommonClient({text(call.service)}, {text(call.version)}, credential, {text(call.region)}, profile);
        Map<String, Object> params = {JAVA.literal(dict(call.params), _DEEP)};
        System.out.println(client.call({text(call.action)}, new Gson().toJson(params)));
    }}
}}
"""


def _aliyun(call: DescribedCall) -> str:
    text = JAVA.text
    lines = "".join(
        f"        request.putBodyParameter({text(name)}, {JAVA.literal(flat_text(value))});\n"
        for name, value in call.params.items()
    )
    return f"""\
// com.aliyun:aliyun-java-sdk-core
import com.aliyuncs.CommonRequest;
import com.aliyuncs.DefaultAcsClient;
import com.aliyuncs.http.MethodType;
import com.aliyuncs.http.ProtocolType;
import com.aliyuncs.profile.DefaultProfile;

public class Call {{
    public static void main(String[] arguments) throws Exception {{
        DefaultAcsClient client = new DefaultAcsClient(DefaultProfile.getProfile(
            {text(call.region)},
            System.getenv("ALIBABA_CLOUD_ACCESS_KEY_ID"),
            System.getenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET")));
        CommonRequest request = new CommonRequest();
        request.setSysMethod(MethodType.POST);
        request.setSysProtocol(ProtocolType.{call.scheme.upper()});
        request.setSysDomain({text(call.host)});
        request.setSysVersion({text(call.version)});
        request.setSysAction({text(call.action)});
{lines}        System.out.println(client.getCommonResponse(request).getData());
    }}
}}
"""


def _openstack(call: DescribedCall) -> str:
    rest = call.rest
    gson = "" if rest.body is None else "// com.google.code.gson:gson\nimport com.google.gson.Gson;\n"
    publisher = "HttpRequest.BodyPublishers.ofByteArray(new byte[0])"
    if rest.body is not None:
        made = f"new Gson().toJson({JAVA.literal(rest.body, _DEEP + 1)})"
        publisher = f"HttpRequest.BodyPublishers.ofString({made})"
    sent = {"Accept": '"application/json"'} | (
        {} if rest.body is None else {"Content-Type": '"application/json"'}
    )
    sent |= {} if rest.public else {"X-Auth-Token": JAVA.variable("OS_TOKEN")}
    sent |= {name: JAVA.variable(hole.variable) for name, hole in rest.headers.items()}
    headers = "".join(f'\n            .header("{name}", {value})' for name, value in sent.items())
    return f"""\
// export OS_TOKEN=$(openstack token issue -f value -c id)
{gson}import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;

public class Call {{
    public static void main(String[] arguments) throws Exception {{
        HttpRequest request = HttpRequest.newBuilder(URI.create({JAVA.joined((call.endpoint, *rest.path))})){headers}
            .method({JAVA.text(rest.method)}, {publisher})
            .build();
        HttpResponse<String> response =
            HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        System.out.println(response.statusCode() + " " + response.body());
    }}
}}
"""
