"""Texts of the page that explains a wrong signature."""

from __future__ import annotations

TEXTS = {
    "signature_why": ("Why is my signature wrong?", "为什么我的签名不正确？"),
    "signature_request": ("The request as it was sent", "发送的请求"),
    "signature_request_hint": (
        "Request line, headers, an empty line, body: of TC3-HMAC-SHA256, or of an Alibaba RPC call. It is not kept.",
        "请求行、头部、空行和请求体：TC3-HMAC-SHA256 请求或阿里云 RPC 请求。内容不会保存。",
    ),
    "signature_own": ("What your client computed (optional)", "您的客户端计算的内容（可选）"),
    "signature_own_hint": (
        "The canonical request of TC3, or the string to sign of Alibaba's RPC.",
        "TC3 的规范请求串，或阿里云 RPC 的待签名字符串。",
    ),
    "signature_explain": ("Explain", "解释"),
    "signature_unreadable": (
        "This is not an HTTP request: a line such as POST / HTTP/1.1, then headers.",
        "这不是 HTTP 请求：应先有 POST / HTTP/1.1 之类的请求行，然后是头部。",
    ),
    "signature_right": ("Nothing is wrong with this signature.", "该签名没有问题。"),
    "signature_findings": ("What the server computes", "服务器的计算结果"),
    "signature_good": ("right", "正确"),
    "signature_wrong": ("wrong", "错误"),
    "body_hash": ("SHA-256 of the body", "请求体的 SHA-256"),
    "line_method": ("the method", "请求方法"),
    "line_uri": ("the path", "路径"),
    "line_query": ("the query", "查询串"),
    "line_header": ("a signed header", "参与签名的头部"),
    "line_blank": ("the empty line behind the headers", "头部之后的空行"),
    "line_names": ("the names of the signed headers", "参与签名的头部名称"),
    "line_hash": ("the hash of the body", "请求体的哈希"),
    "line_parameter": ("a parameter", "参数"),
    "ok_key": ("The key {id} is yours and active.", "密钥 {id} 属于您且处于启用状态。"),
    "why_key": (
        "There is no key {id} of yours here, so its secret cannot be compared.",
        "此处没有属于您的密钥 {id}，无法比较其密钥内容。",
    ),
    "why_disabled": ("The key {id} is disabled.", "密钥 {id} 已被禁用。"),
    "why_malformed": (
        "The Authorization header cannot be read: {why}.",
        "无法识别 Authorization 头部：{why}。",
    ),
    "why_absent": (
        "The header {name} is signed but not in the request.",
        "头部 {name} 参与签名但不在请求中。",
    ),
    "why_no_timestamp": ("There is no X-TC-Timestamp in whole seconds.", "缺少以秒为单位的 X-TC-Timestamp。"),
    "why_no_parameter": ("The parameter {name} is missing.", "缺少参数 {name}。"),
    "why_algorithm": ("The signature method {name} is not served.", "不支持签名方法 {name}。"),
    "why_algorithm_other": (
        "It was signed with {name}, but SignatureMethod says otherwise.",
        "实际使用 {name} 签名，与 SignatureMethod 不一致。",
    ),
    "why_timestamp_form": (
        "Timestamp is not of the form 2026-01-31T12:00:00Z.",
        "Timestamp 的格式应为 2026-01-31T12:00:00Z。",
    ),
    "ok_skew": (
        "The time is right: {seconds} seconds from the server's.",
        "时间正确：与服务器相差 {seconds} 秒。",
    ),
    "why_skew": (
        "The server's time minus the request's is {seconds} seconds: it has expired, or the client's clock is wrong.",
        "服务器时间与请求时间相差 {seconds} 秒：请求已过期，或客户端时钟不准。",
    ),
    "ok_date": (
        "The date of the scope, {date}, is that of the timestamp.",
        "凭证范围的日期 {date} 与时间戳一致。",
    ),
    "why_date": (
        "The date of the scope is {date}, but the timestamp's date in UTC is {right}.",
        "凭证范围的日期为 {date}，但时间戳对应的 UTC 日期为 {right}。",
    ),
    "ok_own": ("Your text is the server's.", "您的文本与服务器一致。"),
    "why_line": (
        "The first difference is in line or part {line}, {part}. Server: {mine} Yours: {theirs}",
        "第一处差异位于第 {line} 行（部分）：{part}。服务器：{mine} 您的：{theirs}",
    ),
    "why_longer": ("Your text goes on where the server's ends.", "您的文本比服务器的长。"),
    "ok_signature": (
        "The signature is right for this request and the key's secret.",
        "签名与请求及密钥相符。",
    ),
    "why_host": (
        "It was signed for the host {host}, but the Host header says otherwise.",
        "签名使用的主机为 {host}，与 Host 头部不一致。",
    ),
    "why_body": (
        "Another body was signed: white space, ends of lines, or an empty body.",
        "签名时的请求体不同：空白、换行符不同，或请求体为空。",
    ),
    "why_content_type": (
        "Another Content-Type was signed than was sent.",
        "签名使用的 Content-Type 与发送的不一致。",
    ),
    "why_method": ("Another HTTP method was signed than was sent.", "签名使用的请求方法与发送的不一致。"),
    "why_plus": (
        "Spaces were encoded as +, and * or ~ otherwise than as the rule says: use %20, %2A and ~.",
        "空格被编码为 +，或 *、~ 编码不符合规则：应为 %20、%2A 和 ~。",
    ),
    "why_unsorted": ("The parameters were not sorted by name.", "参数未按名称排序。"),
    "why_encoded": (
        "The canonical query was not encoded once more in the string to sign.",
        "待签名字符串中的规范化查询串未再次编码。",
    ),
    "why_own_signed": (
        "Your secret is right: you signed the text that you pasted, and it differs from the server's.",
        "密钥正确：您签名的是所粘贴的文本，但它与服务器的不同。",
    ),
    "why_secret": (
        "The signature does not fit: another secret was used, or another text was signed.",
        "签名不符：使用了其他密钥，或签名了其他内容。",
    ),
}
