"""The error rows of `petadata` 2016-01-01: which reason takes which code and status, and what the answer says.

Source: "Client error codes" of the PetaData API manual, with its classic wordings. `InvalidAccountName.NotFound` is of
the RDS family, `InvalidOldPassword.Malformed` made by the manual's template; the manual names no code for either.
Reasons that are not here (a bad signature, a throttled caller ...) belong to the dialect's table.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from rolecall.contracts.model import ErrorRow
from rolecall.domain.reasons import Reason

Rows = Mapping[Reason | tuple[Reason, str], ErrorRow]

_bad = partial(ErrorRow, status=400)
_denied = partial(ErrorRow, status=403)
_not_found = partial(ErrorRow, status=404)

_NOT_VALID = 'The specified parameter "{field}" is not valid.'
_MALFORMED = _bad("Invalid{field}.Malformed", _NOT_VALID)
_DATABASE_INFO = _bad(
    "InvalidDBInfo.Malformed", 'The specified parameter "DBInfo" is not valid or db not exist.'
)
_NO_INSTANCE = _not_found("InvalidDBInstanceId.NotFound", "The specified DBInstanceId does not exist.")
_NO_ACCOUNT = _not_found("InvalidAccountName.NotFound", "The specified account name does not exist.")
_ACCOUNT_TYPE = _denied(
    "OperationDenied.AccountType", "The operation is not permitted due to type of account."
)
_DATABASE_NAME = _bad("InvalidDBName.Duplicate", "The specified DB name is invalid or already exists.")
_STATUS = _denied(
    "OperationDenied.DBInstanceStatus", "The operation is not permitted due to instance status."
)
_UNSUPPORTED = _bad("UnsupportedOperation", "This specified action is not valid.")

ERRORS: Rows = {
    # parameters
    Reason.PARAMETER_MISSING: _bad(
        "MissingParameter",
        'The input parameter "{field}" that is mandatory for processing this request is not supplied.',
    ),
    Reason.PARAMETER_VALUE: _bad("Invalid{field}.ValueNotSupported", _NOT_VALID),
    Reason.PARAMETER_TYPE: _MALFORMED,
    Reason.PARAMETER_RANGE: _MALFORMED,
    Reason.PARAMETER_LENGTH: _MALFORMED,
    Reason.PARAMETER_CHARACTERS: _MALFORMED,
    Reason.PASSWORD_LENGTH: _MALFORMED,
    Reason.PASSWORD_CONTENT: _MALFORMED,
    (Reason.PARAMETER_VALUE, "DBInfo"): _DATABASE_INFO,
    (Reason.PARAMETER_TYPE, "DBInfo"): _DATABASE_INFO,
    (Reason.PARAMETER_VALUE, "Owner"): _bad(
        "InvalidOwner", "OwnerId and OwnerAccount can't be used at one API access."
    ),
    Reason.TENANT_FOREIGN: _bad("Invalid{field}", _NOT_VALID),
    Reason.CLIENT_TOKEN_MISMATCH: _bad(
        "IdempotentParameterMismatch", "The request is retried with updated parameters."
    ),
    Reason.CLIENT_TOKEN_BUSY: _denied("LastTokenProcessing", "The last token request is processing."),
    # instances
    Reason.INSTANCE_MISSING: _NO_INSTANCE,
    Reason.INSTANCE_FORBIDDEN: _NO_INSTANCE,
    Reason.INSTANCE_ISOLATED: _denied(
        "OperationDenied.LockMode", "The operation is not permitted due to lock of instance."
    ),
    Reason.INSTANCE_RESTARTING: _STATUS,
    Reason.INSTANCE_STARTING: _STATUS,
    Reason.INSTANCE_FAILED: _STATUS,
    Reason.INSTANCE_RUNNING: _STATUS,
    Reason.INSTANCE_QUOTA: _denied("QuotaExceeded.CreateInstance", "The quota of create instance exceeds."),
    Reason.VERIFIERS_REFUSED: _STATUS,
    Reason.VERSION_UNOFFERED: _UNSUPPORTED,
    Reason.ENGINE_TOO_OLD: _UNSUPPORTED,
    Reason.ENGINE_UNSUITED: _UNSUPPORTED,
    # accounts
    Reason.ACCOUNT_NAME_MALFORMED: _bad(
        "InvalidAccountName.Malformed", 'The specified parameter "AccountName" is not valid.'
    ),
    Reason.ACCOUNT_NAME_RESERVED: ErrorRow(
        "InvalidAccountName.keyword",  # the vendor's spelling
        "The specified AccountName is a reserved keyword.",
        status=400,
    ),
    Reason.ACCOUNT_TAKEN: _bad("InvalidAccountName.Duplicate", "The specified AccountName already exists."),
    Reason.ACCOUNT_MISSING: _NO_ACCOUNT,
    Reason.ACCOUNT_PROTECTED: _ACCOUNT_TYPE,
    Reason.ACCOUNT_QUOTA: _denied("QuotaExceeded.AccountName", "The quota of account exceeds."),
    Reason.PASSWORD_WRONG: _bad(
        "InvalidOldPassword.Malformed", 'The specified parameter "OldPassword" is not valid.'
    ),
    Reason.PASSWORD_MANAGED: _denied(
        "OperationDenied.AccountStatus", "The status of the account does not support this operation."
    ),
    # databases
    Reason.DATABASE_NAME_MALFORMED: _DATABASE_NAME,
    Reason.DATABASE_TAKEN: _DATABASE_NAME,
    Reason.DATABASE_MISSING: _not_found("InvalidDBName.NotFound", "The specified database does not exist."),
    Reason.DATABASE_PROTECTED: _bad(
        "InvalidParameter.Keyword", "The specified DBName is a reserved keyword."
    ),
}

_LIST_LENGTH = _bad(
    "InvalidSecurityIPListLength.Malformed",
    "The security IP address is beyond the available range or is already used.",
)
_LIST = _bad(
    "InvalidSecurityIPList.Duplicate", "The Security IP address is not in the available range or occupied."
)
_NO_TASK = _bad(
    "InvalidTaskId.NotFound", "The ImportId provided does not exist in our records."
)  # the manual's words
_ADDRESS_LIST: Rows = {
    (Reason.PARAMETER_LENGTH, "SecurityIPList"): _LIST_LENGTH,
    (Reason.PARAMETER_LENGTH, "SecurityIps"): _LIST_LENGTH,
    (Reason.PARAMETER_VALUE, "SecurityIPList"): _LIST,
    (Reason.PARAMETER_VALUE, "SecurityIps"): _LIST,
}
_ADDRESS_GROUPS: Rows = {
    **_ADDRESS_LIST,
    Reason.PARAMETER_RANGE: ErrorRow(  # ours: no page names a code for a group too many
        "InvalidSecurityIPListName.Malformed",
        "At most 50 groups of addresses can be kept for an instance.",
        status=400,
    ),
}

OWN: Mapping[str, Rows] = {
    "CreateAccount": {(Reason.DATABASE_MISSING, "DBInfo"): _DATABASE_INFO},
    "CreateInstance": _ADDRESS_LIST,
    "ModifySecurityIPs": _ADDRESS_GROUPS,
    "ModifySecurityIps": _ADDRESS_GROUPS,
    "DeleteDatabase": {
        Reason.DATABASE_PROTECTED: _denied(
            "OperationDenied.NoDatabase", "The operation is not permitted due to no database."
        )
    },
    "DescribeTasks": {
        (Reason.PARAMETER_RANGE, "EndTime"): _bad(
            "InvalidStartTimeAndEndTime.Malformed",
            "The EndTime must be later than or equal to the StartTime.",
        )
    },
    "DescribeTaskStatus": {Reason.OBJECT_MISSING: _NO_TASK},
}
"""Rows of one action."""

CREATE_ACCOUNT_CODES = frozenset(
    {
        "MissingParameter",
        "InvalidDBInstanceId.NotFound",
        "OperationDenied.DBInstanceStatus",
        "InvalidAccountName.Malformed",
        "InvalidAccountName.keyword",
        "InvalidAccountName.Duplicate",
        "InvalidAccountPassword.Malformed",
        "InvalidAccountType.ValueNotSupported",
        "InvalidAccountPrivilege.ValueNotSupported",
        "InvalidAccountVersion.ValueNotSupported",
        "InvalidDBInfo.Malformed",
        "InvalidDBName.NotFound",
        "InvalidAccountDescription.Malformed",
        "QuotaExceeded.AccountName",
        "IdempotentParameterMismatch",
        "LastTokenProcessing",
        "InvalidProtocol.NeedSsl",
    }
)
"""Codes of the manual that CreateAccount can end with, beside those of every call; a test reaches each."""
