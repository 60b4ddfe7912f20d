"""The contract of `cam` 2019-01-16 (sub-users, keys, groups) and of `tag`, against page, SDK models and CLI spec."""

from __future__ import annotations

import pytest
from tests.contract.vendor_models import (
    declared,
)

from rolecall.contracts.tencent.cam import contract as cam
from rolecall.contracts.tencent.cam import groups as cam_groups
from rolecall.contracts.tencent.cam import users as cam_users
from rolecall.contracts.tencent.cam.errors import PREFERENCES
from rolecall.contracts.tencent.tag import contract as tag
from rolecall.domain.reasons import Reason

CAM = (*cam_users.ACTIONS, *cam_groups.ACTIONS)
TAG = tuple(tag.CONTRACT.actions.values())

# The page "AddUser" of 2023-03-15, word for word.
PAGE_CODES = """
    AuthFailure.UnauthorizedOperation
    FailedOperation
    InvalidParameter.ParamError
    InvalidParameter.PasswordViolatedRules
    InvalidParameter.SubUserFull
    InvalidParameter.SubUserNameInUse
    InvalidParameter.UserNameIllegal
    RequestLimitExceeded.CreateUser
"""
PAGE_PARAMETERS = {
    "Name": ("str", True),
    "Remark": ("str", False),
    "ConsoleLogin": ("int", False),
    "UseApi": ("int", False),
    "Password": ("str", False),
    "NeedResetPassword": ("int", False),
    "PhoneNum": ("str", False),
    "CountryCode": ("str", False),
    "Email": ("str", False),
}
PAGE_OUTPUT = {"Uin", "Name", "Password", "SecretId", "SecretKey", "Uid"}


def test_add_user_has_the_parameters_output_and_codes_of_its_page() -> None:
    action = cam.CONTRACT.actions["AddUser"]
    types = declared(action.params)
    assert {one.name: (types[one.name], one.required) for one in action.params} == PAGE_PARAMETERS
    assert set(action.output) >= PAGE_OUTPUT
    assert action.codes == frozenset(PAGE_CODES.split())
    assert len(action.codes) == 8
    assert action.rate == 20
    assert action.regions is None


ADD_USER_CODES = {
    Reason.HASHING_BUSY: "FailedOperation",
    Reason.PARAMETER_VALUE: "InvalidParameter.ParamError",
    Reason.PARAMETER_LENGTH: "InvalidParameter.ParamError",
    Reason.PASSWORD_BREAKS_RULES: "InvalidParameter.PasswordViolatedRules",
    Reason.PASSWORD_LENGTH: "InvalidParameter.PasswordViolatedRules",
    Reason.SUB_USER_QUOTA: "InvalidParameter.SubUserFull",
    Reason.SUB_USER_TAKEN: "InvalidParameter.SubUserNameInUse",
    Reason.SUB_USER_NAME_MALFORMED: "InvalidParameter.UserNameIllegal",
    Reason.SUB_USER_RATE: "RequestLimitExceeded.CreateUser",
}


@pytest.mark.parametrize(("reason", "code"), ADD_USER_CODES.items())
def test_a_reason_of_add_user_takes_its_code_of_the_page(reason: Reason, code: str) -> None:
    row = cam.CONTRACT.row("AddUser", reason)
    assert row is not None
    assert row.code == code


@pytest.mark.parametrize(
    ("action", "reason", "code"),
    [
        ("GetUser", Reason.SUB_USER_MISSING, "ResourceNotFound.UserNotExist"),
        ("UpdateUser", Reason.PASSWORD_BREAKS_RULES, "InvalidParameter.PasswordViolatedRules"),
        ("UpdateUser", Reason.PARAMETER_VALUE, "InvalidParameter"),
        ("DeleteUser", Reason.SUB_USER_HAS_KEYS, "OperationDenied.HaveKeys"),
        ("DeleteUser", Reason.SUB_USER_KEYS_KEPT, "UnauthorizedOperation.DeleteApiKey"),
        ("CreateAccessKey", Reason.SUB_USER_MISSING, "InvalidParameter.UserNotExist"),
        ("CreateAccessKey", Reason.KEY_QUOTA, "OperationDenied.AccessKeyOverLimit"),
        ("CreateAccessKey", Reason.OWNER_PROTECTED, "OperationDenied.SubUin"),
        ("UpdateAccessKey", Reason.KEY_MISSING, "ResourceNotFound.SecretNotExist"),
        ("DeleteAccessKey", Reason.KEY_FOREIGN, "OperationDenied.UinNotMatch"),
        ("UpdatePasswordRules", Reason.PASSWORD_RULES_MALFORMED, "InvalidParameter.PasswordRuleError"),
        ("CreateGroup", Reason.GROUP_TAKEN, "InvalidParameter.GroupNameInUse"),
        ("CreateGroup", Reason.GROUP_QUOTA, "InvalidParameter.GroupFull"),
        ("GetGroup", Reason.GROUP_MISSING, "ResourceNotFound.UserNotExist"),
        ("UpdateGroup", Reason.GROUP_MISSING, "ResourceNotFound.GroupNotExist"),
        ("AddUserToGroup", Reason.GROUP_MISSING, "InvalidParameter.GroupNotExist"),
        ("AddUserToGroup", Reason.GROUP_FULL, "InvalidParameter.GroupUserFull"),
        ("AddUserToGroup", Reason.MEMBERSHIP_QUOTA, "InvalidParameter.UserGroupFull"),
        ("AddUserToGroup", Reason.SUB_USER_UNNAMED, "InvalidParameter.UserUinAndUinNotAllNull"),
        ("ListGroupsForUser", Reason.SUB_USER_UNNAMED, "MissingParameter"),
    ],
)
def test_siblings_answer_with_a_code_of_their_own_list(action: str, reason: Reason, code: str) -> None:
    row = cam.CONTRACT.row(action, reason)
    assert row is not None
    assert row.code == code


def test_a_missing_group_is_told_even_where_the_vendors_code_speaks_of_a_user() -> None:
    row = cam.CONTRACT.row("DeleteGroup", Reason.GROUP_MISSING)
    assert row is not None
    assert row.english.format(value=7) == "User does not exist. The user group `7` does not exist."


def test_no_reason_of_the_gateway_is_overridden() -> None:
    gateway = {Reason.KEY_UNKNOWN, Reason.NOT_PERMITTED, Reason.PARAMETER_MISSING, Reason.PARAMETER_TYPE}
    assert gateway.isdisjoint(PREFERENCES)
