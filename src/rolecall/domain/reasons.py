"""Why something was refused: the domain's closed vocabulary.

A reason is neutral; each contract maps it to its vendor's code, wording and status. `fault` says who can mend it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Self


class Fault(StrEnum):
    CALLER = "caller"
    POLICY = "policy"
    ENGINE = "engine"
    OURS = "ours"


class Reason(StrEnum):
    """Each member: value, and whose fault it is."""

    fault: Fault

    def __new__(cls, value: str, fault: Fault) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.fault = fault
        return member

    # intake and envelope
    MALFORMED_REQUEST = "malformed-request", Fault.CALLER
    TOO_LARGE = "too-large", Fault.CALLER
    METHOD_UNSUPPORTED = "method-unsupported", Fault.CALLER
    SERVICE_UNKNOWN = "service-unknown", Fault.CALLER
    VERSION_UNKNOWN = "version-unknown", Fault.CALLER
    ACTION_UNKNOWN = "action-unknown", Fault.CALLER
    ROUTE_UNKNOWN = "route-unknown", Fault.CALLER
    MEDIA_TYPE_UNSUPPORTED = "media-type-unsupported", Fault.CALLER
    CLIENT_TOKEN_MISMATCH = "client-token-mismatch", Fault.CALLER
    """The same client token with other parameters."""
    # who is calling
    AUTHORIZATION_MALFORMED = "authorization-malformed", Fault.CALLER
    KEY_UNKNOWN = "key-unknown", Fault.CALLER
    SIGNATURE_MISMATCH = "signature-mismatch", Fault.CALLER
    SIGNATURE_EXPIRED = "signature-expired", Fault.CALLER
    TOKEN_INVALID = "token-invalid", Fault.CALLER
    NONCE_REUSED = "nonce-reused", Fault.CALLER
    TLS_REQUIRED = "tls-required", Fault.CALLER
    CREDENTIALS_INVALID = "credentials-invalid", Fault.CALLER
    TENANT_FOREIGN = "tenant-foreign", Fault.POLICY
    # may they
    RATE_EXCEEDED = "rate-exceeded", Fault.POLICY
    NOT_PERMITTED = "not-permitted", Fault.POLICY
    CALLER_NOT_LISTED = "caller-not-listed", Fault.POLICY
    # parameters
    PARAMETER_MISSING = "parameter-missing", Fault.CALLER
    PARAMETER_UNKNOWN = "parameter-unknown", Fault.CALLER
    PARAMETER_TYPE = "parameter-type", Fault.CALLER
    PARAMETER_VALUE = "parameter-value", Fault.CALLER
    PARAMETER_RANGE = "parameter-range", Fault.CALLER
    PARAMETER_LENGTH = "parameter-length", Fault.CALLER
    PARAMETER_CHARACTERS = "parameter-characters", Fault.CALLER
    REGION_UNSUPPORTED = "region-unsupported", Fault.CALLER
    ACCOUNT_NAME_MALFORMED = "account-name-malformed", Fault.CALLER
    ACCOUNT_NAME_RESERVED = "account-name-reserved", Fault.CALLER
    DATABASE_NAME_MALFORMED = "database-name-malformed", Fault.CALLER
    OBJECT_NAME_MALFORMED = "object-name-malformed", Fault.CALLER
    PASSWORD_LENGTH = "password-length", Fault.CALLER
    PASSWORD_CONTENT = "password-content", Fault.CALLER
    PASSWORD_UNDECIPHERABLE = "password-undecipherable", Fault.CALLER
    # instances
    INSTANCE_MISSING = "instance-missing", Fault.CALLER
    INSTANCE_FORBIDDEN = "instance-forbidden", Fault.POLICY
    INSTANCE_ISOLATED = "instance-isolated", Fault.POLICY
    INSTANCE_RESTARTING = "instance-restarting", Fault.ENGINE
    ENGINE_TOO_OLD = "engine-too-old", Fault.ENGINE
    ENGINE_UNREACHABLE = "engine-unreachable", Fault.ENGINE
    ENGINE_BUSY = "engine-busy", Fault.ENGINE
    ENGINE_REFUSED = "engine-refused", Fault.ENGINE
    # accounts
    ACCOUNT_TAKEN = "account-taken", Fault.CALLER
    ACCOUNT_MISSING = "account-missing", Fault.CALLER
    ACCOUNT_PROTECTED = "account-protected", Fault.POLICY
    ACCOUNT_REPEATED = "account-repeated", Fault.CALLER
    """Twice in one request."""
    ACCOUNT_QUOTA = "account-quota", Fault.POLICY
    HOST_MALFORMED = "host-malformed", Fault.CALLER
    GRANT_MISSING = "grant-missing", Fault.CALLER
    PASSWORD_WRONG = "password-wrong", Fault.CALLER
    PASSWORD_MANAGED = "password-managed", Fault.CALLER
    PASSWORD_NOT_MANAGED = "password-not-managed", Fault.CALLER
    # databases and what is in them
    DATABASE_TAKEN = "database-taken", Fault.CALLER
    DATABASE_MISSING = "database-missing", Fault.CALLER
    DATABASE_PROTECTED = "database-protected", Fault.POLICY
    ENCODING_UNSUPPORTED = "encoding-unsupported", Fault.CALLER
    LOCALE_UNSUPPORTED = "locale-unsupported", Fault.CALLER
    OBJECT_MISSING = "object-missing", Fault.CALLER
    PRIVILEGE_UNKNOWN = "privilege-unknown", Fault.CALLER
    PRIVILEGE_DEPENDENT = "privilege-dependent", Fault.CALLER
    # whole servers
    PROVISIONER_MISSING = "provisioner-missing", Fault.POLICY
    ENGINE_UNSUITED = "engine-unsuited", Fault.CALLER
    """The kind of server knows no such thing."""
    # ours
    INTERRUPTED = "interrupted", Fault.OURS
    INTERNAL = "internal", Fault.OURS


class Refused(Exception):
    """A command, or the request that carried it, was refused; nothing was done.

    `field` names the parameter at fault as its contract spells it. `facts` fill the wording (never a secret):
    for example ``{"value": "x"}``. `note` is a sentence for operators, kept with the operation, never sent.
    """

    def __init__(
        self,
        reason: Reason,
        field: str = "",
        *,
        facts: Mapping[str, object] | None = None,
        note: str = "",
    ) -> None:
        super().__init__(reason.value if not note else f"{reason.value}: {note}")
        self.reason = reason
        self.field = field
        self.facts: Mapping[str, object] = facts or {}
        self.note = note


class OutcomeUnknown(Exception):
    """The connection was lost while the engine may have been committing: look before answering."""
