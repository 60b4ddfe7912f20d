"""Texts of the API Explorer."""

from __future__ import annotations

TEXTS = {
    "explorer_dialect": ("API", "API 体系"),
    "explorer_found": ("{number} actions", "共 {number} 个接口"),
    "explorer_changes": ("changes", "变更"),
    "explorer_parameters": ("Parameters", "参数"),
    "explorer_no_parameters": ("This action takes no parameters.", "该接口没有参数。"),
    "explorer_region": ("Region", "地域"),
    "explorer_required": ("required", "必填"),
    "explorer_default": ("default {value}", "默认值 {value}"),
    "explorer_number": ("{low} to {high}", "{low} 至 {high}"),
    "explorer_characters": ("{low} to {high} characters", "{low} 至 {high} 个字符"),
    "explorer_as_json": ("as JSON", "以 JSON 填写"),
    "explorer_secret_in": ("Secret in {param}", "{param} 中的密码"),
    "explorer_secret_mark": (
        "It takes the place of {mark} in the JSON, and is not shown again.",
        "将替换 JSON 中的 {mark}，且不会再次显示。",
    ),
    "explorer_not_json": ("This is not valid JSON: {where}", "JSON 无效：{where}"),
    "explorer_source": ("Source: {source}", "来源：{source}"),
    "explorer_check": ("Check", "检查"),
    "explorer_send": ("Send", "发送"),
    "explorer_confirm": (
        "Send {action} for real: it makes a change.",
        "确认真实发送 {action}：该操作会产生变更。",
    ),
    "explorer_unconfirmed": (
        "Nothing was sent. This action makes a change: confirm it beside the button, and type the secrets again.",
        "未发送。该接口会产生变更：请在按钮旁勾选确认，并重新输入密码。",
    ),
    "explorer_not_sent": (
        "A console session cannot be exchanged for a token. Use the code below.",
        "控制台会话不能换取令牌，请使用下方代码。",
    ),
    "explorer_free": ("Every caller may call it.", "所有调用者均可调用。"),
    "explorer_allowed": ("The parameters are right, and you may call this.", "参数正确，且您有权调用。"),
    "explorer_denied": ("The parameters are right, but you may not call this.", "参数正确，但您无权调用。"),
    "explorer_because": ("Reason: {why}.", "原因：{why}。"),
    "explorer_refused": (
        "The contract refuses these parameters: {message} ({code})",
        "参数不符合接口约定：{message}（{code}）",
    ),
    "explorer_asked": ("Policies are asked for {operation} on", "策略判定：{operation}，资源"),
    "explorer_answer": ("Answer", "响应"),
    "explorer_request": ("Request as it goes over the wire", "实际发送的请求"),
    "explorer_placeholder": (
        "Signed with the placeholder SECRET_ID and SECRET_KEY; secret parameters are names of variables here.",
        "使用占位密钥 SECRET_ID 和 SECRET_KEY 签名，密码类参数以变量名代替。",
    ),
    "explorer_typed_key": (
        "Signed with the secret that you typed. It is not kept: type it again for the next signature.",
        "使用您输入的密钥签名。密钥不会保存，再次签名时请重新输入。",
    ),
    "explorer_sign_with": ("Sign with a key of yours", "使用您的密钥签名"),
    "explorer_key_id": ("Key id", "密钥 ID"),
    "explorer_key_secret": ("Secret", "密钥"),
    "explorer_sign": ("Sign", "签名"),
    "explorer_covered": ("What the signature covers", "签名覆盖的内容"),
    "explorer_part": ("Part", "部分"),
    "explorer_is_covered": ("Covered", "是否覆盖"),
    "explorer_how": ("How", "方式"),
    "explorer_code": ("The same call as code", "对应的代码"),
    "explorer_variables": ("Set these variables in the environment:", "请在环境中设置以下变量："),
    "canonical_request": ("Canonical request", "规范请求串"),
    "canonical_query": ("Canonical query", "规范化查询串"),
    "string_to_sign": ("String to sign", "待签名字符串"),
    "signature": ("Signature", "签名"),
    "covers_tc3_canonical": (
        "Method, path, query, the signed headers, their names, and the SHA-256 of the body.",
        "请求方法、路径、查询串、参与签名的头部及其名称列表、请求体的 SHA-256。",
    ),
    "covers_tc3_string": (
        "Algorithm, X-TC-Timestamp, the scope (UTC date, service) and the SHA-256 of the canonical request.",
        "算法、X-TC-Timestamp、凭证范围（UTC 日期、服务）以及规范请求串的 SHA-256。",
    ),
    "covers_tc3_signature": (
        "HMAC-SHA256 of the string to sign, with a key derived of the secret, the date and the service.",
        "使用由密钥、日期和服务派生的密钥，对待签名字符串计算 HMAC-SHA256。",
    ),
    "covers_acs_canonical": (
        "All parameters but Signature, sorted by name and percent-encoded.",
        "除 Signature 外的全部参数，按名称排序并进行百分号编码。",
    ),
    "covers_acs_string": (
        "The method, the path / and the canonical query, encoded once more.",
        "请求方法、路径 / 以及再次编码的规范化查询串。",
    ),
    "covers_acs_signature": (
        "HMAC-SHA1 of the string to sign, with the secret and & behind it, in Base64.",
        "以密钥加 & 作为键，对待签名字符串计算 HMAC-SHA1，并以 Base64 编码。",
    ),
    "covered_method": ("In the signed text.", "在签名文本中。"),
    "covered_headers": ("Their values, as they are sent.", "按发送时的值参与签名。"),
    "covered_timestamp": (
        "In the string to sign; it may be 300 seconds off.",
        "在待签名字符串中；允许误差 300 秒。",
    ),
    "not_covered_naming": (
        "Sent beside the signature, as the SDKs do; a client may sign them too.",
        "与 SDK 一致，不参与签名；客户端也可将其加入签名。",
    ),
    "covered_scope": ("Its scope is in the string to sign.", "其凭证范围在待签名字符串中。"),
    "covered_body": ("Every byte, by its SHA-256.", "通过 SHA-256 覆盖每个字节。"),
    "not_covered_headers": ("No header is signed.", "头部不参与签名。"),
    "covered_nonce": (
        "They are parameters: a nonce is good for one request.",
        "作为参数参与签名；随机数只能使用一次。",
    ),
    "covered_params": ("All parameters, of query and body.", "查询串和请求体中的全部参数。"),
    "signature_itself": ("The result.", "签名结果。"),
    "token_is_proof": (
        "The token proves who calls. Nothing is signed: use TLS.",
        "令牌证明调用者身份。请求不签名，请使用 TLS。",
    ),
    "not_signed": ("Neither path nor body is signed.", "路径和请求体均不签名。"),
}
