"""The contract of `petadata` 2016-01-01 against the vendor's page, its manual's error codes and its SDK."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping

import pytest

from rolecall.contracts.aliyun.petadata.contract import CONTRACT
from rolecall.contracts.aliyun.petadata.errors import CREATE_ACCOUNT_CODES, ERRORS, OWN
from rolecall.contracts.aliyun.petadata.rules import grants_of
from rolecall.contracts.aliyun.petadata.words import RESERVED
from rolecall.contracts.check import check
from rolecall.contracts.model import Kind
from rolecall.dialects.aliyun import Aliyun
from rolecall.dialects.aliyun.refusals import COMMON
from rolecall.domain.engine import Access, DatabaseGrant
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Call, Caller, Checked, Envelope, Language, Request, Secret, SentParams
from rolecall.verbs.petadata.verbs import VERBS

ALIYUN = Aliyun([CONTRACT])
CALLER = Caller(1, 100000000001, 1250000001, 100000000001, "AKID")
ACTIONS = tuple(CONTRACT.actions.values())
ALL_ACTIONS = pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)

# Spellings of the manual beside the SDK's, and what the SDK sends for every client (RegionId).
OTHER_SPELLINGS = {
    "ModifyAccountDescription": {"InstanceId"},
    "GrantAccountPrivilege": {"InstanceId"},
    "RevokeAccountPrivilege": {"InstanceId"},
    "CreateInstance": {"PayType", "VPCId", "RegionId"},
    "ModifySecurityIPs": {"Modifymode", "SecurityIps"},
    "DescribeTasks": {"TaskStatus"},
}


def call(action: str, params: Mapping[str, object]) -> Call:
    class NoClaim:
        access_key_id = "AKID"
        token = None

        def prove(self, key: Secret, now: float) -> None:
            """Nothing to prove here."""

    request = Request("GET", "/", "Format=JSON", (("host", "h"),), b"", "127.0.0.1", False, 0.0)
    envelope = Envelope(request, "2FED790E-FB61-4721-8C1C-07C627FA5A19", Language.ENGLISH)
    return Call(
        envelope, "aliyun", "petadata", "2016-01-01", action, "", SentParams.parsed(params), True, NoClaim()
    )


def checked(action: str, params: Mapping[str, object]) -> Checked:
    return check(call(action, params), CALLER, CONTRACT.actions[action])


def answered(action: str, refusal: Refused, params: Mapping[str, object]) -> tuple[str, int]:
    """Code and status of the answer to a refusal."""
    sent = call(action, params)
    reply = ALIYUN.refuse(sent.envelope, refusal, sent)
    return reply.code, reply.status


def verdict(action: str, params: Mapping[str, object]) -> tuple[str, int] | None:
    """None if the contract and the verb let the parameters pass, else code and status."""
    verb = VERBS[action]
    try:
        verb.command(checked(action, params), lambda secret: secret)  # type: ignore[union-attr]
    except Refused as refusal:
        return answered(action, refusal, params)
    return None


NEW = {"InstanceId": "pd-xxxxxxxxxxxxxx", "AccountName": "testacc02", "AccountPassword": "Pw123456"}


def create(**own: str) -> tuple[str, int] | None:
    named = {**NEW, **own}
    return verdict("CreateAccount", {name: value for name, value in named.items() if value})


# --- against the SDK


@ALL_ACTIONS
def test_parameters_are_those_of_the_sdk(action) -> None:
    """Except for ModifySecurityIps, which is the manual's spelling of an action the SDK spells otherwise."""
    name = "ModifySecurityIPs" if action.name == "ModifySecurityIps" else action.name
    module = importlib.import_module(f"aliyunsdkpetadata.request.v20160101.{name}Request")
    request = getattr(module, f"{name}Request")()
    setters = {attribute.removeprefix("set_") for attribute in vars(type(request)) if attribute[:4] == "set_"}
    declared = {field.name for field in action.params}
    assert declared - OTHER_SPELLINGS.get(name, set()) == setters - {"SecurityToken"}
    assert request.get_version() == CONTRACT.version
    assert request.get_product() == "PetaData"


def test_every_action_has_a_verb_and_every_verb_an_action() -> None:
    assert set(VERBS) == set(CONTRACT.actions)


# --- CreateAccount, row by row of its page

