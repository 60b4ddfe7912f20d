"""Why something was refused: the domain's closed vocabulary.

A reason is neutral; each contract maps it to its vendor's code, wording and status. `fault` says who can fix it.
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
    """Each member: value, whose fault it is, and whether only services of identities and user stores give it."""

    fault: Fault
    identity_only: bool

    def __new__(cls, value: str, fault: Fault, identity_only: bool = False) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.fault = fault
        member.identity_only = identity_only
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
    CLIENT_TOKEN_BUSY = "client-token-busy", Fault.CALLER
    """The first call with the same client token has not ended."""
    # who is calling
    AUTHORIZATION_MALFORMED = "authorization-malformed", Fault.CALLER
    KEY_UNKNOWN = "key-unknown", Fault.CALLER
    KEY_DISABLED = "key-disabled", Fault.CALLER
    """Given only to callers that proved to hold the key."""
    SIGNATURE_MISMATCH = "signature-mismatch", Fault.CALLER
    SIGNATURE_EXPIRED = "signature-expired", Fault.CALLER
    TOKEN_INVALID = "token-invalid", Fault.CALLER
    NONCE_REUSED = "nonce-reused", Fault.CALLER
    TLS_REQUIRED = "tls-required", Fault.CALLER
    CREDENTIALS_INVALID = "credentials-invalid", Fault.CALLER
    TENANT_FOREIGN = "tenant-foreign", Fault.POLICY
    IDENTITY_UNREACHABLE = "identity-unreachable", Fault.OURS
    """The identity service that authenticates the caller is unreachable, or gives no clear answer."""
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
    INSTANCE_STARTING = "instance-starting", Fault.ENGINE
    """It is being created."""
    INSTANCE_FAILED = "instance-failed", Fault.ENGINE
    """Its creation failed."""
    INSTANCE_RUNNING = "instance-running", Fault.CALLER
    """It is not isolated, as it should be."""
    INSTANCE_QUOTA = "instance-quota", Fault.POLICY
    ENGINE_TOO_OLD = "engine-too-old", Fault.ENGINE
    ENGINE_UNREACHABLE = "engine-unreachable", Fault.ENGINE
    ENGINE_BUSY = "engine-busy", Fault.ENGINE
    ENGINE_REFUSED = "engine-refused", Fault.ENGINE
    VERIFIERS_REFUSED = "verifiers-refused", Fault.ENGINE
    """The server checks passwords in plain text, and takes no hashed ones."""
    VERSION_UNOFFERED = "version-unoffered", Fault.CALLER
    """Rolecall cannot start a server of that version."""
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
    OBJECT_PROTECTED = "object-protected", Fault.POLICY
    """Its owner is not a tenant."""
    PRIVILEGE_UNKNOWN = "privilege-unknown", Fault.CALLER
    PRIVILEGE_DEPENDENT = "privilege-dependent", Fault.CALLER
    MEMBERSHIP_CIRCULAR = "membership-circular", Fault.CALLER
    """A role would become a member of itself, through others."""
    # whole servers
    PROVISIONER_MISSING = "provisioner-missing", Fault.POLICY
    ENGINE_UNSUITED = "engine-unsuited", Fault.CALLER
    """This kind of server does not have the feature."""
    # sub-users and their keys
    SUB_USER_NAME_MALFORMED = "sub-user-name-malformed", Fault.CALLER, True
    SUB_USER_TAKEN = "sub-user-taken", Fault.CALLER, True
    SUB_USER_MISSING = "sub-user-missing", Fault.CALLER, True
    SUB_USER_QUOTA = "sub-user-quota", Fault.POLICY, True
    SUB_USER_RATE = "sub-user-rate", Fault.POLICY, True
    """Too many sub-users are created in a short time."""
    SUB_USER_HAS_KEYS = "sub-user-has-keys", Fault.POLICY, True
    SUB_USER_KEYS_KEPT = "sub-user-keys-kept", Fault.POLICY, True
    """Deleting it deletes its keys, which the caller may not delete."""
    SUB_USER_UNNAMED = "sub-user-unnamed", Fault.CALLER, True
    """The request gives neither of the numbers that identify a sub-user."""
    OWNER_PROTECTED = "owner-protected", Fault.POLICY, True
    """A sub-user may not change what belongs to the owner itself."""
    PASSWORD_BREAKS_RULES = "password-breaks-rules", Fault.CALLER, True
    """The password breaks the owner's rules, or was used before."""
    PASSWORD_RULES_MALFORMED = "password-rules-malformed", Fault.CALLER, True
    KEY_MISSING = "key-missing", Fault.CALLER, True
    """The key to change does not exist."""
    KEY_QUOTA = "key-quota", Fault.POLICY, True
    KEY_FOREIGN = "key-foreign", Fault.POLICY, True
    """The key belongs to another owner, or to a principal that the caller may not name."""
    # groups of sub-users
    GROUP_TAKEN = "group-taken", Fault.CALLER, True
    GROUP_MISSING = "group-missing", Fault.CALLER, True
    GROUP_QUOTA = "group-quota", Fault.POLICY, True
    GROUP_FULL = "group-full", Fault.POLICY, True
    MEMBERSHIP_QUOTA = "membership-quota", Fault.POLICY, True
    """The sub-user is in as many groups as it may be."""
    TAG_QUOTA = "tag-quota", Fault.POLICY, True
    """The resource has as many tags as it may have."""
    TAG_KEY_QUOTA = "tag-key-quota", Fault.POLICY, True
    TAG_VALUE_QUOTA = "tag-value-quota", Fault.POLICY, True
    TAG_TAKEN = "tag-taken", Fault.CALLER, True
    TAG_MISSING = "tag-missing", Fault.CALLER, True
    TAG_IN_USE = "tag-in-use", Fault.POLICY, True
    """A resource has the tag that is to be deleted."""
    TAG_ATTACHED = "tag-attached", Fault.CALLER, True
    """The resource has a tag of that key."""
    TAG_UNATTACHED = "tag-unattached", Fault.CALLER, True
    """The resource has no tag of that key."""
    PROJECT_TAKEN = "project-taken", Fault.CALLER, True
    PROJECT_MISSING = "project-missing", Fault.CALLER, True
    PROJECT_QUOTA = "project-quota", Fault.POLICY, True
    # policies and roles
    POLICY_NAME_MALFORMED = "policy-name-malformed", Fault.CALLER, True
    POLICY_TAKEN = "policy-taken", Fault.CALLER, True
    POLICY_MISSING = "policy-missing", Fault.CALLER, True
    POLICY_QUOTA = "policy-quota", Fault.POLICY, True
    POLICY_PRESET = "policy-preset", Fault.POLICY, True
    """Preset policies cannot be changed."""
    POLICY_MALFORMED = "policy-malformed", Fault.CALLER, True
    """It is not JSON, or does not have the structure of a policy."""
    POLICY_TOO_LONG = "policy-too-long", Fault.CALLER, True
    POLICY_VERSION = "policy-version", Fault.CALLER, True
    POLICY_STATEMENT = "policy-statement", Fault.CALLER, True
    POLICY_EFFECT = "policy-effect", Fault.CALLER, True
    POLICY_ACTION = "policy-action", Fault.CALLER, True
    POLICY_RESOURCE = "policy-resource", Fault.CALLER, True
    POLICY_CONDITION = "policy-condition", Fault.CALLER, True
    POLICY_PRINCIPAL = "policy-principal", Fault.CALLER, True
    ATTACHMENT_QUOTA = "attachment-quota", Fault.POLICY, True
    ROLE_NAME_MALFORMED = "role-name-malformed", Fault.CALLER, True
    ROLE_TAKEN = "role-taken", Fault.CALLER, True
    ROLE_MISSING = "role-missing", Fault.CALLER, True
    ROLE_QUOTA = "role-quota", Fault.POLICY, True
    ROLE_UNTRUSTING = "role-untrusting", Fault.POLICY, True
    """Its trust document does not name the caller."""
    SESSION_TOO_LONG = "session-too-long", Fault.CALLER, True
    SESSION_NESTED = "session-nested", Fault.POLICY, True
    """Temporary credentials cannot be exchanged for others here."""
    # user stores and the users in them
    DIRECTORIES_INACTIVE = "directories-inactive", Fault.POLICY, True
    """User stores are not switched on for the owner."""
    STORE_MISSING = "store-missing", Fault.CALLER, True
    STORE_TAKEN = "store-taken", Fault.CALLER, True
    STORE_QUOTA = "store-quota", Fault.POLICY, True
    USER_MISSING = "user-missing", Fault.CALLER, True
    USER_QUOTA = "user-quota", Fault.POLICY, True
    USER_NAME_TAKEN = "user-name-taken", Fault.CALLER, True
    USER_PHONE_TAKEN = "user-phone-taken", Fault.CALLER, True
    USER_EMAIL_TAKEN = "user-email-taken", Fault.CALLER, True
    USER_NAME_EMPTY = "user-name-empty", Fault.CALLER, True
    USER_PHONE_EMPTY = "user-phone-empty", Fault.CALLER, True
    USER_EMAIL_EMPTY = "user-email-empty", Fault.CALLER, True
    USER_PASSWORD_EMPTY = "user-password-empty", Fault.CALLER, True
    USER_FROZEN = "user-frozen", Fault.POLICY, True
    USER_STATUS_UNKNOWN = "user-status-unknown", Fault.CALLER, True
    USER_STATUS_EMPTY = "user-status-empty", Fault.CALLER, True
    ATTRIBUTE_MALFORMED = "attribute-malformed", Fault.CALLER, True
    ATTRIBUTE_TOO_LONG = "attribute-too-long", Fault.CALLER, True
    USER_GROUP_TAKEN = "user-group-taken", Fault.CALLER, True
    USER_GROUP_MISSING = "user-group-missing", Fault.CALLER, True
    QUERY_FIELD_UNKNOWN = "query-field-unknown", Fault.CALLER, True
    QUERY_SORT_UNKNOWN = "query-sort-unknown", Fault.CALLER, True
    QUERY_FIELD_REPEATED = "query-field-repeated", Fault.CALLER, True
    LINK_PRIMARY_MISSING = "link-primary-missing", Fault.CALLER, True
    LINK_SECONDARY_MISSING = "link-secondary-missing", Fault.CALLER, True
    LINKED_ALREADY = "linked-already", Fault.CALLER, True
    REQUEST_REPEATED = "request-repeated", Fault.POLICY, True
    """The same request was sent again within a short time."""
    REQUESTS_TOO_FREQUENT = "requests-too-frequent", Fault.POLICY, True
    DRY_RUN = "dry-run", Fault.POLICY, True
    """A dry run that would have succeeded."""
    HASHING_BUSY = "hashing-busy", Fault.OURS, True
    """Too many passwords wait to be hashed."""
    # ours
    INTERRUPTED = "interrupted", Fault.OURS
    UNSEALED = "unsealed", Fault.OURS
    """A stored secret was sealed by a master key that is not listed."""
    INTERNAL = "internal", Fault.OURS


IDENTITY_REASONS = frozenset(reason for reason in Reason if reason.identity_only)
"""Reasons that no account or database gives: other services map them to their general error."""


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
