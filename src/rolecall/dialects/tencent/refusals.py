"""The vendor's common error codes: what every reason is called where a contract has no row of its own.

Codes: "Common error codes" of the Tencent Cloud API documentation. Wordings: the live service's where public bug
reports quote them, else that page's descriptions; where neither speaks of a case, ours in their manner.

For MALFORMED_REQUEST the field is the part at fault (``json``, ``form``, ``query``, ``multipart``, ``header``,
``duplicate``, ``depth``, ``Content-Type``); for TOO_LARGE it is ``SignatureMethod`` if signature v1 sets the limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from rolecall.contracts.model import Action, Contract, ErrorRow, Field, Kind, ListOf, Shape
from rolecall.dialects.wording import filled, quoted
from rolecall.domain.reasons import IDENTITY_REASONS, Reason, Refused
from rolecall.values import Language, Secret

_invalid_value = partial(ErrorRow, "InvalidParameterValue")
_invalid = partial(ErrorRow, "InvalidParameter")
_unsupported = partial(ErrorRow, "UnsupportedOperation")
_failed = partial(ErrorRow, "FailedOperation")
_not_found = partial(ErrorRow, "ResourceNotFound")
_unavailable = partial(ErrorRow, "ResourceUnavailable")
_away = partial(ErrorRow, "ServiceUnavailable")

_MALFORMED = _invalid("The request is malformed.", "请求格式错误。")

_NO_PAIR = _invalid(
    "Url key and value should be splited by `=`.",  # the vendor's spelling
    "Url 的键和值应以 `=` 分隔，并使用正确的 UTF-8 百分号编码。",
)
_NO_KEY = ErrorRow(
    "AuthFailure.SecretIdNotFound",
    "The SecretId is not found, please ensure that your SecretId is correct.",
    "密钥不存在，请确认您的 SecretId 是否正确。",
)

_REFUSED_ROW = _failed("The operation was refused: {reason}.", "操作被拒绝：{reason}。")

# Reasons of other dialects and other kinds of server: no action of this dialect gives them.
_ELSEWHERE = (
    Reason.ROUTE_UNKNOWN,
    Reason.MEDIA_TYPE_UNSUPPORTED,
    Reason.CLIENT_TOKEN_MISMATCH,
    Reason.CLIENT_TOKEN_BUSY,
    Reason.NONCE_REUSED,
    Reason.CREDENTIALS_INVALID,
    Reason.TENANT_FOREIGN,
    Reason.IDENTITY_UNREACHABLE,
    Reason.ACCOUNT_REPEATED,
    Reason.ACCOUNT_QUOTA,
    Reason.HOST_MALFORMED,
    Reason.GRANT_MISSING,
    Reason.PASSWORD_WRONG,
    Reason.PROVISIONER_MISSING,
    Reason.INSTANCE_STARTING,
    Reason.INSTANCE_FAILED,
    Reason.INSTANCE_RUNNING,
    Reason.INSTANCE_QUOTA,
    Reason.VERIFIERS_REFUSED,
    Reason.VERSION_UNOFFERED,
    Reason.ENGINE_UNSUITED,
)

COMMON: Mapping[Reason | tuple[Reason, str], ErrorRow] = {
    **dict.fromkeys(_ELSEWHERE, _REFUSED_ROW),
    **dict.fromkeys(IDENTITY_REASONS, _REFUSED_ROW),
    # intake and envelope
    Reason.MALFORMED_REQUEST: _MALFORMED,
    (Reason.MALFORMED_REQUEST, "json"): _invalid(
        "The request body is not a valid JSON object, as the specified content-type=application/json requires.",
        "对于指定content-type=application/json协议下，请求内容不是合法的Json格式。",
    ),
    (Reason.MALFORMED_REQUEST, "form"): _NO_PAIR,
    (Reason.MALFORMED_REQUEST, "query"): _NO_PAIR,
    (Reason.MALFORMED_REQUEST, "multipart"): ErrorRow(
        "InvalidRequest",
        "The multipart format of the request body is incorrect.",
        "请求 body 的 multipart 格式错误。",
    ),
    (Reason.MALFORMED_REQUEST, "header"): _invalid(
        "The request header `{value}` is specified more than once with different values.",
        "请求头部 `{value}` 重复且取值不同。",
    ),
    (Reason.MALFORMED_REQUEST, "duplicate"): _invalid(
        "A parameter is specified more than once.", "请求中存在重复的参数。"
    ),
    (Reason.MALFORMED_REQUEST, "depth"): _invalid(
        "The parameters of the request are nested too deeply.", "请求参数的嵌套层级过深。"
    ),
    (Reason.MALFORMED_REQUEST, "Content-Type"): _invalid(
        "The content-type `{value}` is not supported with signature method `TC3-HMAC-SHA256`.",
        "签名方法 `TC3-HMAC-SHA256` 不支持 content-type `{value}`。",
    ),
    Reason.TOO_LARGE: ErrorRow(
        "RequestSizeLimitExceeded", "The request size exceeds the upper limit.", "请求包超过限制大小。"
    ),
    (Reason.TOO_LARGE, "SignatureMethod"): ErrorRow(
        "AuthFailure.SignatureFailure",
        "The provided credentials could not be validated because of exceeding request size limit, "
        "please use new signature method `TC3-HMAC-SHA256`.",
        "请求包超过限制大小，签名验证失败，请使用新的签名方法 `TC3-HMAC-SHA256`。",
    ),
    Reason.METHOD_UNSUPPORTED: ErrorRow(
        "UnsupportedProtocol",
        "The HTTP(S) request protocol is not supported; only GET and POST requests are supported.",
        "http(s) 请求协议错误，只支持 GET 和 POST 请求。",
    ),
    Reason.TLS_REQUIRED: ErrorRow(
        "UnsupportedProtocol",
        "The HTTP(S) request protocol is not supported; this action carries a secret and is served over HTTPS only.",
        "http(s) 请求协议错误，该接口涉及敏感信息，只支持 HTTPS。",
    ),
    Reason.SERVICE_UNKNOWN: ErrorRow(
        "NoSuchProduct", "The specified product `{value}` does not exist.", "产品 `{value}` 不存在。"
    ),
    Reason.VERSION_UNKNOWN: ErrorRow(
        "NoSuchVersion",
        "The specified api version=`{value}` does not exist in service=`{service}`.",
        "产品 `{service}` 不存在接口版本 `{value}`。",
    ),
    Reason.ACTION_UNKNOWN: ErrorRow(
        "InvalidAction",
        "The specified action=`{value}` does not exist in service=`{service}`, version=`{version}`.",
        "产品 `{service}` 的版本 `{version}` 不存在接口 `{value}`。",
    ),
    # who is calling
    Reason.AUTHORIZATION_MALFORMED: ErrorRow(
        "AuthFailure.InvalidAuthorization",
        "The `Authorization` in the request header does not comply with the Tencent Cloud standard.",
        "请求头部的 `Authorization` 不符合腾讯云标准。",
    ),
    (Reason.AUTHORIZATION_MALFORMED, "SignatureMethod"): _invalid_value(
        "The value specified in the parameter `SignatureMethod` is not valid.",
        "参数 `SignatureMethod` 的取值不合法。",
    ),
    Reason.KEY_UNKNOWN: _NO_KEY,
    Reason.KEY_DISABLED: _NO_KEY,
    Reason.SIGNATURE_MISMATCH: ErrorRow(
        "AuthFailure.SignatureFailure",
        "The provided credentials could not be validated. Please check your signature is correct.",
        "请求签名验证失败，请检查您的签名计算是否正确。",
    ),
    Reason.SIGNATURE_EXPIRED: ErrorRow(
        "AuthFailure.SignatureExpire",
        "Signature expired. Timestamp and server time cannot differ by more than five minutes. "
        "Please ensure your current local time matches the standard time.",
        "签名过期。Timestamp 和服务器时间相差不得超过五分钟，请检查本地时间是否和标准时间同步。",
    ),
    Reason.TOKEN_INVALID: ErrorRow(
        "AuthFailure.TokenFailure", "Token is invalid or expired.", "token 错误。"
    ),
    # may they
    Reason.RATE_EXCEEDED: ErrorRow(
        "RequestLimitExceeded",
        "Your current request times equals to `{count}` in a second, which exceeds the frequency limit "
        "`{limit}` for a second. Please reduce the frequency of calls.",
        "您当前每秒请求 `{count}` 次，超过了每秒频率上限 `{limit}` 次，请稍后重试。",
    ),
    Reason.NOT_PERMITTED: ErrorRow(
        "AuthFailure.UnauthorizedOperation",
        "You are not authorized to perform this operation. Check your CAM policies, and ensure that you are using "
        "the correct access keys. [[request id:{request_id}]you are not authorized to perform operation "
        "({operation})\nresource ({resource}) has no permission\n]",
        "您无权执行本操作，请检查您的 CAM 策略，并确认您使用了正确的访问密钥。[[request id:{request_id}]you are not "
        "authorized to perform operation ({operation})\nresource ({resource}) has no permission\n]",
    ),
    Reason.CALLER_NOT_LISTED: ErrorRow(
        "UnauthorizedOperation", "The user is not in the allowlist.", "用户不在白名单中。"
    ),
    # parameters
    Reason.PARAMETER_MISSING: ErrorRow(
        "MissingParameter",
        "The request is missing a required parameter `{field}`.",
        "缺少必要的参数 `{field}`。",
    ),
    Reason.PARAMETER_UNKNOWN: ErrorRow(
        "UnknownParameter", "The parameter `{field}` is not recognized.", "参数 `{field}` 无法识别。"
    ),
    Reason.PARAMETER_TYPE: _invalid(
        "The value type of parameter `{field}` is not valid.", "参数 `{field}` 的值类型错误。"
    ),
    Reason.PARAMETER_VALUE: _invalid_value(
        "The value `{value}` specified in the parameter `{field}` is not valid.",
        "参数 `{field}` 的取值 `{value}` 不合法。",
    ),
    Reason.PARAMETER_RANGE: _invalid_value(
        "The value `{value}` specified in the parameter `{field}` is out of range.",
        "参数 `{field}` 的取值 `{value}` 超出范围。",
    ),
    Reason.PARAMETER_LENGTH: _invalid_value(
        "The length of the parameter `{field}` exceeds the limit.", "参数 `{field}` 的长度超过限制。"
    ),
    Reason.PARAMETER_CHARACTERS: _invalid_value(
        "The parameter `{field}` contains characters that are not allowed.",
        "参数 `{field}` 包含不允许的字符。",
    ),
    Reason.REGION_UNSUPPORTED: ErrorRow(
        "UnsupportedRegion", "The API does not support the requested region.", "接口不支持所传地域。"
    ),
    Reason.ACCOUNT_NAME_MALFORMED: _invalid_value("The account name is not valid.", "账号名不合法。"),
    Reason.ACCOUNT_NAME_RESERVED: _invalid_value(
        "The account name is reserved by the system.", "账号名为系统保留名称。"
    ),
    Reason.DATABASE_NAME_MALFORMED: _invalid_value("The database name is not valid.", "数据库名不合法。"),
    Reason.OBJECT_NAME_MALFORMED: _invalid_value(
        "The name of the database object is not valid.", "数据库对象名不合法。"
    ),
    Reason.PASSWORD_LENGTH: _invalid_value(
        "The password length does not meet the requirements.", "密码长度不符合要求。"
    ),
    Reason.PASSWORD_CONTENT: _invalid_value(
        "The password does not meet the complexity requirements.", "密码不符合复杂度要求。"
    ),
    Reason.PASSWORD_UNDECIPHERABLE: _invalid_value(
        "Decrypting the password failed. Confirm whether the password encryption is correct.",
        "密码解密失败，请确认密码加密是否正确。",
    ),
    # instances
    Reason.INSTANCE_MISSING: _not_found("The specified instance does not exist.", "指定的实例不存在。"),
    Reason.INSTANCE_FORBIDDEN: ErrorRow(
        "UnauthorizedOperation",
        "You do not have the permission to operate this resource.",
        "您没有操作该资源的权限。",
    ),
    Reason.INSTANCE_ISOLATED: _unavailable(
        "This operation cannot be performed on an isolated instance.", "实例已隔离，不支持该操作。"
    ),
    Reason.INSTANCE_RESTARTING: _unavailable(
        "This operation cannot be performed while the instance is restarting. Please try again later.",
        "实例正在重启，请稍后重试。",
    ),
    Reason.ENGINE_TOO_OLD: _unsupported(
        "The kernel version of the instance is too low to support this operation.",
        "实例内核版本过低，不支持该操作。",
    ),
    Reason.ENGINE_UNREACHABLE: _away(
        "The database service of the instance cannot be accessed. Please try again later.",
        "无法访问实例的数据库服务，请稍后重试。",
    ),
    Reason.ENGINE_BUSY: _away(
        "Too many operations are waiting for this instance. Please try again later.",
        "实例上等待的操作过多，请稍后重试。",
    ),
    Reason.ENGINE_REFUSED: _failed("The operation was refused by the database.", "数据库拒绝了该操作。"),
    # accounts
    Reason.ACCOUNT_TAKEN: ErrorRow("ResourceInUse", "The account name already exists.", "账号名已存在。"),
    Reason.ACCOUNT_MISSING: _not_found("The account does not exist.", "账号不存在。"),
    Reason.ACCOUNT_PROTECTED: _unsupported(
        "This operation is not supported for a system account.", "系统账号不支持该操作。"
    ),
    Reason.PASSWORD_MANAGED: _unsupported(
        "This operation is not supported while CAM verification is enabled for the account.",
        "账号已开启 CAM 验证，不支持该操作。",
    ),
    Reason.PASSWORD_NOT_MANAGED: _unsupported(
        "This operation is not supported because CAM verification is not enabled for the account.",
        "账号未开启 CAM 验证，不支持该操作。",
    ),
    # databases and what is in them
    Reason.DATABASE_TAKEN: ErrorRow("ResourceInUse", "The database already exists.", "数据库已存在。"),
    Reason.DATABASE_MISSING: _not_found("The database does not exist.", "数据库不存在。"),
    Reason.DATABASE_PROTECTED: _unsupported(
        "This operation is not supported for a system database.", "系统数据库不支持该操作。"
    ),
    Reason.ENCODING_UNSUPPORTED: _invalid_value("The character set is not supported.", "不支持该字符集。"),
    Reason.LOCALE_UNSUPPORTED: _invalid_value("The collation rule is not supported.", "不支持该排序规则。"),
    Reason.OBJECT_MISSING: _not_found("The database object does not exist.", "数据库对象不存在。"),
    Reason.OBJECT_PROTECTED: _unsupported(
        "This operation is not supported for a system object.", "系统对象不支持该操作。"
    ),
    Reason.PRIVILEGE_UNKNOWN: _invalid_value(
        "The privilege is not valid for the type of the database object.", "该类型的数据库对象不支持该权限。"
    ),
    Reason.PRIVILEGE_DEPENDENT: _failed(
        "Other privileges depend on this privilege. Revoke them first, or use cascading revocation.",
        "存在依赖该权限的其他权限，请先回收这些权限或使用级联回收。",
    ),
    Reason.MEMBERSHIP_CIRCULAR: _failed(
        "The account would become a member of itself through its members.",
        "该账号会通过其成员成为自身的成员。",
    ),
    # ours
    Reason.INTERRUPTED: _failed(
        "The operation was interrupted and has been undone. Please try again later.",
        "操作被中断并已回滚，请稍后重试。",
    ),
    Reason.UNSEALED: ErrorRow(
        "InternalError",
        "A stored secret cannot be opened: the server lacks the master key that sealed it.",
        "无法解开已保存的密钥：服务器缺少当初加密它的主密钥。",
    ),
    Reason.INTERNAL: ErrorRow(
        "InternalError", "An internal error has occurred. Please try again later.", "内部错误，请稍后重试。"
    ),
}

_COMMON_CONTRACT = Contract("tencent", "", "", {}, COMMON)


def row_of(refusal: Refused, contract: Contract | None, action: str) -> ErrorRow:
    """The contract's row for a refusal, or the common one. Never fails."""
    found = contract.row(action, refusal.reason, refusal.field) if contract else None
    found = found or _COMMON_CONTRACT.row(None, refusal.reason, refusal.field)
    return found or COMMON[Reason.INTERNAL]


def wording(row: ErrorRow, language: Language, facts: Mapping[str, str]) -> str:
    """A row's text in that language, or in English if it has no other."""
    return filled(row.chinese if language is Language.CHINESE and row.chinese else row.english, facts)


def quotable(refusal: Refused, action: Action | None, request_id: str) -> dict[str, str]:
    """What may be quoted to the caller, as text. The value of a secret parameter is masked in any case."""
    facts = {name: quoted(value) for name, value in refusal.facts.items()}
    facts["field"] = quoted(refusal.field)
    facts["request_id"] = request_id
    facts["reason"] = refusal.reason.value
    if "value" in facts and action and not _secrets(action).isdisjoint(refusal.field.split(".")):
        facts["value"] = str(Secret(""))
    return facts


def _secrets(action: Action) -> set[str]:
    return set(_secret_names(action.params))


def _secret_names(fields: tuple[Field, ...]) -> Iterator[str]:
    for field in fields:
        kind = field.type.item if isinstance(field.type, ListOf) else field.type
        if kind is Kind.SECRET:
            yield field.name
        elif isinstance(kind, Shape):
            yield from _secret_names(kind.fields)
