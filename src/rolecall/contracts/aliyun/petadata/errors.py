"""The error rows of `petadata` 2016-01-01: which reason takes which code and status, and what the answer says.

Source: "Client error codes" of the PetaData API manual, with its classic wordings. `InvalidAccountName.NotFound` is of
the RDS family, `InvalidOldPassword.Malformed` made by the manual's template; the manual names no code for either.
Reasons that are not here (a bad signature, a throttled caller ...) belong to the dialect's table.
"""

from __future__ import annotations

from collections.abc import Mapping

from rolecall.contracts.model import ErrorRow
from rolecall.domain.reasons import Reason

Rows = Mapping[Reason | tuple[Reason, str], ErrorRow]

_NOT_VALID = 'The specified parameter "{field}" is not valid.'
_MALFORMED = ErrorRow("Invalid{field}.Malformed", _NOT_VALID, status=400)
_DATABASE_INFO = ErrorRow(
    "InvalidDBInfo.Malformed", 'The specified parameter "DBInfo" is not valid or db not exist.', status=400
)
_NO_INSTANCE = ErrorRow(
    "InvalidDBInstanceId.NotFound", "The specified DBInstanceId does not exist.", status=404
)
_NO_ACCOUNT = ErrorRow(
    "InvalidAccountName.NotFound", "The specified account name does not exist.", status=404
)
_ACCOUNT_TYPE = ErrorRow(
    "OperationDenied.AccountType", "The operation is not permitted due to type of account.", status=403
)
_DATABASE_NAME = ErrorRow(
    "InvalidDBName.Duplicate", "The specified DB name is invalid or already exists.", status=400
)
_STATUS = ErrorRow(
    "OperationDenied.DBInstanceStatus", "The operation is not permitted due to instance status.", status=403
)
_UNSUPPORTED = ErrorRow("UnsupportedOperation", "This specified action is not valid.", status=400)

ERRORS: Rows = {
    # parameters
    Reason.PARAMETER_MISSING: ErrorRow(
        "MissingParameter",
        'The input parameter "{field}" that is mandatory for processing this request is not supplied.',
        status=400,
    ),
    Reason.PARAMETER_VALUE: ErrorRow("Invalid{field}.ValueNotSupported", _NOT_VALID, status=400),
    Reason.PARAMETER_TYPE: _MALFORMED,
    Reason.PARAMETER_RANGE: _MALFORMED,
    Reason.PARAMETER_LENGTH: _MALFORMED,
    Reason.PARAMETER_CHARACTERS: _MALFORMED,
    Reason.PASSWORD_LENGTH: _MALFORMED,
    Reason.PASSWORD_CONTENT: _MALFORMED,
    (Reason.PARAMETER_VALUE, "DBInfo"): _DATABASE_INFO,
    (Reason.PARAMETER_TYPE, "DBInfo"): _DATABASE_INFO,
    (Reason.PARAMETER_VALUE, "Owner"): ErrorRow(
        "InvalidOwner", "OwnerId and OwnerAccount can't be used at one API access.", status=400
    ),
    Reason.TENANT_FOREIGN: ErrorRow("Invalid{field}", _NOT_VALID, status=400),
    Reason.CLIENT_TOKEN_MISMATCH: ErrorRow(
        "IdempotentParameterMismatch", "The request is retried with updated parameters.", status=400
    ),
    Reason.CLIENT_TOKEN_BUSY: ErrorRow(
        "LastTokenProcessing", "The last token request is processing.", status=403
    ),
    # instances
    Reason.INSTANCE_MISSING: _NO_INSTANCE,
    Reason.INSTANCE_FORBIDDEN: _NO_INSTANCE,
    Reason.INSTANCE_ISOLATED: ErrorRow(
        "OperationDenied.LockMode", "The operation is not permitted due to lock of instance.", status=403
    ),
    Reason.INSTANCE_RESTARTING: _STATUS,
    Reason.INSTANCE_STARTING: _STATUS,
    Reason.INSTANCE_FAILED: _STATUS,
    Reason.INSTANCE_RUNNING: _STATUS,
    Reason.INSTANCE_QUOTA: ErrorRow(
        "QuotaExceeded.CreateInstance", "The quota of create instance exceeds.", status=403
    ),
    Reason.VERIFIERS_REFUSED: _STATUS,
    Reason.VERSION_UNOFFERED: _UNSUPPORTED,
    Reason.ENGINE_TOO_OLD: _UNSUPPORTED,
    Reason.ENGINE_UNSUITED: _UNSUPPORTED,
    # accounts
    Reason.ACCOUNT_NAME_MALFORMED: ErrorRow(
        "InvalidAccountName.Malformed", 'The specified parameter "AccountName" is not valid.', status=400
    ),
    Reason.ACCOUNT_NAME_RESERVED: ErrorRow(
        "InvalidAccountName.keyword",  # the vendor's spelling
        "The specified AccountName is a reserved keyword.",
        status=400,
    ),
    Reason.ACCOUNT_TAKEN: ErrorRow(
        "InvalidAccountName.Duplicate", "The specified AccountName already exists.", status=400
    ),
    Reason.ACCOUNT_MISSING: _NO_ACCOUNT,
    Reason.ACCOUNT_PROTECTED: _ACCOUNT_TYPE,
    Reason.ACCOUNT_QUOTA: ErrorRow("QuotaExceeded.AccountName", "The quota of account exceeds.", status=403),
    Reason.PASSWORD_WRONG: ErrorRow(
        "InvalidOldPassword.Malformed", 'The specified parameter "OldPassword" is not valid.', status=400
    ),
    Reason.PASSWORD_MANAGED: ErrorRow(
        "OperationDenied.AccountStatus",
        "The status of the account does not support this operation.",
        status=403,
    ),
    # databases
    Reason.DATABASE_NAME_MALFORMED: _DATABASE_NAME,
    Reason.DATABASE_TAKEN: _DATABASE_NAME,
    Reason.DATABASE_MISSING: ErrorRow(
        "InvalidDBName.NotFound", "The specified database does not exist.", status=404
    ),
    Reason.DATABASE_PROTECTED: ErrorRow(
        "InvalidParameter.Keyword", "The specified DBName is a reserved keyword.", status=400
    ),
}

_LIST_LENGTH = ErrorRow(
    "InvalidSecurityIPListLength.Malformed",
    "The security IP address is beyond the available range or is already used.",
    status=400,
)
_LIST = ErrorRow(
    "InvalidSecurityIPList.Duplicate",
    "The Security IP address is not in the available range or occupied.",
    status=400,
)
_NO_TASK = ErrorRow(
    "InvalidTaskId.NotFound", "The ImportId provided does not exist in our records.", status=400
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
        Reason.DATABASE_PROTECTED: ErrorRow(
            "OperationDenied.NoDatabase", "The operation is not permitted due to no database.", status=403
        )
    },
    "DescribeTasks": {
        (Reason.PARAMETER_RANGE, "EndTime"): ErrorRow(
            "InvalidStartTimeAndEndTime.Malformed",
            "The EndTime must be later than or equal to the StartTime.",
            status=400,
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
