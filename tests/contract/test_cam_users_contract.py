"""The contract of `cam` 2019-01-16 (sub-users, keys, groups) and of `tag`, against page, SDK models and CLI spec."""

from __future__ import annotations

import re

import pytest
from tencentcloud.cam.v20190116 import errorcodes as cam_codes
from tencentcloud.cam.v20190116 import models as cam_models
from tencentcloud.tag.v20180813 import errorcodes as tag_codes
from tencentcloud.tag.v20180813 import models as tag_models
from tests.contract.vendor_models import (
    COMMON_CODES,
    cli_required,
    declared,
    published_codes,
    required,
    sdk_types,
    shapes,
)

from rolecall.contracts.model import Action
from rolecall.contracts.tencent.cam import contract as cam
from rolecall.contracts.tencent.cam import groups as cam_groups
from rolecall.contracts.tencent.cam import users as cam_users
from rolecall.contracts.tencent.cam.errors import PREFERENCES
from rolecall.contracts.tencent.tag import contract as tag
from rolecall.domain.reasons import Reason

CAM = (*cam_users.ACTIONS, *cam_groups.ACTIONS)
TAG = tuple(tag.CONTRACT.actions.values())
VENDORS = {
    "cam": (cam_models, cam_codes, cli_required("cam", "v20190116")),
    "tag": (tag_models, tag_codes, cli_required("tag", "v20180813")),
}
EVERY = [("cam", action) for action in CAM] + [("tag", action) for action in TAG]
ALL_ACTIONS = pytest.mark.parametrize(("service", "action"), EVERY, ids=[action.name for _, action in EVERY])
SHAPES = [("cam", shape) for shape in shapes(CAM).values()] + [
    ("tag", shape) for shape in shapes(TAG).values()
]

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


@ALL_ACTIONS
def test_parameters_are_those_of_the_sdk(service: str, action: Action) -> None:
    assert declared(action.params) == sdk_types(VENDORS[service][0], f"{action.name}Request")


@ALL_ACTIONS
def test_required_parameters_are_those_of_the_cli(service: str, action: Action) -> None:
    assert required(action.params) == VENDORS[service][2].get(f"{action.name}Request", {})


@pytest.mark.parametrize(("service", "shape"), SHAPES, ids=[shape.name for _, shape in SHAPES])
def test_structures_are_those_of_the_sdk_and_the_cli(service, shape) -> None:
    models, _, cli = VENDORS[service]
    assert declared(shape.fields) == sdk_types(models, shape.name)
    assert required(shape.fields) == cli[shape.name]


@ALL_ACTIONS
def test_outputs_are_those_of_the_sdk(service: str, action: Action) -> None:
    assert set(action.output) == set(sdk_types(VENDORS[service][0], f"{action.name}Response")) - {"RequestId"}


@ALL_ACTIONS
def test_every_documented_code_is_one_the_vendor_publishes(service: str, action: Action) -> None:
    assert action.codes <= published_codes(VENDORS[service][1])


@ALL_ACTIONS
def test_every_row_has_a_code_of_the_action_or_a_common_one_in_both_languages(
    service: str, action: Action
) -> None:
    for row in action.errors.values():
        assert row.code in action.codes | COMMON_CODES
        assert row.english
        assert row.chinese
        assert row.status == 200
        for template in (row.english, row.chinese):
            assert set(re.findall(r"\{([a-z_]+)\}", template)) <= {"field", "value"}


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
