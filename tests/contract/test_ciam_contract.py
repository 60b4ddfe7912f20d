"""The contract of `ciam` 2022-03-31 against the vendor's page, its SDK's models and its CLI's spec."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from tencentcloud.ciam.v20220331 import models
from tests.contract.vendor_models import (
    declared,
)
from tests.server.ciam_page import EXAMPLE, PAGE, REQUIRED

from rolecall.contracts.model import Action, Field, Kind
from rolecall.contracts.tencent.ciam.codes import CODES
from rolecall.contracts.tencent.ciam.contract import CONTRACT, EARLIER
from rolecall.contracts.tencent.ciam.errors import LISTS, PREFERENCES
from rolecall.contracts.tencent.ciam.texts import TEXTS
from rolecall.domain.reasons import Reason
from rolecall.verbs.ciam.verbs import VERBS

ACTIONS = tuple(CONTRACT.actions.values())
ALL_ACTIONS = pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
_READS = ("Describe", "List")


def own(action: Action) -> list[Field]:
    """The action's parameters without the common parameter DryRun, which no model has."""
    return [field for field in action.params if field.name != "DryRun"]


def test_every_action_of_the_sdk_is_offered_but_jobs() -> None:
    actions = {name.removesuffix("Request") for name in vars(models) if name.endswith("Request")}
    jobs = {"CreateApiImportUserJob", "CreateFileExportUserJob", "ListJobs"}
    assert set(CONTRACT.actions) == actions - jobs


def test_the_earlier_version_is_that_of_the_international_sdk() -> None:
    """Read, since the package has the name of the Chinese one."""
    package = Path(sys.executable).parent.parent / "intl" / "tencentcloud" / "ciam" / "v20210420"
    assert re.findall(
        r"    def (\w+)\(self, request\)", (package / "ciam_client.py").read_text("utf-8")
    ) == list(EARLIER.actions)
    text = (package / "models.py").read_text("utf-8").partition("class ListUserGroupsRequest")[2]
    types = dict(re.findall(r":type (\w+): (\w+)", text.partition("self._")[0]))
    assert declared(EARLIER.actions["ListUserGroups"].params) == types


@ALL_ACTIONS
def test_actions_that_change_something_can_be_tried_and_reads_cannot(action: Action) -> None:
    assert action.changes == (not action.name.startswith(_READS))
    tried = [field for field in action.params if field.name == "DryRun"]
    assert [field.type for field in tried] == ([Kind.BOOLEAN] if action.changes else [])


def test_create_user_has_the_parameters_and_lists_the_codes_of_its_page() -> None:
    action = CONTRACT.actions["CreateUser"]
    assert {field.name for field in own(action)} == EXAMPLE.keys() | {"UserOrg"}
    assert {field.name for field in action.params if field.required} == set(REQUIRED)
    assert action.codes == PAGE.keys()
    assert len(action.codes) == 36
    assert action.rate == 20


def test_every_action_has_a_verb_and_every_verb_an_action() -> None:
    assert set(VERBS) == set(CONTRACT.actions) == set(CODES)


@ALL_ACTIONS
def test_every_row_has_a_code_of_the_action_or_a_common_one(action: Action) -> None:
    for row in action.errors.values():
        assert row.code in action.codes | {"InvalidParameterValue", "InvalidParameter.ParameterIllegal"}
        assert row.english
        assert row.chinese
        assert row.status == 200
        holes = {"field", "value", "request_id", "operation", "resource"}
        for template in (row.english, row.chinese):
            assert set(re.findall(r"\{([a-z_]+)\}", template)) <= holes


def test_the_texts_of_the_pages_codes_are_the_pages() -> None:
    assert all(TEXTS[code][0] == PAGE[code] for code in TEXTS.keys() & PAGE.keys())


def test_every_parameter_that_is_a_list_has_its_limit() -> None:
    lists = {
        field.name
        for action in ACTIONS
        for field in action.params
        if declared([field])[field.name].startswith("list")
    }
    assert lists - {"UserOrg"} <= set(LISTS)


@pytest.mark.parametrize(
    ("action", "reason", "code"),
    [
        ("CreateUser", Reason.STORE_MISSING, "FailedOperation.InvalidUserStore"),
        ("DeleteUserStore", Reason.STORE_MISSING, "FailedOperation.UserStoreNotExist"),
        ("DescribeUserById", Reason.STORE_MISSING, "FailedOperation.InvalidUserStore"),
        ("UpdateUser", Reason.USER_EMAIL_TAKEN, "FailedOperation.EmailAlreadyExists"),
        ("CreateUserGroup", Reason.USER_GROUP_TAKEN, "FailedOperation.UserGroupNameAlreadyExists"),
        ("CreateUserGroup", Reason.PARAMETER_LENGTH, "InvalidParameter.ParameterIllegal"),
        ("LinkAccount", Reason.USER_STATUS_UNKNOWN, "FailedOperation.InvalidUserStatusEnum"),
        ("SetPassword", Reason.HASHING_BUSY, "ResourceInsufficient"),
        ("ListUser", Reason.NOT_PERMITTED, "UnauthorizedOperation"),
    ],
)
def test_siblings_answer_with_a_code_of_their_own_list(action: str, reason: Reason, code: str) -> None:
    row = CONTRACT.row(action, reason)
    assert row is not None
    assert row.code == code


def test_too_many_entries_are_a_limit_and_a_number_out_of_range_is_a_value() -> None:
    def code(field: str) -> Any:
        row = CONTRACT.row("CreateUser", Reason.PARAMETER_RANGE, field)
        return row and row.code

    assert code("UserGroup") == code("CustomizationAttributes") == "LimitExceeded"
    assert code("Birthdate") == "InvalidParameterValue"


def test_every_reason_of_directories_has_a_row() -> None:
    stores = {reason for reason in Reason if reason.name.startswith(("STORE_", "USER_", "LINK", "QUERY_"))}
    assert {one for one in stores if one in Reason} <= {key for key in PREFERENCES if isinstance(key, Reason)}
