"""The contract of `postgres` 2017-03-12 against the vendor's page (SDK and CLI: `test_vendor_models`)."""

from __future__ import annotations

import pytest
from tests.contract.vendor_models import COMMON_CODES

from rolecall.contracts.tencent.postgres.codes import CODES
from rolecall.contracts.tencent.postgres.contract import CONTRACT
from rolecall.contracts.tencent.postgres.errors import PREFERENCES
from rolecall.contracts.tencent.postgres.texts import TEXTS
from rolecall.domain.reasons import IDENTITY_REASONS, Reason
from rolecall.verbs.postgres.verbs import VERBS

ACTIONS = tuple(CONTRACT.actions.values())
ALL_ACTIONS = pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)

# The page "CreateAccount" of 2026-04-13, word for word.
PAGE_REGIONS = (
    "ap-bangkok, ap-beijing, ap-chengdu, ap-chongqing, ap-guangzhou, ap-hongkong, ap-jakarta, ap-nanjing, ap-seoul, "
    "ap-shanghai, ap-shanghai-fsi, ap-shenzhen-fsi, ap-singapore, ap-tokyo, eu-frankfurt, na-ashburn, "
    "na-siliconvalley, sa-saopaulo"
)
PAGE_CODES = """
    FailedOperation.DatabaseAccessError
    FailedOperation.FailedOperationError
    FailedOperation.PreCheckError
    InvalidParameter.ParameterCheckError
    InvalidParameterValue.DecryptPasswordFailed
    InvalidParameterValue.InvalidAccountNameError
    InvalidParameterValue.InvalidAccountNameFormatError
    InvalidParameterValue.InvalidDatabaseNameFormatError
    InvalidParameterValue.InvalidPasswordLengthError
    InvalidParameterValue.InvalidPasswordValueError
    InvalidParameterValue.ParameterCharacterError
    InvalidParameterValue.ParameterLengthLimitError
    InvalidParameterValue.UnsupportedRegionError
    OperationDenied.InstanceAccessDeniedError
    OperationDenied.InstanceStatusLimitError
    OperationDenied.InstanceStatusLimitOpError
    OperationDenied.KernelVersionError
    OperationDenied.UserNotInWhiteListError
"""
GATEWAY = frozenset(Reason) - frozenset(PREFERENCES)


def test_create_account_takes_the_regions_and_lists_the_codes_of_its_page() -> None:
    action = CONTRACT.actions["CreateAccount"]
    assert action.regions == frozenset(PAGE_REGIONS.split(", "))
    assert action.codes == frozenset(PAGE_CODES.split())
    assert len(action.codes) == 18
    assert action.rate == 20


def test_every_action_has_a_verb_and_every_verb_an_action() -> None:
    assert set(VERBS) == set(CONTRACT.actions) == set(CODES)


@ALL_ACTIONS
def test_every_reason_has_a_code_of_the_action_or_a_common_one(action) -> None:
    fields = ["", "Region", *(field.name for field in action.params)]
    for reason in Reason:
        for field in fields:
            row = CONTRACT.row(action.name, reason, field)
            if row is None:
                assert reason in GATEWAY
            else:
                assert row.code in action.codes | COMMON_CODES
                assert row.english
                assert row.chinese
                assert row.status == 200


def test_only_reasons_of_the_gateway_are_left_to_the_common_table() -> None:
    expected = {
        "malformed-request", "too-large", "method-unsupported", "service-unknown", "version-unknown",
        "action-unknown", "authorization-malformed", "key-unknown", "key-disabled",
        "signature-mismatch", "signature-expired", "token-invalid",
        "rate-exceeded", "not-permitted", "parameter-missing", "parameter-unknown",
        "parameter-type", "internal", "unsealed",
    }  # fmt: skip
    elsewhere = {
        "route-unknown", "media-type-unsupported", "client-token-mismatch", "client-token-busy",
            "nonce-reused", "tls-required",
        "credentials-invalid", "tenant-foreign", "account-repeated", "account-quota", "host-malformed",
        "grant-missing", "password-wrong", "engine-unsuited", "identity-unreachable", "verifiers-refused",
    }  # fmt: skip
    assert {reason.value for reason in GATEWAY - IDENTITY_REASONS} == expected | elsewhere


def test_a_text_with_braces_of_its_own_is_kept_as_the_vendor_prints_it() -> None:
    row = CONTRACT.row("CreateAccount", Reason.PASSWORD_CONTENT, "Password")
    assert row is not None
    assert row.english == TEXTS["InvalidParameterValue.InvalidPasswordValueError"][0]
    assert "{}[]" in row.english