DEFAULTS_TAKEN = [
    {},
    {"AccountName": "ab"},
    {"AccountName": "a_23456789"},
    {"AccountPassword": "Pw12345!"},
    {"AccountPassword": "PW12345!"},
    {"AccountPassword": "aB3" + "x" * 29},
    {"AccountType": "Normal"},
    {"AccountType": "Super"},
    {"AccountType": ""},
    {"DBInfo": '{"ReadOnly":["mydb","mydb2"],\n "ReadWrite":["mydb3","mydb4"]}'},
    {"DBInfo": "{}"},
    {"DBInfo": '{"DDLOnly":[]}'},
    {"DBName": "a,b"},
    {"DBName": "a,b", "AccountPrivilege": "ReadOnly"},
    {"AccountPrivilege": "DDLOnly"},
    {"AccountDescription": "ab"},
    {"AccountDescription": "中-_9" + "x" * 252},
    {"ClientToken": "x" * 64},
    {"AccountVersion": "0"},
    {"AccountVersion": "1"},
    {"OwnerId": "100000000001"},
    {"ResourceOwnerAccount": "100000000001"},
]


@pytest.mark.parametrize("own", DEFAULTS_TAKEN, ids=str)
def test_create_account_takes_what_its_page_allows(own) -> None:
    assert create(**own) is None


NAME, RESERVED_NAME = ("InvalidAccountName.Malformed", 400), ("InvalidAccountName.keyword", 400)
PASSWORD, TYPE = ("InvalidAccountPassword.Malformed", 400), ("InvalidAccountType.ValueNotSupported", 400)
INFO, PRIVILEGE = ("InvalidDBInfo.Malformed", 400), ("InvalidAccountPrivilege.ValueNotSupported", 400)
DESCRIPTION, TOKEN = ("InvalidAccountDescription.Malformed", 400), ("InvalidClientToken.Malformed", 400)
VERSION, NAMES = ("InvalidAccountVersion.ValueNotSupported", 400), ("InvalidDBName.Malformed", 400)
REFUSED_PARAMETERS = [
    *(({name: ""}, ("MissingParameter", 400)) for name in NEW),
    ({"InstanceId": "pd_x"}, ("InvalidDBInstanceId.NotFound", 404)),
    ({"InstanceId": "pd-x' OR 1=1"}, ("InvalidDBInstanceId.NotFound", 404)),
    *(({"AccountName": name}, NAME) for name in (
        "a", "a1234567890", "Abc", "1abc", "_abc", "aBc", "a-b", "a b", "ab ", "中文", "ab\n", "None"
    )),
    *(({"AccountName": name}, RESERVED_NAME) for name in ("root", "admin", "mysql", "select", "zerofill", "test")),
    *(({"AccountPassword": text}, PASSWORD) for text in (
        "Pw12345", "aB3" + "x" * 30, "password", "passw0rd", "PASSWORD1", "12345678!", "Pw 123456", "Pw123456中",
        "Pw12345\x00", "\t\n Pw12345",
    )),
    *(({"AccountType": text}, TYPE) for text in ("normal", "SUPER", "Sysadmin", " Normal", "Normal\n")),
    *(({"DBInfo": text}, INFO) for text in (
        '{"ReadOnly":["mydb","mydb2"],"ReadWrite":["mydb3",mydb4]}',  # the page's own example
        "", "null", "1", "[]", '"x"', "{", '{"ReadOnly":"mydb"}', '{"readonly":["a"]}', '{"DMLOnly":["a"]}',
        '{"ReadOnly":[1]}', '{"ReadOnly":[""]}', '{"ReadOnly":["a"],"ReadOnly":["b"]}',
        '{"ReadOnly":["a"],"ReadWrite":["a"]}', '{"ReadOnly":["a\\u0000b"]}', '{"ReadOnly":["\\ud800"]}',
        '{"ReadOnly":["' + "x" * 65 + '"]}', "[" * 100_000, '{"ReadOnly":NaN}', "9" * 5000,
    ) if text),
    *(({"DBName": text}, NAMES) for text in (",", "a,", "a,,b", "x" * 65, "a\x07")),
    *(({"AccountPrivilege": text}, PRIVILEGE) for text in ("readonly", "DMLOnly", "Custom", "None")),
    *(({"AccountDescription": text}, DESCRIPTION) for text in (
        "a", "x" * 257, "http://x", "https://x", "1abc", "_abc", "-abc", "a b", "a.b", "中文!", "ab\n",
    )),
    *(({"ClientToken": text}, TOKEN) for text in ("x" * 65, "中", "a\tb")),
    *(({"AccountVersion": text}, VERSION) for text in ("2", "00", "true")),
    ({"OwnerId": "x"}, ("InvalidOwnerId", 400)),
    ({"OwnerId": "100000000002"}, ("InvalidOwnerId", 400)),
    ({"OwnerAccount": "a@b"}, ("InvalidOwnerAccount", 400)),
    ({"ResourceOwnerId": "1"}, ("InvalidResourceOwnerId", 400)),
    ({"OwnerId": "100000000001", "OwnerAccount": "100000000001"}, ("InvalidOwner", 400)),
    ({"AccountNmae": "x"}, ("UnsupportedParameter", 400)),
]  # fmt: skip


