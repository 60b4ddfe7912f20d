"""curl, in a script of bash that signs with openssl."""

from __future__ import annotations

from rolecall.console.explorer.calls import DescribedCall, Hole, Text, flat_text, holes_in, json_pieces
from rolecall.console.explorer.snippets.literals import shell_text
from rolecall.signing.acs1 import percent_encode

_JSON = """\
# A text as it stands between the quotes of JSON.
json() { local text=${1//\\\\/\\\\\\\\}; printf '%s' "${text//\\"/\\\\\\"}"; }
"""
_ENCODE = """\
encode() {
  local LC_ALL=C text=$1 encoded= at character
  for ((at = 0; at < ${#text}; at++)); do
    character=${text:at:1}
    case $character in
      [A-Za-z0-9_.~-]) encoded+=$character ;;
      *) printf -v character '%%%02X' "$(($(printf '%d' "'$character") & 255))"; encoded+=$character ;;
    esac
  done
  printf '%s' "$encoded"
}
"""
_KEY_SEEN = "# openssl takes the key as an argument, which other users of this machine can see while it runs."


def snippet(call: DescribedCall) -> str:
    return {"tencent": _tencent, "aliyun": _aliyun, "openstack": _openstack}[call.dialect](call)


def _head(*variables: str) -> str:
    required = "".join(f': "${{{name}:?set {name} in the environment}}"\n' for name in variables)
    return f"#!/usr/bin/env bash\nset -euo pipefail\n{required}"


def shell_pieces(text: Text, filled: str = '$(json "${name}")') -> str:
    """A word of the shell; `filled` is what stands for a hole, in double quotes."""
    words = [
        '"' + filled.replace("{name}", piece.variable) + '"' if isinstance(piece, Hole) else shell_text(piece)
        for piece in text
    ]
    return "".join(words) or "''"


def _tencent(call: DescribedCall) -> str:
    names = ("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY", *(hole.variable for hole in call.holes))
    region = f"-H {shell_text(f'X-TC-Region: {call.region}')} " if call.region else ""
    return f"""\
{_head(*names)}{_JSON if call.holes else ""}
payload={shell_pieces(json_pieces(dict(call.params)))}
host={shell_text(call.host)}
service={shell_text(call.service)}
read -r timestamp date <<< "$(date -u '+%s %Y-%m-%d')"

{_KEY_SEEN}
sha256() {{ openssl dgst -sha256 -hex | sed 's/^.* //'; }}
hmac() {{ openssl dgst -sha256 -mac HMAC -macopt "$1" -hex | sed 's/^.* //'; }}

hashed_payload=$(printf '%s' "$payload" | sha256)
canonical_request=$(printf 'POST\\n/\\n\\ncontent-type:application/json\\nhost:%s\\n\\ncontent-type;host\\n%s' \\
  "$host" "$hashed_payload")
hashed_request=$(printf '%s' "$canonical_request" | sha256)
scope="$date/$service/tc3_request"
string_to_sign=$(printf 'TC3-HMAC-SHA256\\n%s\\n%s\\n%s' "$timestamp" "$scope" "$hashed_request")
date_key=$(printf '%s' "$date" | hmac "key:TC3$TENCENTCLOUD_SECRET_KEY")
service_key=$(printf '%s' "$service" | hmac "hexkey:$date_key")
signing_key=$(printf 'tc3_request' | hmac "hexkey:$service_key")
signature=$(printf '%s' "$string_to_sign" | hmac "hexkey:$signing_key")
credential="$TENCENTCLOUD_SECRET_ID/$scope"

printf '%s' "$payload" | curl -sS {shell_text(call.endpoint + "/")} --data-binary @- \\
  -H "Authorization: TC3-HMAC-SHA256 Credential=$credential, SignedHeaders=content-type;host, Signature=$signature" \\
  -H 'Content-Type: application/json' -H "Host: $host" \\
  -H {shell_text(f"X-TC-Action: {call.action}")} -H {shell_text(f"X-TC-Version: {call.version}")} \\
  {region}-H "X-TC-Timestamp: $timestamp"
"""


def _aliyun(call: DescribedCall) -> str:
    key, secret = "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"
    fixed: dict[str, str | Hole] = {
        "Action": call.action,
        "Version": call.version,
        "Format": "JSON",
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        **({"RegionId": call.region} if call.region else {}),
        **{name: flat_text(value) for name, value in call.params.items()},
    }
    words = {
        "AccessKeyId": f'"$(encode "${key}")"',
        "SignatureNonce": '"$nonce"',
        "Timestamp": '"$(encode "$timestamp")"',
        **{
            name: f'"$(encode "{value}")"' if isinstance(value, Hole) else shell_text(percent_encode(value))
            for name, value in fixed.items()
        },
    }
    lines = "".join(
        f"query+={shell_text(('&' if at else '') + percent_encode(name) + '=')}{words[name]}\n"
        for at, name in enumerate(sorted(words))
    )
    return f"""\
{_head(key, secret, *(hole.variable for hole in call.holes))}
{_ENCODE}
nonce=$(openssl rand -hex 16)
timestamp=$(date -u +%Y-%m-%dT%H:%M:%SZ)

# The parameters in the order of their names, encoded.
query=
{lines}
{_KEY_SEEN}
signature=$(printf '%s' "POST&%2F&$(encode "$query")" \\
  | openssl dgst -sha1 -mac HMAC -macopt "key:${secret}&" -binary | openssl base64)

printf '%s' "$query&Signature=$(encode "$signature")" | curl -sS {shell_text(call.endpoint + "/")} --data-binary @- \\
  -H 'Content-Type: application/x-www-form-urlencoded'
"""


def _openstack(call: DescribedCall) -> str:
    rest = call.rest
    in_body = [] if rest.body is None else holes_in(rest.body)
    in_path = [piece for piece in rest.path if isinstance(piece, Hole)]
    holes = dict.fromkeys((*in_body, *in_path, *rest.headers.values()))
    names = (*(() if rest.public else ("OS_TOKEN",)), *(hole.variable for hole in holes))
    hint = "" if rest.public else "# export OS_TOKEN=$(openstack token issue -f value -c id)\n"
    url = shell_pieces((call.endpoint, *rest.path), "${name}")
    headers = [("X-Auth-Token", "OS_TOKEN")] if not rest.public else []
    headers += [(name, hole.variable) for name, hole in rest.headers.items()]
    sent = [f"-H @<(printf '{name}: %s\\n' \"${variable}\")" for name, variable in headers]
    sent.append("-H 'Accept: application/json'")
    before, data = "", ""
    if rest.body is not None:
        before = f"printf '%s' {shell_pieces(json_pieces(rest.body))} | "
        data = " --data-binary @-"
        sent.append("-H 'Content-Type: application/json'")
    options = " \\\n  ".join(sent)
    return f"""\
{_head(*names)}{hint}{_JSON if in_body else ""}
{before}curl -sS -i -X {rest.method} {url}{data} \\
  {options}
"""
