"""The faults of Database v1.0 and of Identity: what every reason is called, and what the answer says.

A row's `code` is the fault's name, which is also the root of the fault document. Sources: the error response codes
of "Create User" (Rackspace Cloud Databases Developer Guide v1.0), its table of faults, and the messages of Trove
2013.2 and 26.0.0. Where those name no case, the wording is ours in their manner.

Holes: ``{value}`` and the refusal's other facts; of the field at fault ``{path}`` (``users[0]['name']``), its
``{parent}`` (``users[0]`` and a space) and ``{name}`` (``name``). A key's field is the path without indices:
``users.name``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from rolecall.contracts.model import ErrorRow
from rolecall.domain.reasons import IDENTITY_REASONS, Reason


def _row(code: str, status: int, text: str) -> ErrorRow:
    return ErrorRow(code, text, status=status)


_bad = partial(_row, "badRequest", 400)
_unauthorized = partial(_row, "unauthorized", 401)
_forbidden = partial(_row, "forbidden", 403)
_missing = partial(_row, "itemNotFound", 404)
_over = partial(_row, "overLimit", 413)
_unready = partial(_row, "unprocessableEntity", 422)
_broken = partial(_row, "instanceFault", 500)
_lacking = partial(_row, "notImplemented", 501)
_away = partial(_row, "serviceUnavailable", 503)

_NO_CREDENTIALS = _unauthorized("The request you have made requires authentication.")
_NO_USER = _unauthorized("Unable to authenticate user with credentials provided.")
_NO_ROUTE = _missing("The resource could not be found.")
_NO_INSTANCE = _missing("Resource {value} cannot be found.")
_RESERVED_DATABASE = _bad('Database name "{value}" is on the reserved list.')
_OPERATION_FAILED = _bad("The operation was refused: {reason}.")
_CRASH = _broken(
    "Internal Server Error. Please keep this ID to help us figure out what went wrong: ({request_id})."
)

FAULTS: Mapping[Reason | tuple[Reason, str], ErrorRow] = {
    **dict.fromkeys(IDENTITY_REASONS, _OPERATION_FAILED),
    # intake and envelope
    Reason.MALFORMED_REQUEST: _bad("Malformed request body"),
    (Reason.MALFORMED_REQUEST, "header"): _bad("The header {value} is sent twice with different values."),
    Reason.TOO_LARGE: _over("Request is too large."),
    Reason.METHOD_UNSUPPORTED: _row("badMethod", 405, "The method is not allowed for this resource."),
    Reason.SERVICE_UNKNOWN: _NO_ROUTE,
    Reason.ROUTE_UNKNOWN: _NO_ROUTE,
    Reason.VERSION_UNKNOWN: _row("notAcceptable", 406, "version not supported"),
    Reason.ACTION_UNKNOWN: _lacking("The requested operation is not implemented."),
    Reason.MEDIA_TYPE_UNSUPPORTED: _row("badMediaType", 415, "Unsupported Content-Type"),
    Reason.CLIENT_TOKEN_MISMATCH: _OPERATION_FAILED,
    Reason.CLIENT_TOKEN_BUSY: _OPERATION_FAILED,
    # who is calling
    Reason.AUTHORIZATION_MALFORMED: _NO_CREDENTIALS,
    Reason.KEY_UNKNOWN: _NO_CREDENTIALS,
    Reason.KEY_DISABLED: _NO_CREDENTIALS,
    Reason.SIGNATURE_MISMATCH: _NO_CREDENTIALS,
    Reason.SIGNATURE_EXPIRED: _NO_CREDENTIALS,
    Reason.TOKEN_INVALID: _NO_CREDENTIALS,
    Reason.NONCE_REUSED: _NO_CREDENTIALS,
    Reason.CREDENTIALS_INVALID: _NO_CREDENTIALS,
    Reason.TLS_REQUIRED: _forbidden("This resource is reached by HTTPS only."),
    Reason.TENANT_FOREIGN: _forbidden("User with tenant ID {value} cannot access this resource."),
    Reason.HASHING_BUSY: _away("The identity service is busy. Please try again later."),
    Reason.IDENTITY_UNREACHABLE: _away("The identity service cannot be reached. Please try again later."),
    # may they
    Reason.RATE_EXCEEDED: _over("This request was rate-limited."),
    Reason.NOT_PERMITTED: _forbidden("You are not authorized to perform the requested action."),
    Reason.CALLER_NOT_LISTED: _forbidden("You are not authorized to perform the requested action."),
    # parameters
    Reason.PARAMETER_MISSING: _bad("Validation error: {parent}'{name}' is a required property"),
    Reason.PARAMETER_UNKNOWN: _bad("Validation error: {path} is not known"),
    Reason.PARAMETER_TYPE: _bad("Validation error: {path} '{value}' is not of type '{expected}'"),
    Reason.PARAMETER_VALUE: _bad("Validation error: {path} '{value}' is not valid"),
    Reason.PARAMETER_RANGE: _bad("Validation error: {path} '{value}' is out of range"),
    Reason.PARAMETER_LENGTH: _bad("Validation error: {path} '{value}' is too long"),
    (Reason.PARAMETER_LENGTH, "users.name"): _bad("User name '{value}' is too long. Max length = 16."),
    (Reason.PARAMETER_LENGTH, "user.name"): _bad("User name '{value}' is too long. Max length = 16."),
    Reason.PARAMETER_CHARACTERS: _bad("Validation error: {path} '{value}' holds characters not allowed"),
    Reason.REGION_UNSUPPORTED: _bad("The region is not supported."),
    Reason.ACCOUNT_NAME_MALFORMED: _bad("'{value}' is not a valid user name."),
    Reason.ACCOUNT_NAME_RESERVED: _bad('User name "{value}" is on the reserved list.'),
    Reason.DATABASE_NAME_MALFORMED: _bad("'{value}' is not a valid database name."),
    Reason.OBJECT_NAME_MALFORMED: _bad("'{value}' is not a valid name."),
    Reason.PASSWORD_LENGTH: _bad("The password is not valid: its length."),
    Reason.PASSWORD_CONTENT: _bad(
        "The password is not valid."
    ),  # Trove 2013.2 quotes it; no answer here does
    Reason.PASSWORD_UNDECIPHERABLE: _bad("The password is not valid."),
    # instances
    Reason.INSTANCE_MISSING: _NO_INSTANCE,
    Reason.INSTANCE_FORBIDDEN: _NO_INSTANCE,  # whether it exists is not revealed
    Reason.INSTANCE_ISOLATED: _unready("Instance {value} is not ready."),
    Reason.INSTANCE_RESTARTING: _unready("The instance is not ready, status: restarting."),
    Reason.INSTANCE_STARTING: _unready("Instance {value} is not ready, status: building."),
    Reason.INSTANCE_FAILED: _unready("Instance {value} is not ready, status: error."),
    Reason.INSTANCE_RUNNING: _unready("Instance {value} is running."),
    Reason.VERSION_UNOFFERED: _missing("Datastore version '{value}' cannot be found."),
    Reason.INSTANCE_QUOTA: _over("Quota exceeded for resources: ['instances']."),
    Reason.ENGINE_TOO_OLD: _unready("Operation not supported for this version of the datastore."),
    Reason.VERIFIERS_REFUSED: _unready(
        "The instance checks the text of passwords and takes none that is hashed already: its administrator must set"
        " strict_password_validation=OFF."
    ),
    Reason.ENGINE_UNREACHABLE: _away("The instance cannot be reached. Please try again later."),
    Reason.ENGINE_BUSY: _away("The instance is busy. Please try again later."),
    Reason.ENGINE_REFUSED: _broken("The instance refused the operation."),
    # accounts
    Reason.ACCOUNT_TAKEN: _bad('A user with the name "{value}" already exists.'),
    Reason.ACCOUNT_MISSING: _missing("User {value} cannot be found on the instance."),
    Reason.ACCOUNT_PROTECTED: _bad('User name "{value}" is on the reserved list.'),
    Reason.ACCOUNT_REPEATED: _bad(
        "Two or more users share the same name and host in the initial users list. "
        "Please correct the names or remove the duplicate entries."
    ),
    Reason.ACCOUNT_QUOTA: _over("Quota exceeded for resources: ['users']."),
    Reason.HOST_MALFORMED: _bad("'{value}' is not a valid hostname."),
    Reason.GRANT_MISSING: _missing("Database {value} cannot be found on the instance."),
    Reason.PASSWORD_WRONG: _bad("The password is not valid."),
    Reason.PASSWORD_MANAGED: _OPERATION_FAILED,
    Reason.PASSWORD_NOT_MANAGED: _OPERATION_FAILED,
    # databases and what is in them
    Reason.DATABASE_TAKEN: _bad('A database with the name "{value}" already exists.'),
    Reason.DATABASE_MISSING: _missing("Database {value} cannot be found on the instance."),
    Reason.DATABASE_PROTECTED: _RESERVED_DATABASE,
    (Reason.PARAMETER_VALUE, "databases"): _bad(
        "Two or more databases share the same name in the initial databases list. "
        "Please correct the names or remove the duplicate entries."
    ),
    (Reason.PARAMETER_VALUE, "instance.users.databases"): _bad(
        'Database "{value}" is not in the initial databases list.'
    ),
    (Reason.PARAMETER_VALUE, "user"): _bad("Validation error: user {} should be non-empty"),
    Reason.ENCODING_UNSUPPORTED: _bad("'{value}' is not a valid character set."),
    Reason.LOCALE_UNSUPPORTED: _bad("'{value}' is not a valid collation."),
    Reason.OBJECT_MISSING: _NO_INSTANCE,
    (Reason.OBJECT_MISSING, "datastore"): _missing("Datastore '{value}' cannot be found."),
    Reason.OBJECT_PROTECTED: _OPERATION_FAILED,
    Reason.PRIVILEGE_UNKNOWN: _OPERATION_FAILED,
    Reason.PRIVILEGE_DEPENDENT: _OPERATION_FAILED,
    Reason.MEMBERSHIP_CIRCULAR: _OPERATION_FAILED,
    # whole servers
    Reason.PROVISIONER_MISSING: _lacking("No server can be started or stopped for this instance."),
    Reason.ENGINE_UNSUITED: _unready("Operation not supported for this datastore."),
    # ours
    Reason.INTERRUPTED: _away("The operation was interrupted and undone. Please try again."),
    Reason.UNSEALED: _broken(
        "A stored secret cannot be opened: the server lacks the master key that sealed it."
    ),
    Reason.INTERNAL: _CRASH,
}

IDENTITY_FAULTS: Mapping[Reason | tuple[Reason, str], ErrorRow] = {
    **FAULTS,
    Reason.KEY_UNKNOWN: _NO_USER,
    Reason.KEY_DISABLED: _NO_USER,
    Reason.CREDENTIALS_INVALID: _NO_USER,
    Reason.TOKEN_INVALID: _NO_USER,
    # A request for the tenant of another owner is answered like a wrong password (Keystone, Rackspace).
    Reason.TENANT_FOREIGN: _NO_USER,
    # A token that is invalid, or that the caller may not inspect (Keystone).
    Reason.OBJECT_MISSING: _missing("Failed to validate token"),
}