@pytest.mark.parametrize(("own", "expected"), REFUSED_PARAMETERS, ids=lambda value: str(value)[:60])
def test_create_account_refuses_what_its_page_forbids(own, expected) -> None:
    assert create(**own) == expected


BEHIND_CREATE_ACCOUNT = {
    Reason.ACCOUNT_TAKEN: ("InvalidAccountName.Duplicate", 400),
    Reason.ACCOUNT_QUOTA: ("QuotaExceeded.AccountName", 403),
    Reason.CLIENT_TOKEN_MISMATCH: ("IdempotentParameterMismatch", 400),
    Reason.CLIENT_TOKEN_BUSY: ("LastTokenProcessing", 403),
    Reason.INSTANCE_MISSING: ("InvalidDBInstanceId.NotFound", 404),
    Reason.INSTANCE_FORBIDDEN: ("InvalidDBInstanceId.NotFound", 404),
    Reason.INSTANCE_RESTARTING: ("OperationDenied.DBInstanceStatus", 403),
    Reason.INSTANCE_ISOLATED: ("OperationDenied.LockMode", 403),
    Reason.DATABASE_MISSING: ("InvalidDBName.NotFound", 404),
    Reason.ENGINE_UNREACHABLE: ("ServiceUnavailable", 503),
    Reason.ENGINE_BUSY: ("ServiceUnavailable", 503),
    Reason.NOT_PERMITTED: ("Forbidden.RAM", 403),
    Reason.TLS_REQUIRED: ("InvalidProtocol.NeedSsl", 400),
    Reason.INTERNAL: ("InternalError", 500),
}


@pytest.mark.parametrize(("reason", "expected"), BEHIND_CREATE_ACCOUNT.items(), ids=str)
def test_what_the_domain_refuses_has_the_manuals_code(reason, expected) -> None:
    assert answered("CreateAccount", Refused(reason), {**NEW, "DBName": "d"}) == expected


def test_an_unknown_database_of_db_info_is_db_infos_fault() -> None:
    sent = {**NEW, "DBName": "d", "DBInfo": '{"ReadOnly":["e"]}'}
    assert answered("CreateAccount", Refused(Reason.DATABASE_MISSING), sent) == INFO


def test_every_documented_code_of_create_account_is_reached() -> None:
    parameters = {code for _, (code, _) in REFUSED_PARAMETERS}
    behind = {code for code, _ in BEHIND_CREATE_ACCOUNT.values()}
    assert parameters | behind >= CREATE_ACCOUNT_CODES == CONTRACT.actions["CreateAccount"].codes


# --- the siblings