CREATE_ACCOUNT_CODES = {
    Reason.ENGINE_UNREACHABLE: "FailedOperation.DatabaseAccessError",
    Reason.ENGINE_REFUSED: "FailedOperation.FailedOperationError",
    Reason.ENGINE_BUSY: "FailedOperation.FailedOperationError",
    Reason.INTERRUPTED: "FailedOperation.FailedOperationError",
    Reason.ACCOUNT_TAKEN: "FailedOperation.PreCheckError",
    Reason.PARAMETER_VALUE: "InvalidParameter.ParameterCheckError",
    Reason.PASSWORD_UNDECIPHERABLE: "InvalidParameterValue.DecryptPasswordFailed",
    Reason.ACCOUNT_NAME_RESERVED: "InvalidParameterValue.InvalidAccountNameError",
    Reason.ACCOUNT_NAME_MALFORMED: "InvalidParameterValue.InvalidAccountNameFormatError",
    Reason.DATABASE_NAME_MALFORMED: "InvalidParameterValue.InvalidDatabaseNameFormatError",
    Reason.PASSWORD_LENGTH: "InvalidParameterValue.InvalidPasswordLengthError",
    Reason.PASSWORD_CONTENT: "InvalidParameterValue.InvalidPasswordValueError",
    Reason.PARAMETER_CHARACTERS: "InvalidParameterValue.ParameterCharacterError",
    Reason.PARAMETER_LENGTH: "InvalidParameterValue.ParameterLengthLimitError",
    Reason.REGION_UNSUPPORTED: "InvalidParameterValue.UnsupportedRegionError",
    Reason.INSTANCE_MISSING: "OperationDenied.InstanceAccessDeniedError",
    Reason.INSTANCE_FORBIDDEN: "OperationDenied.InstanceAccessDeniedError",
    Reason.INSTANCE_RESTARTING: "OperationDenied.InstanceStatusLimitError",
    Reason.INSTANCE_ISOLATED: "OperationDenied.InstanceStatusLimitOpError",
    Reason.ENGINE_TOO_OLD: "OperationDenied.KernelVersionError",
    Reason.CALLER_NOT_LISTED: "OperationDenied.UserNotInWhiteListError",
}


def test_every_code_of_create_account_answers_its_reason() -> None:
    found = {}
    for reason in CREATE_ACCOUNT_CODES:
        row = CONTRACT.row("CreateAccount", reason)
        assert row is not None
        found[reason] = row.code
    assert found == CREATE_ACCOUNT_CODES
    assert set(found.values()) == set(PAGE_CODES.split())


