"""The gateway's error codes: what every reason is called where a contract has no row of its own.

Sources: "Common errors" of the Alibaba Cloud API documentation (ECS and PetaData manuals), "Client error codes" of the
PetaData API manual. Where neither speaks of a case, a code of the same family is taken, and the row says so.

Codes are templates as wordings are: the vendor builds ``Missing{field}`` and ``Invalid{field}`` from the parameter's
name. For MALFORMED_REQUEST the field is the part at fault (``json``, ``form``, ``query``, ``header``, ``duplicate``,
``Content-Type``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from rolecall.contracts.model import Action, Contract, ErrorRow, Kind
from rolecall.dialects.wording import quoted
from rolecall.domain.reasons import IDENTITY_REASONS, Reason, Refused
from rolecall.values import Secret

_bad = partial(ErrorRow, status=400)
_denied = partial(ErrorRow, status=403)
_not_found = partial(ErrorRow, status=404)

_NOT_VALID = "Specified parameter {field} is not valid."
_MISSING = _bad("Missing{field}", "{field} is mandatory for this action.")
_INVALID = _bad("Invalid{field}", _NOT_VALID)
_FORMAT = _bad("InvalidParameter.Format", "Specified parameter format is not valid.")
_ACTION = _not_found(
    "InvalidAction.NotFound", "Specified api is not found, please check your url and method."
)
_UNSUPPORTED = _bad("UnsupportedOperation", "This specified action is not valid.")
_UNAVAILABLE = ErrorRow(
    "ServiceUnavailable", "The request has failed due to a temporary failure of the server.", status=503
)
_INTERNAL = ErrorRow(
    "InternalError",
    "The request processing has failed due to some unknown error, exception or failure.",
    status=500,
)
_NOT_FOR_YOU = _denied("ActionUnauthorized", "The specified action is not available for you")
_OF_VALUES = (
    Reason.PARAMETER_TYPE, Reason.PARAMETER_VALUE, Reason.PARAMETER_RANGE, Reason.PARAMETER_LENGTH,
    Reason.PARAMETER_CHARACTERS, Reason.TENANT_FOREIGN,
)  # fmt: skip

# Reasons of other dialects, other kinds of server and other services: no action of this dialect gives them, or its
# contract has its own row.
_ELSEWHERE = (
    Reason.MEDIA_TYPE_UNSUPPORTED, Reason.CLIENT_TOKEN_MISMATCH, Reason.CLIENT_TOKEN_BUSY,
    Reason.CREDENTIALS_INVALID, Reason.IDENTITY_UNREACHABLE,
    Reason.ACCOUNT_NAME_MALFORMED, Reason.ACCOUNT_NAME_RESERVED, Reason.DATABASE_NAME_MALFORMED,
    Reason.OBJECT_NAME_MALFORMED, Reason.PASSWORD_LENGTH, Reason.PASSWORD_CONTENT, Reason.PASSWORD_UNDECIPHERABLE,
    Reason.INSTANCE_MISSING, Reason.INSTANCE_FORBIDDEN, Reason.INSTANCE_ISOLATED, Reason.INSTANCE_RESTARTING,
    Reason.INSTANCE_STARTING, Reason.INSTANCE_FAILED, Reason.INSTANCE_RUNNING, Reason.INSTANCE_QUOTA,
    Reason.VERIFIERS_REFUSED, Reason.VERSION_UNOFFERED,
    Reason.ENGINE_TOO_OLD, Reason.ENGINE_UNSUITED, Reason.ACCOUNT_TAKEN, Reason.ACCOUNT_MISSING,
    Reason.ACCOUNT_PROTECTED, Reason.ACCOUNT_REPEATED, Reason.ACCOUNT_QUOTA, Reason.HOST_MALFORMED,
    Reason.GRANT_MISSING, Reason.PASSWORD_WRONG, Reason.PASSWORD_MANAGED, Reason.PASSWORD_NOT_MANAGED,
    Reason.DATABASE_TAKEN, Reason.DATABASE_MISSING, Reason.DATABASE_PROTECTED, Reason.ENCODING_UNSUPPORTED,
    Reason.LOCALE_UNSUPPORTED, Reason.OBJECT_MISSING, Reason.OBJECT_PROTECTED, Reason.PRIVILEGE_UNKNOWN,
    Reason.PRIVILEGE_DEPENDENT, Reason.MEMBERSHIP_CIRCULAR,
)  # fmt: skip

COMMON: Mapping[Reason | tuple[Reason, str], ErrorRow] = {
    **dict.fromkeys(_ELSEWHERE, _UNSUPPORTED),
    **dict.fromkeys(IDENTITY_REASONS, _UNSUPPORTED),
    # intake and envelope
    Reason.MALFORMED_REQUEST: _FORMAT,
    (Reason.MALFORMED_REQUEST, "header"): ErrorRow(  # ours
        "InvalidParameter.Format",
        "The header {value} is specified more than once with different values.",
        status=400,
    ),
    Reason.TOO_LARGE: _bad("InvalidParameter", "The request is too large."),  # ours
    # PetaData's own row: the gateway's list has 400 and the wording of a bad signature by mistake.
    Reason.METHOD_UNSUPPORTED: _denied("UnsupportedHTTPMethod", "This http method not supported."),
    Reason.SERVICE_UNKNOWN: _not_found(
        "InvalidProduct.NotFound", "Cannot find product according to your specified domain."
    ),
    Reason.VERSION_UNKNOWN: _bad("InvalidVersion", _NOT_VALID),
    Reason.ACTION_UNKNOWN: _ACTION,
    Reason.ROUTE_UNKNOWN: _ACTION,
    # who is calling
    Reason.AUTHORIZATION_MALFORMED: _bad(
        "IncompleteSignature", "The request signature does not conform to Aliyun standards."
    ),
    (Reason.AUTHORIZATION_MALFORMED, "SignatureMethod"): _bad(
        "InvalidSignatureMethod", "Specified signature method is not valid."
    ),
    (Reason.AUTHORIZATION_MALFORMED, "SignatureType"): _INVALID,
    Reason.KEY_UNKNOWN: _not_found("InvalidAccessKeyId.NotFound", "Specified access key is not found."),
    Reason.KEY_DISABLED: _bad("InvalidAccessKeyId.Inactive", "Specified access key is disabled."),
    # The dialect puts the string to sign behind it: two SDKs take the text apart (`Aliyun.refuse`).
    Reason.SIGNATURE_MISMATCH: _bad(
        "SignatureDoesNotMatch", "Specified signature is not matched with our calculation."
    ),
    Reason.SIGNATURE_EXPIRED: _bad(
        "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired."
    ),
    (Reason.PARAMETER_TYPE, "Timestamp"): _bad(
        "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted."
    ),
    Reason.TOKEN_INVALID: _bad(
        "InvalidSecurityToken.MismatchWithAccessKey", "Specified SecurityToken mismatch with the AccessKey."
    ),
    Reason.NONCE_REUSED: _bad("SignatureNonceUsed", "Specified signature nonce was used already."),
    Reason.TLS_REQUIRED: _bad("InvalidProtocol.NeedSsl", "Your request is denied as lack of ssl protect."),
    # may they
    Reason.RATE_EXCEEDED: _bad("Throttling.User", "Request was denied due to user flow control."),
    Reason.NOT_PERMITTED: _denied(
        "Forbidden.RAM",
        "The user is not authorized to operate the specified resource, or this operation does not support RAM.",
    ),
    Reason.CALLER_NOT_LISTED: _NOT_FOR_YOU,
    Reason.PROVISIONER_MISSING: _NOT_FOR_YOU,
    # parameters
    Reason.PARAMETER_MISSING: _MISSING,
    Reason.PARAMETER_UNKNOWN: _bad("UnsupportedParameter", 'The parameter "{field}" is not supported.'),
    **dict.fromkeys(_OF_VALUES, _INVALID),
    # OwnerId and OwnerAccount at once; the text is of the PetaData manual.
    (Reason.PARAMETER_VALUE, "Owner"): _bad(
        "InvalidOwner", "OwnerId and OwnerAccount can't be used at one API access."
    ),
    Reason.REGION_UNSUPPORTED: _not_found(
        "InvalidRegionId.NotFound", "The DBInstanceId provided does not exist in our records."
    ),
    # the server, and we
    Reason.ENGINE_UNREACHABLE: _UNAVAILABLE,
    Reason.ENGINE_BUSY: _UNAVAILABLE,
    Reason.ENGINE_REFUSED: _INTERNAL,
    Reason.INTERRUPTED: _INTERNAL,
    Reason.UNSEALED: _INTERNAL,
    Reason.INTERNAL: _INTERNAL,
}

COMMON_CODES = frozenset(row.code for row in COMMON.values())

_COMMON_CONTRACT = Contract("aliyun", "", "", {}, COMMON)


def blamed(refusal: Refused, contract: Contract | None, action: str, sent: Iterable[str]) -> str:
    """The parameter to blame: the refusal's own, or the first one sent that the contract has a row for.

    The domain names no parameters: that a database is missing is the fault of DBInfo (400) if it was sent, else of
    DBName (404).
    """
    if refusal.field or contract is None or action not in contract.actions:
        return refusal.field
    rows = contract.actions[action].errors
    names = set(sent)
    ordered = (each.name for each in contract.actions[action].params if each.name in names)
    return next((name for name in ordered if (refusal.reason, name) in rows), "")


def row_of(reason: Reason, field: str, contract: Contract | None, action: str) -> ErrorRow:
    """The contract's row for a refusal, or the gateway's. Never fails."""
    found = contract.row(action, reason, field) if contract else None
    return found or _COMMON_CONTRACT.row(None, reason, field) or _INTERNAL


def quotable(refusal: Refused, field: str, action: Action | None) -> dict[str, str]:
    """What may be quoted to the caller, as text. The value of a secret parameter is masked in any case."""
    facts = {name: quoted(value) for name, value in refusal.facts.items()}
    facts["field"] = quoted(field)
    if "value" in facts and action and _is_secret(action, field):
        facts["value"] = str(Secret(""))
    return facts


def _is_secret(action: Action, field: str) -> bool:
    return any(each.name == field and each.type is Kind.SECRET for each in action.params)