DB_INSTANCE = {"DBInstanceId": "pd-x", "AccountName": "a"}
BOTH = {"InstanceId": "pd-x", "AccountName": "a"}
TASKS = {
    "InstanceId": "pd-x", "StartTime": "2018-08-08T04:21Z", "EndTime": "2018-08-09T04:21:26Z",
    "PageNumbers": "1", "MaxRecordsPerPage": "30",
}  # fmt: skip
INSTANCE = {
    "RegionId": "cn-hangzhou", "ZoneId": "cn-hangzhou-b", "DBName": "first", "NodeSpec": "petadata.s2.xlarge",
    "NodeNumber": "2", "AccountName": "test_123", "AccountPassword": "Pw123456",
}  # fmt: skip
SIBLINGS = [
    ("DeleteAccount", {"InstanceId": "pd-x", "AccountName": "Any Name, even reserved"}, None),
    ("DeleteAccount", {"InstanceId": "pd-x", "AccountName": "x" * 81}, ("InvalidAccountName.NotFound", 404)),
    ("ResetAccountPassword", {**BOTH, "NewPassword": "Pw123456"}, None),
    ("ResetAccountPassword", {**BOTH, "NewPassword": "Pw123456~"}, ("InvalidNewPassword.Malformed", 400)),
    ("ResetAccountPassword", {**BOTH, "NewPassword": "short"}, ("InvalidNewPassword.Malformed", 400)),
    ("ModifyAccountPassword", {**BOTH, "NewPassword": "Pw123456", "OldPassword": "any"}, None),
    ("ModifyAccountPassword", {**BOTH, "NewPassword": "Pw123456"}, ("MissingParameter", 400)),
    ("ModifyAccountDescription", {**DB_INSTANCE, "AccountDescription": "ab"}, None),
    ("ModifyAccountDescription", {**BOTH, "AccountDescription": "ab"}, None),
    ("ModifyAccountDescription", {**BOTH, "AccountDescription": "http://x"}, DESCRIPTION),
    ("ModifyAccountDescription", {"AccountName": "a", "AccountDescription": "ab"}, ("MissingParameter", 400)),
    ("GrantAccountPrivilege", {**DB_INSTANCE, "DBName": "a,b", "AccountPrivilege": "ReadOnly"}, None),
    ("GrantAccountPrivilege", {**DB_INSTANCE, "DBName": "a", "AccountPrivilege": "Custom"}, PRIVILEGE),
    ("GrantAccountPrivilege", {**DB_INSTANCE, "DBName": "a,", "AccountPrivilege": "ReadOnly"}, NAMES),
    ("GrantAccountPrivilege", {**DB_INSTANCE, "InstanceId": "pd-y", "DBName": "a", "AccountPrivilege": "ReadOnly"},
     ("InvalidInstanceId.ValueNotSupported", 400)),
    ("RevokeAccountPrivilege", {**DB_INSTANCE, "DBName": "a"}, None),
    ("RevokeAccountPrivilege", DB_INSTANCE, ("MissingParameter", 400)),
    ("CreateDatabase", {"InstanceId": "pd-x", "DBName": "mydb", "Token": "t"}, None),
    ("CreateDatabase", {"InstanceId": "pd-x", "DBName": "a-b_9" + "x" * 59}, None),
    *(("CreateDatabase", {"InstanceId": "pd-x", "DBName": bad}, ("InvalidDBName.Duplicate", 400))
      for bad in ("My db", "1a", "a_", "a-", "a\n", "x" * 65, "a%", "a`b")),
    ("CreateDatabase", {"InstanceId": "pd-x", "DBName": "mysql"}, ("InvalidParameter.Keyword", 400)),
    ("CreateDatabase", {"InstanceId": "pd-x", "DBName": "d", "NodeNumber": "x"},
     ("InvalidNodeNumber.Malformed", 400)),
    ("DeleteDatabase", {"InstanceId": "pd-x", "DBName": "d", "ClientToken": "t"}, None),
    ("DescribeDatabases", {"InstanceId": "pd-x"}, None),
    ("CreateInstance", INSTANCE, None),
    ("CreateInstance", {**INSTANCE, "RegionId": "mars"}, ("InvalidRegionId.NotFound", 404)),
    ("CreateInstance", {**INSTANCE, "NetworkType": "VPC"}, ("MissingParameter", 400)),
    ("CreateInstance", {**INSTANCE, "NetworkType": "VPC", "VPCId": "v", "VSwitchId": "s"}, None),
    ("CreateInstance", {**INSTANCE, "NodeNumber": "0"}, ("InvalidNodeNumber.Malformed", 400)),
    ("CreateInstance", {**INSTANCE, "SecurityIPList": "x"}, ("InvalidSecurityIPList.Duplicate", 400)),
    ("CreateInstance", {**INSTANCE, "PayType": "PrePaid", "ChargeType": "PostPaid"},
     ("InvalidPayType.ValueNotSupported", 400)),
    ("DescribeInstances", {}, None),
    ("DescribeInstances", {"PageSize": "50", "PageNumber": "65535"}, None),
    ("DescribeInstances", {"PageSize": "11"}, ("InvalidPageSize.Malformed", 400)),
    ("DescribeInstances", {"PageNumber": "0"}, ("InvalidPageNumber.Malformed", 400)),
    ("DescribeInstances", {"PageNumber": "x"}, ("InvalidPageNumber.Malformed", 400)),
    ("DescribeInstances", {"InstanceStatus": "active"}, ("InvalidInstanceStatus.ValueNotSupported", 400)),
    ("ModifyInstanceName", {"InstanceId": "pd-x", "NewInstanceName": "Mine, 中"}, None),
    ("ModifyInstanceName", {"InstanceId": "pd-x", "NewInstanceName": "x" * 257},
     ("InvalidNewInstanceName.Malformed", 400)),
    ("ModifySecurityIPs", {"InstanceId": "pd-x", "ModifyMode": "1", "SecurityIPList": "10.0.0.0/8,0.0.0.0/0"}, None),
    ("ModifySecurityIPs", {"InstanceId": "pd-x", "SecurityIPList": "10.0.0.1"}, None),
    ("ModifySecurityIps", {"InstanceId": "pd-x", "Modifymode": "2", "SecurityIps": "10.0.0.1/32"}, None),
    ("ModifySecurityIPs", {"InstanceId": "pd-x", "ModifyMode": "1"}, ("MissingParameter", 400)),
    ("ModifySecurityIPs", {"InstanceId": "pd-x", "ModifyMode": "3", "SecurityIPList": "10.0.0.1"},
     ("InvalidModifyMode.ValueNotSupported", 400)),
    *(("ModifySecurityIPs", {"InstanceId": "pd-x", "SecurityIPList": bad}, ("InvalidSecurityIPList.Duplicate", 400))
      for bad in ("::1", "10.0.0", "10.0.0.1/33", "10.0.0.1/0", "10.0.0.1/", "a,b", "10.0.0.1,10.0.0.1", "1.1.1.1,")),
    ("ModifySecurityIPs", {"InstanceId": "pd-x", "SecurityIPList": ",".join(["1.1.1.1"] * 1001)},
     ("InvalidSecurityIPListLength.Malformed", 400)),
    ("ModifySecurityIPs", {"InstanceId": "pd-x", "SecurityIPList": "1.1.1.1", "SecurityIPListName": "0ther"},
     ("InvalidSecurityIPListName.ValueNotSupported", 400)),
    ("DescribeTasks", TASKS, None),
    ("DescribeTasks", {**TASKS, "MaxRecordsPerPage": "31"}, ("InvalidMaxRecordsPerPage.Malformed", 400)),
    ("DescribeTasks", {**TASKS, "StartTime": "yesterday"}, ("InvalidStartTime.Malformed", 400)),
    ("DescribeTasks", {**TASKS, "EndTime": "2018-13-08T04:21Z"}, ("InvalidEndTime.Malformed", 400)),
    ("DescribeTasks", {**TASKS, "EndTime": "2018-08-07T04:21Z"}, ("InvalidStartTimeAndEndTime.Malformed", 400)),
    ("DescribeTasks", {**TASKS, "Status": "9"}, ("InvalidStatus.ValueNotSupported", 400)),
    ("DescribeTaskStatus", {"InstanceId": "pd-x"}, ("MissingParameter", 400)),
    ("DescribeUserInfo", {}, None),
]  # fmt: skip