@pytest.mark.parametrize(
    ("action", "reason", "code"),
    [
        ("DescribeAccounts", Reason.INSTANCE_MISSING, "ResourceNotFound.InstanceNotFoundError"),
        ("DescribeAccounts", Reason.INSTANCE_FORBIDDEN, "ResourceNotFound.InstanceNotFoundError"),
        ("DescribeAccounts", Reason.INSTANCE_RESTARTING, "ResourceUnavailable"),
        ("DescribeAccounts", Reason.PARAMETER_RANGE, "InvalidParameter.ParameterCheckError"),
        ("DeleteDatabase", Reason.INSTANCE_MISSING, "ResourceNotFound"),
        ("DeleteDatabase", Reason.DATABASE_PROTECTED, "InvalidParameter.ParameterCheckError"),
        ("ModifyAccountRemark", Reason.ACCOUNT_MISSING, "InvalidParameterValue.AccountNotExistError"),
        ("CloseAccountCAM", Reason.ACCOUNT_MISSING, "InvalidParameterValue.AccountNotExist"),
        ("CloseAccountCAM", Reason.PASSWORD_NOT_MANAGED, "FailedOperation.CheckAccountCAMOpenError"),
        ("CloseAccountCAM", Reason.PASSWORD_LENGTH, "InvalidParameter.ParameterCheckError"),
        ("CloseAccountCAM", Reason.ENGINE_REFUSED, "FailedOperation"),
        ("RefreshAccountPassword", Reason.PASSWORD_NOT_MANAGED, "FailedOperation.CheckAccountCAMOpenError"),
        ("OpenAccountCAM", Reason.PASSWORD_MANAGED, "FailedOperation.CheckAccountCAMCloseError"),
        ("ResetAccountPassword", Reason.PASSWORD_MANAGED, "FailedOperation.CheckAccountCAMCloseError"),
        ("LockAccount", Reason.ACCOUNT_MISSING, "FailedOperation.PreCheckError"),
        ("ModifyAccountPrivileges", Reason.PARAMETER_RANGE, "InvalidParameterValue.ParameterOutOfRange"),
        ("ModifyAccountPrivileges", Reason.OBJECT_NAME_MALFORMED, "InvalidParameterValue.InvalidDatabaseObjectName"),
        ("DescribeAccountPrivileges", Reason.ENGINE_UNREACHABLE, "FailedOperation.FailedOperationError"),
        ("CreateDatabase", Reason.ENCODING_UNSUPPORTED, "InvalidParameterValue.CharsetNotFoundError"),
        ("CreateDatabase", Reason.ACCOUNT_MISSING, "InvalidParameterValue.InvalidAccountError"),
        ("CreateDatabase", Reason.DATABASE_TAKEN, "FailedOperation.PreCheckError"),
        ("ModifyDatabaseOwner", Reason.DATABASE_NAME_MALFORMED, "InvalidParameterValue.InvalidDatabaseNameFormatError"),
        ("DescribeDBInstances", Reason.REGION_UNSUPPORTED, "InvalidParameterValue.IllegalRegion"),
        ("DescribeDatabaseObjects", Reason.PARAMETER_VALUE, "InvalidParameterValue"),
        ("CreateInstances", Reason.PROVISIONER_MISSING, "UnsupportedOperation"),
        ("CreateInstances", Reason.INSTANCE_QUOTA, "LimitExceeded"),
        ("CreateInstances", Reason.VERSION_UNOFFERED, "InvalidParameter.ParameterCheckError"),
        ("CreateInstances", Reason.ACCOUNT_NAME_MALFORMED, "InvalidParameterValue.InvalidAccountError"),
        ("CreateInstances", Reason.PASSWORD_LENGTH, "InvalidParameterValue.InvalidPasswordLengthError"),
        ("IsolateDBInstances", Reason.PROVISIONER_MISSING, "LimitOperation"),
        ("DisIsolateDBInstances", Reason.INSTANCE_RUNNING, "OperationDenied.InstanceStatusLimitOpError"),
        ("DestroyDBInstance", Reason.INSTANCE_RUNNING, "OperationDenied.InstanceStatusLimitOpError"),
        ("DestroyDBInstance", Reason.PROVISIONER_MISSING, "LimitOperation"),
        ("RestartDBInstance", Reason.INSTANCE_STARTING, "OperationDenied.InstanceStatusLimitOpError"),
        ("RestartDBInstance", Reason.INSTANCE_MISSING, "ResourceNotFound.InstanceNotFoundError"),
        ("CreateAccount", Reason.INSTANCE_STARTING, "OperationDenied.InstanceStatusLimitError"),
    ],
)  # fmt: skip
def test_siblings_answer_with_a_code_of_their_own_list(action, reason, code) -> None:
    row = CONTRACT.row(action, reason)
    assert row is not None
    assert row.code == code


def test_the_answer_to_a_taken_name_says_which() -> None:
    row = CONTRACT.row("CreateAccount", Reason.ACCOUNT_TAKEN)
    assert row is not None
    assert row.english.format(value="app") == "Pre-check failed. The account `app` already exists."
    assert row.chinese.format(value="app") == "操作预检查失败。账号`app`已存在。"


def test_the_gateways_code_for_a_bad_value_has_the_gateways_wording() -> None:
    row = CONTRACT.row("DescribeDatabaseObjects", Reason.PARAMETER_VALUE)
    assert row is not None
    expected = "The value `x` specified in the parameter `ObjectType` is not valid."
    assert row.english.format(value="x", field="ObjectType") == expected


@pytest.mark.parametrize(
    ("reason", "field", "code"),
    [
        (Reason.PARAMETER_VALUE, "Zone", "InvalidParameterValue.IllegalZone"),
        (Reason.PARAMETER_RANGE, "InstanceCount", "InvalidParameterValue.InvalidInstanceNum"),
        (Reason.PARAMETER_VALUE, "InstanceChargeType", "InvalidParameterValue.IllegalInstanceChargeType"),
        (Reason.PARAMETER_VALUE, "ProjectId", "InvalidParameterValue.IllegalProjectId"),
        (Reason.ENCODING_UNSUPPORTED, "Charset", "InvalidParameterValue.InvalidCharset"),
        (Reason.PARAMETER_RANGE, "Storage", "InvalidParameterValue.ParameterOutRangeError"),
    ],
)
def test_create_instances_has_codes_of_its_own_for_some_parameters(reason, field, code) -> None:
    row = CONTRACT.row("CreateInstances", reason, field)
    assert row is not None
    assert row.code == code