@pytest.mark.parametrize(("action", "sent", "expected"), SIBLINGS)
def test_siblings_keep_the_manuals_rules(action, sent, expected) -> None:
    assert verdict(action, sent) == expected


@pytest.mark.parametrize(
    ("action", "reason", "expected"),
    [
        ("DeleteAccount", Reason.ACCOUNT_MISSING, ("InvalidAccountName.NotFound", 404)),
        ("ModifyAccountPassword", Reason.PASSWORD_WRONG, ("InvalidOldPassword.Malformed", 400)),
        ("GrantAccountPrivilege", Reason.ACCOUNT_PROTECTED, ("OperationDenied.AccountType", 403)),
        ("GrantAccountPrivilege", Reason.DATABASE_MISSING, ("InvalidDBName.NotFound", 404)),
        ("CreateDatabase", Reason.DATABASE_TAKEN, ("InvalidDBName.Duplicate", 400)),
        ("DeleteDatabase", Reason.DATABASE_MISSING, ("InvalidDBName.NotFound", 404)),
        ("DeleteDatabase", Reason.DATABASE_PROTECTED, ("OperationDenied.NoDatabase", 403)),
        ("CreateInstance", Reason.PROVISIONER_MISSING, ("ActionUnauthorized", 403)),
        ("DescribeTaskStatus", Reason.OBJECT_MISSING, ("InvalidTaskId.NotFound", 400)),
    ],
)
def test_what_the_domain_refuses_of_siblings_has_the_manuals_code(action, reason, expected) -> None:
    assert answered(action, Refused(reason), {}) == expected


# --- totality

STATUSES = {400, 403, 404, 500, 503}


@ALL_ACTIONS
def test_every_reason_of_every_action_and_parameter_has_a_code_a_status_and_a_text(action) -> None:
    for reason in Reason:
        for field in ("", *(field.name for field in action.params)):
            row = CONTRACT.row(action.name, reason, field) or COMMON.get((reason, field)) or COMMON[reason]
            assert row.status in STATUSES
            assert row.english
            assert set(re.findall(r"\{([a-z_]+)\}", row.code + row.english)) <= {"field"}
            code, status = answered(action.name, Refused(reason, field), {})
            assert code.replace("{field}", field) == row.code.replace("{field}", field)
            assert status == row.status


@ALL_ACTIONS
def test_every_rule_of_every_parameter_has_a_row_of_the_contract(action) -> None:
    for field in action.params:
        for rule in field.rules:
            row = CONTRACT.row(action.name, rule.reason, field.name)
            assert row is not None or rule.reason is Reason.REGION_UNSUPPORTED
            assert rule.source


def test_only_reasons_of_the_gateway_are_left_to_its_table() -> None:
    rows = {key.value for key in ERRORS if isinstance(key, Reason)}
    left = {reason.value for reason in Reason if not reason.identity_only} - rows
    assert left == {
        "malformed-request", "too-large", "method-unsupported", "service-unknown", "version-unknown",
        "action-unknown", "route-unknown", "media-type-unsupported", "authorization-malformed", "key-unknown",
        "key-disabled", "signature-mismatch", "signature-expired", "token-invalid", "nonce-reused", "tls-required",
        "credentials-invalid", "rate-exceeded", "not-permitted", "caller-not-listed", "parameter-unknown",
        "region-unsupported", "object-name-malformed", "password-undecipherable", "engine-unreachable",
        "engine-busy", "engine-refused", "account-repeated", "host-malformed", "grant-missing",
        "password-not-managed", "encoding-unsupported", "locale-unsupported", "object-missing", "object-protected",
        "privilege-unknown", "privilege-dependent", "membership-circular", "provisioner-missing", "interrupted",
        "internal", "unsealed", "identity-unreachable",
    }  # fmt: skip


def test_own_rows_are_of_actions_that_there_are() -> None:
    assert set(OWN) <= set(CONTRACT.actions)


# --- words and documents


def test_the_reserved_words_are_the_manuals() -> None:
    assert len(RESERVED) == 237
    assert {"admin", "cross", "current_timestamp", "zerofill", "information_schema"} <= RESERVED


def test_a_db_info_is_read_as_grants() -> None:
    assert grants_of({"ReadOnly": ["a", "b", "a"], "DDLOnly": ["c"]}) == (
        DatabaseGrant("a", Access.READ_ONLY),
        DatabaseGrant("b", Access.READ_ONLY),
        DatabaseGrant("c", Access.DDL_ONLY),
    )
    assert grants_of({"ReadOnly": [f"d{n}" for n in range(501)]}) is None


def test_passwords_are_secrets_everywhere() -> None:
    for action in ACTIONS:
        for field in action.params:
            assert (field.type is Kind.SECRET) == field.name.endswith("Password")


def test_a_refused_password_is_never_quoted() -> None:
    sent = call("CreateAccount", {**NEW, "AccountPassword": "leaked"})
    with pytest.raises(Refused) as refused:
        check(sent, CALLER, CONTRACT.actions["CreateAccount"])
    assert b"leaked" not in ALIYUN.refuse(sent.envelope, refused.value, sent).body
