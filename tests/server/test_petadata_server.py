"""Alibaba PetaData over the wire: what each call does on the server, and every refusal by its real cause."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.clients.petadata_cloud import OTHER_PASSWORD, PASSWORD, Cloud, word
from tests.conftest import Rolecall
from tests.waiting import until

from rolecall.contracts.aliyun.petadata.errors import CREATE_ACCOUNT_CODES
from rolecall.engines.mysql import hashes
from rolecall.signing import acs1

INSERT = "INSERT INTO orders VALUES (2)"
SELECT = "SELECT id FROM orders"
DDL = ("CREATE TABLE made (id int)", "DROP TABLE made")

# privilege -> (may select, may insert, may create and drop tables)
TEMPLATES = {
    "ReadWrite": (True, True, True),
    "ReadOnly": (True, False, False),
    "DDLOnly": (False, False, True),
}


@pytest.fixture(scope="module")
def whole_cloud(rolecall: Rolecall) -> Iterator[Cloud]:
    cloud = Cloud(rolecall)
    yield cloud
    cloud.close()


@pytest.fixture
def cloud(whole_cloud: Cloud) -> Cloud:
    """The quickstart instance without accounts and databases."""
    whole_cloud.clear()
    return whole_cloud


def database(cloud: Cloud, name: str = "") -> str:
    """A database made through the API, with a table in it."""
    name = name or word("d")
    cloud.ok("CreateDatabase", DBName=name)
    cloud.server.sql(f"CREATE TABLE `{name}`.orders (id int)", f"INSERT INTO `{name}`.orders VALUES (1)")
    return name


def rights(cloud: Cloud, user: str, name: str, password: str = PASSWORD) -> tuple[bool, bool, bool]:
    """(may select, may insert, may create and drop tables)."""
    may = cloud.server.may
    return (
        may(user, password, name, SELECT),
        may(user, password, name, INSERT),
        may(user, password, name, *DDL),
    )


# What a change does.


def test_a_created_account_is_on_the_server_and_logs_in(cloud: Cloud) -> None:
    name = word()
    assert set(cloud.create(name)) == {"RequestId"}
    assert cloud.server.users() == [(name, "%")]
    assert cloud.server.can_log_in(name, PASSWORD)
    assert not cloud.server.can_log_in(name, PASSWORD + "x")
    assert cloud.account(name) == {
        "AccountName": name,
        "AccountStatus": "ACTIVE",
        "AccountDescription": "",
        "AccountType": "Normal",
        "DatabasePrivileges": {"DatabasePrivilege": [{"AccountPrivilege": "", "AccountPrivilegeDetail": ""}]},
    }


@pytest.mark.parametrize("privilege", TEMPLATES)
def test_an_account_may_do_what_its_privilege_says_and_nothing_else(cloud: Cloud, privilege: str) -> None:
    mine, foreign, name = database(cloud), database(cloud), word()
    cloud.create(name, DBInfo=json.dumps({privilege: [mine]}), AccountVersion="1")
    assert rights(cloud, name, mine) == TEMPLATES[privilege]
    assert rights(cloud, name, foreign) == (False, False, False)
    assert not cloud.server.may(name, PASSWORD, None, "SELECT User FROM mysql.global_priv")
    assert not cloud.server.may(name, PASSWORD, None, f"CREATE DATABASE {word('d')}")
    assert not cloud.server.may(name, PASSWORD, None, f"CREATE USER {word()}")
    assert not cloud.server.may(name, PASSWORD, mine, f"GRANT SELECT ON `{mine}`.* TO '{name}'@'%'")
    assert cloud.privileges(name) == {mine: privilege}


def test_dbinfo_gives_each_database_its_own_privilege(cloud: Cloud) -> None:
    one, two, three, name = database(cloud), database(cloud), database(cloud), word()
    cloud.create(name, DBInfo=json.dumps({"ReadOnly": [one], "ReadWrite": [two], "DDLOnly": [three]}))
    assert cloud.privileges(name) == {one: "ReadOnly", two: "ReadWrite", three: "DDLOnly"}
    assert rights(cloud, name, one) == TEMPLATES["ReadOnly"]
    assert rights(cloud, name, two) == TEMPLATES["ReadWrite"]
    assert rights(cloud, name, three) == TEMPLATES["DDLOnly"]


def test_dbname_takes_one_privilege_for_several_databases_readwrite_by_default(cloud: Cloud) -> None:
    one, two, reader, writer = database(cloud), database(cloud), word(), word()
    cloud.create(reader, DBName=f"{one},{two}", AccountPrivilege="ReadOnly")
    cloud.create(writer, DBName=one)
    assert cloud.privileges(reader) == {one: "ReadOnly", two: "ReadOnly"}
    assert cloud.privileges(writer) == {one: "ReadWrite"}
    assert rights(cloud, reader, two) == TEMPLATES["ReadOnly"]


@pytest.mark.parametrize("version", ["0", ""])
def test_the_old_account_version_reads_and_writes_every_database(cloud: Cloud, version: str) -> None:
    one, two, name = database(cloud), database(cloud), word()
    asked = {"DBInfo": json.dumps({"ReadOnly": [one]})} if version else {}
    cloud.create(name, AccountVersion=version, **asked)
    assert rights(cloud, name, one) == rights(cloud, name, two) == TEMPLATES["ReadWrite"]


def test_the_new_account_version_without_databases_opens_none(cloud: Cloud) -> None:
    one, name = database(cloud), word()
    cloud.create(name, AccountVersion="1")
    assert rights(cloud, name, one) == (False, False, False)


def test_a_super_account_rules_tenants_databases_but_not_the_server(cloud: Cloud) -> None:
    one, name = database(cloud), word()
    cloud.create(name, AccountType="Super", AccountDescription="ops-team")
    assert rights(cloud, name, one) == TEMPLATES["ReadWrite"]
    assert not cloud.server.may(name, PASSWORD, None, "SELECT Priv FROM mysql.global_priv")
    assert not cloud.server.may(name, PASSWORD, None, "SET GLOBAL max_connections = 5")
    found = cloud.account(name)
    assert found is not None
    assert (found["AccountType"], found["AccountDescription"]) == ("Super", "ops-team")
    for action in ("GrantAccountPrivilege", "RevokeAccountPrivilege"):
        asked = {"AccountName": name, "DBName": one, "DBInstanceId": cloud.instance}
        privilege = {"AccountPrivilege": "ReadOnly"} if action.startswith("Grant") else {}
        assert cloud.refused(action, **asked, **privilege) == ("OperationDenied.AccountType", 403)


@pytest.mark.parametrize("wild", ["a_b", "a__b"])
def test_a_wildcard_in_a_database_name_opens_no_other_database(cloud: Cloud, wild: str) -> None:
    mine, other = database(cloud, wild), database(cloud, wild.replace("_", "x"))
    name = word()
    cloud.create(name, DBInfo=json.dumps({"ReadWrite": [mine]}))
    assert rights(cloud, name, mine) == TEMPLATES["ReadWrite"]
    assert rights(cloud, name, other) == (False, False, False)
    cloud.ok("GrantAccountPrivilege", AccountName=name, DBName=mine, AccountPrivilege="ReadOnly")
    assert cloud.privileges(name) == {mine: "ReadOnly"}
    assert rights(cloud, name, other) == (False, False, False)


@pytest.mark.parametrize("wild", ["%", "my%", "_", "my\\_db", "*", "`my`", "mydb ", " mydb", "MYDB"])
def test_a_name_that_no_database_has_grants_nothing_and_makes_nobody(cloud: Cloud, wild: str) -> None:
    database(cloud, "mydb")
    before = cloud.server.snapshot()
    name = word()
    shape = {"AccountName": name, "AccountPassword": PASSWORD}
    info = json.dumps({"ReadWrite": ["mydb"], "ReadOnly": [wild]})
    assert cloud.refused("CreateAccount", **shape, DBInfo=info) == ("InvalidDBInfo.Malformed", 400)
    assert cloud.refused("CreateAccount", **shape, DBName=f"mydb,{wild}") == ("InvalidDBName.NotFound", 404)
    assert cloud.server.snapshot() == before


def test_grant_replaces_and_revoke_takes_away(cloud: Cloud) -> None:
    one, name = database(cloud), word()
    cloud.create(name, AccountVersion="1")
    shape = {"AccountName": name, "DBName": one}
    for privilege, may in TEMPLATES.items():
        cloud.ok("GrantAccountPrivilege", **shape, AccountPrivilege=privilege)
        assert rights(cloud, name, one) == may
        assert cloud.privileges(name) == {one: privilege}
    cloud.ok("RevokeAccountPrivilege", **shape)
    assert rights(cloud, name, one) == (False, False, False)
    assert cloud.privileges(name) == {}
    cloud.ok("RevokeAccountPrivilege", **shape)
    missing = {"AccountName": name, "DBName": word("d"), "AccountPrivilege": "ReadOnly"}
    assert cloud.refused("GrantAccountPrivilege", **missing) == ("InvalidDBName.NotFound", 404)


def test_passwords_are_reset_and_changed_by_who_knows_the_old_one(cloud: Cloud) -> None:
    name = word()
    cloud.create(name)
    cloud.ok("ResetAccountPassword", AccountName=name, NewPassword=OTHER_PASSWORD)
    assert cloud.server.can_log_in(name, OTHER_PASSWORD)
    assert not cloud.server.can_log_in(name, PASSWORD)
    shape = {"AccountName": name, "NewPassword": "Third_pw3"}
    for wrong in (PASSWORD, OTHER_PASSWORD + " ", OTHER_PASSWORD.lower(), "x", "x" * 300):
        refused = cloud.refused("ModifyAccountPassword", OldPassword=wrong, **shape)
        assert refused == ("InvalidOldPassword.Malformed", 400)
    assert cloud.server.can_log_in(name, OTHER_PASSWORD)
    cloud.ok("ModifyAccountPassword", OldPassword=OTHER_PASSWORD, **shape)
    assert cloud.server.can_log_in(name, "Third_pw3")
    assert not cloud.server.can_log_in(name, OTHER_PASSWORD)


def test_an_account_made_by_sql_has_its_old_password_compared_too(cloud: Cloud) -> None:
    name = word()
    cloud.server.sql(f"CREATE USER '{name}'@'%' IDENTIFIED BY 'Sql_made1'")
    shape = {"AccountName": name, "NewPassword": OTHER_PASSWORD}
    assert (
        cloud.code("ModifyAccountPassword", OldPassword="Sql_made2", **shape)
        == "InvalidOldPassword.Malformed"
    )
    cloud.ok("ModifyAccountPassword", OldPassword="Sql_made1", **shape)
    assert cloud.server.can_log_in(name, OTHER_PASSWORD)


def test_hashes_of_either_server_are_compared() -> None:
    odd_salt = "\x01$A\x7f" + "s" * 16
    stored = f"$A$005${odd_salt}{hashes.sha_crypt(b'secret', odd_salt.encode(), 5000)}"
    for made in (hashes.native("secret"), hashes.caching_sha2("secret"), stored):
        assert hashes.is_of(made, "secret")
        assert not hashes.is_of(made, "Secret")
    assert not any(
        hashes.is_of(other, "") for other in ("", "invalid", hashes.UNUSABLE_NATIVE, hashes.UNUSABLE_SHA2)
    )


def test_a_description_is_changed_and_listed(cloud: Cloud) -> None:
    name = word()
    cloud.create(name, AccountDescription="first")
    cloud.ok("ModifyAccountDescription", AccountName=name, AccountDescription="账号-2")
    found = cloud.account(name)
    assert found is not None
    assert found["AccountDescription"] == "账号-2"


def test_a_deleted_account_is_gone_and_its_name_is_free(cloud: Cloud) -> None:
    one, name = database(cloud), word()
    cloud.create(name, DBName=one)
    cloud.ok("DeleteAccount", AccountName=name)
    assert cloud.server.users() == []
    assert cloud.server.sql(f"SELECT Db FROM mysql.db WHERE User = '{name}'") == []
    assert not cloud.server.can_log_in(name, PASSWORD)
    assert cloud.refused("DeleteAccount", AccountName=name) == ("InvalidAccountName.NotFound", 404)
    cloud.create(name, OTHER_PASSWORD, AccountVersion="1")
    assert cloud.privileges(name) == {}


def test_databases_are_made_listed_and_dropped_with_their_grants(cloud: Cloud) -> None:
    one, name = database(cloud), word()
    cloud.create(name, DBName=one)
    assert [each["DBName"] for each in cloud.ok("DescribeDatabases")["Databases"]["Database"]] == [one]
    assert cloud.ok("DescribeDatabases", DBName=word("d"))["Databases"]["Database"] == []
    assert cloud.refused("CreateDatabase", DBName=one) == ("InvalidDBName.Duplicate", 400)
    cloud.ok("DeleteDatabase", DBName=one)
    assert (one,) not in cloud.server.sql("SHOW DATABASES")
    assert cloud.privileges(name) == {}
    assert cloud.refused("DeleteDatabase", DBName=one) == ("InvalidDBName.NotFound", 404)
    assert cloud.refused("DeleteDatabase", DBName="mysql")[1] in (403, 404)


# Client tokens and the quota.


def test_the_same_client_token_is_the_same_call(cloud: Cloud) -> None:
    name, token = word(), str(uuid4())
    first = cloud.create(name, ClientToken=token)
    verifier = cloud.server.snapshot()
    second = cloud.create(name, ClientToken=token)
    assert set(first) == set(second) == {"RequestId"}
    assert cloud.server.snapshot() == verifier
    assert cloud.server.users() == [(name, "%")]


@pytest.mark.parametrize(
    "other",
    [{"AccountPassword": OTHER_PASSWORD}, {"AccountName": "other"}, {"AccountType": "Super"},
     {"AccountDescription": "other"}, {"DBName": "other"}],
)  # fmt: skip
def test_a_client_token_with_other_parameters_is_refused(cloud: Cloud, other: dict[str, str]) -> None:
    name, token = word(), str(uuid4())
    cloud.create(name, ClientToken=token)
    shape = {"AccountName": name, "AccountPassword": PASSWORD, "ClientToken": token, **other}
    assert cloud.refused("CreateAccount", **shape) == ("IdempotentParameterMismatch", 400)
    assert cloud.server.users() == [(name, "%")]
    assert cloud.server.can_log_in(name, PASSWORD)


def test_a_refused_call_frees_its_client_token(cloud: Cloud) -> None:
    name, token, missing = word(), str(uuid4()), word("d")
    shape = {"AccountName": name, "AccountPassword": PASSWORD, "ClientToken": token}
    assert cloud.code("CreateAccount", DBName=missing, **shape) == "InvalidDBName.NotFound"
    cloud.ok("CreateDatabase", DBName=missing)
    cloud.ok("CreateAccount", DBName=missing, **shape)
    assert cloud.privileges(name) == {missing: "ReadWrite"}


def test_calls_with_one_client_token_at_once_all_succeed_and_make_one_account(cloud: Cloud) -> None:
    name, token = word(), str(uuid4())
    shape = {"AccountName": name, "AccountPassword": PASSWORD, "ClientToken": token}
    with ThreadPoolExecutor(6) as pool:
        codes = list(pool.map(lambda _: cloud.code("CreateAccount", **shape), range(6)))
    assert codes == [""] * 6
    assert cloud.server.users() == [(name, "%")]


def test_an_instance_has_three_accounts_at_most(cloud: Cloud) -> None:
    names = [word() for _ in range(3)]
    for name in names:
        cloud.create(name)
    shape = {"AccountPassword": PASSWORD}
    assert cloud.refused("CreateAccount", AccountName=word(), **shape) == ("QuotaExceeded.AccountName", 403)
    assert cloud.code("CreateAccount", AccountName=names[0], **shape) == "InvalidAccountName.Duplicate"
    cloud.ok("DeleteAccount", AccountName=names[0])
    cloud.create(word())
    assert len(cloud.server.users()) == 3


def test_calls_at_once_do_not_pass_the_quota_together(cloud: Cloud) -> None:
    with ThreadPoolExecutor(8) as pool:
        codes = list(
            pool.map(
                lambda _: cloud.code("CreateAccount", AccountName=word(), AccountPassword=PASSWORD), range(8)
            )
        )
    assert sorted(codes) == [""] * 3 + ["QuotaExceeded.AccountName"] * 5
    assert len(cloud.server.users()) == 3


# Every code of CreateAccount by its cause.

CAUSES: list[tuple[dict[str, str], str, int]] = [
    ({"InstanceId": ""}, "MissingParameter", 400),
    ({"AccountName": ""}, "MissingParameter", 400),
    ({"AccountPassword": ""}, "MissingParameter", 400),
    ({"InstanceId": "pd-00000000000000"}, "InvalidDBInstanceId.NotFound", 404),
    ({"InstanceId": "pd-\u4e2d' OR 1=1"}, "InvalidDBInstanceId.NotFound", 404),
    *(
        ({"AccountName": bad}, "InvalidAccountName.Malformed", 400)
        for bad in ("a", "elevenchars", "Upper", "1abc", "_abc", "a-b", "abc ", " abc", "ab'c", "a\u00e9", "ab\n")
    ),
    ({"AccountName": "select"}, "InvalidAccountName.keyword", 400),
    ({"AccountName": "root"}, "InvalidAccountName.keyword", 400),
    *(
        ({"AccountPassword": bad}, "InvalidAccountPassword.Malformed", 400)
        for bad in ("Aa1!567", "Aa1!" * 8 + "x", "abcdefgh1", "abcdefgh", "Pw 123456", "Pw12345\u00e9")
    ),
    ({"AccountType": "normal"}, "InvalidAccountType.ValueNotSupported", 400),
    ({"AccountPrivilege": "DMLOnly", "DBName": "mydb"}, "InvalidAccountPrivilege.ValueNotSupported", 400),
    ({"AccountVersion": "2"}, "InvalidAccountVersion.ValueNotSupported", 400),
    *(
        ({"DBInfo": bad}, "InvalidDBInfo.Malformed", 400)
        for bad in (
            '{"ReadOnly":["nosuch"]}', '{"ReadOnly":["mydb","mydb2"],"ReadWrite":["mydb3",mydb4]}', "[]", '"x"', "{",
            '{"Readonly":["mydb"]}', '{"ReadOnly":"mydb"}', '{"ReadOnly":[1]}', '{"ReadOnly":[""]}',
            '{"ReadOnly":["mydb"],"ReadWrite":["mydb"]}', '{"ReadOnly":["mysql"]}',
            '{"ReadOnly":["information_schema"]}', "[" * 5000,
        )
    ),
    ({"DBName": "nosuch"}, "InvalidDBName.NotFound", 404),
    ({"DBName": "mysql"}, "InvalidDBName.NotFound", 404),
    ({"DBName": "mydb,"}, "InvalidDBName.Malformed", 400),
    *(
        ({"AccountDescription": bad}, "InvalidAccountDescription.Malformed", 400)
        for bad in ("x", "http://a", "https://a", "1abc", "a b", "x" * 257)
    ),
    ({"ClientToken": "x" * 65}, "InvalidClientToken.Malformed", 400),
    ({"Host": "10.0.0.1"}, "UnsupportedParameter", 400),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "code", "status"), CAUSES)
def test_bad_input_is_refused_with_the_vendors_code_and_leaves_nothing(
    cloud: Cloud, changes: dict[str, str], code: str, status: int
) -> None:
    cloud.ok("CreateDatabase", DBName="mydb")
    before = cloud.server.snapshot()
    shape = {"AccountName": word(), "AccountPassword": PASSWORD, **changes}
    assert cloud.refused("CreateAccount", **shape) == (code, status)
    assert cloud.server.snapshot() == before


def test_every_code_of_the_page_is_reached_by_these_tests() -> None:
    elsewhere = {
        "InvalidAccountName.Duplicate",  # the quota's test
        "QuotaExceeded.AccountName",
        "IdempotentParameterMismatch",
        "LastTokenProcessing",  # tests/store/test_claims.py
        "InvalidProtocol.NeedSsl",  # below
        "OperationDenied.DBInstanceStatus",  # a server that shuts down, below
    }
    assert {code for _, code, _ in CAUSES} | elsewhere >= CREATE_ACCOUNT_CODES


def test_a_taken_name_is_told_whoever_made_it(cloud: Cloud) -> None:
    name = word()
    cloud.server.sql(f"CREATE USER '{name}'@'%' IDENTIFIED BY 'Sql_made1'")
    before = cloud.server.snapshot()
    shape = {"AccountName": name, "AccountPassword": PASSWORD}
    assert cloud.refused("CreateAccount", **shape) == ("InvalidAccountName.Duplicate", 400)
    assert cloud.server.snapshot() == before
    assert cloud.server.can_log_in(name, "Sql_made1")


@pytest.mark.parametrize("who", ["root", "mysql", "mariadb.sys", "nosuch", "' OR ''='"])
def test_accounts_of_the_server_itself_cannot_be_touched(cloud: Cloud, who: str) -> None:
    before = cloud.server.snapshot()
    expected = {("OperationDenied.AccountType", 403), ("InvalidAccountName.NotFound", 404)}
    assert cloud.refused("DeleteAccount", AccountName=who) in expected
    assert cloud.refused("ResetAccountPassword", AccountName=who, NewPassword=OTHER_PASSWORD) in expected
    assert (
        cloud.refused("GrantAccountPrivilege", AccountName=who, DBName="x", AccountPrivilege="ReadOnly")
        in expected
    )
    assert cloud.server.snapshot() == before


def test_a_name_with_spaces_behind_it_is_another_name(cloud: Cloud) -> None:
    one, name = database(cloud), word()
    cloud.create(name, DBName=one)
    before = cloud.server.snapshot()
    for other in (f"{name} ", f" {name}", name.upper()):
        assert cloud.refused("DeleteAccount", AccountName=other) == ("InvalidAccountName.NotFound", 404)
        reset = cloud.refused("ResetAccountPassword", AccountName=other, NewPassword=OTHER_PASSWORD)
        assert reset == ("InvalidAccountName.NotFound", 404)
        cloud.ok("RevokeAccountPrivilege", AccountName=name, DBName=f"{one} ")
        assert cloud.code("DeleteDatabase", DBName=f"{one} ") == "InvalidDBName.NotFound"
    assert cloud.server.may(name, PASSWORD, one, SELECT)
    after = cloud.server.snapshot()
    assert (after[0], after[1], after[2]) == before


@pytest.mark.parametrize("privilege", TEMPLATES)
def test_the_listed_privileges_are_those_held_on_the_server(cloud: Cloud, privilege: str) -> None:
    one, name = database(cloud), word()
    cloud.create(name, DBName=one, AccountPrivilege=privilege)
    found = cloud.account(name)
    assert found is not None
    (entry,) = found["DatabasePrivileges"]["DatabasePrivilege"]
    listed = set(entry["AccountPrivilegeDetail"].split(","))
    # The vendor's list of ReadWrite leaves REFERENCES out, which foreign keys take.
    assert cloud.server.grants(name)[one] - {"REFERENCES"} == listed


# Who is calling.


def test_grants_that_are_no_template_are_custom_until_one_takes_their_place(cloud: Cloud) -> None:
    one, name = database(cloud), word("p")
    cloud.create(name, AccountVersion="1")
    cloud.server.sql(f"GRANT SELECT, INSERT ON `{one}`.* TO '{name}'@'%'")

    def told() -> dict[str, str]:
        found = cloud.account(name)
        assert found is not None
        (entry,) = found["DatabasePrivileges"]["DatabasePrivilege"]
        return dict(entry)

    custom = {"DBName": one, "AccountPrivilege": "Custom", "AccountPrivilegeDetail": "SELECT,INSERT"}
    assert told() == custom
    shape = {"AccountName": name, "DBName": one}
    cloud.ok("GrantAccountPrivilege", **shape, AccountPrivilege="ReadOnly")
    assert told()["AccountPrivilege"] == "ReadOnly"
    cloud.server.sql(f"GRANT INSERT ON `{one}`.* TO '{name}'@'%'")
    assert told()["AccountPrivilege"] == "Custom"
    cloud.ok("RevokeAccountPrivilege", **shape)
    assert "DBName" not in told()
    refused = cloud.refused("GrantAccountPrivilege", **shape, AccountPrivilege="Custom")
    assert refused == ("InvalidAccountPrivilege.ValueNotSupported", 400)


def test_a_signed_request_is_good_once(cloud: Cloud) -> None:
    name = word()
    shape = {"InstanceId": cloud.instance, "AccountName": name, "AccountPassword": PASSWORD}
    request = cloud.signed("CreateAccount", shape)
    assert cloud.send(request).status_code == 200
    again = cloud.send(request)
    assert (again.status_code, again.json()["Code"]) == (400, "SignatureNonceUsed")


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_timestamp_sixteen_minutes_off_is_expired(cloud: Cloud, minutes: int) -> None:
    then = (datetime.now(UTC) + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
    answer = cloud.answer("DescribeRegions", {}, Timestamp=then)
    assert (answer.status_code, answer.json()["Code"]) == (400, "InvalidTimeStamp.Expired")
    almost = (datetime.now(UTC) + timedelta(minutes=minutes * 14 / 16)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert cloud.answer("DescribeRegions", {}, Timestamp=almost).status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_wrong_signature_is_told_what_was_to_be_signed(cloud: Cloud, method: str) -> None:
    request = cloud.signed("DescribeRegions", {}, method, key="wrong")
    answer = cloud.send(request, method)
    del request["Signature"]
    told = acs1.string_to_sign(method, tuple(request.items()))
    found = answer.json()
    assert (answer.status_code, found["Code"]) == (400, "SignatureDoesNotMatch")
    prefix = "Specified signature is not matched with our calculation. server string to sign is:"
    assert found["Message"] == prefix + told


def test_an_unknown_key_is_not_found_and_a_disabled_one_is_told_only_to_its_holder(cloud: Cloud) -> None:
    unknown = cloud.answer("DescribeRegions", {}, AccessKeyId="nosuch")
    assert (unknown.status_code, unknown.json()["Code"]) == (404, "InvalidAccessKeyId.NotFound")
    made = json.loads(cloud.rolecall.cli("key", "create", "--json").stdout)
    one = made[0] if isinstance(made, list) else made
    key_id, key = one["secret_id"], one["secret_key"]
    assert cloud.answer("DescribeRegions", {}, AccessKeyId=key_id, key=key).status_code == 200
    cloud.rolecall.cli("key", "disable", key_id)
    until(lambda: cloud.answer("DescribeRegions", {}, AccessKeyId=key_id, key=key).status_code != 200)
    answer = cloud.answer("DescribeRegions", {}, AccessKeyId=key_id, key=key)
    assert (answer.status_code, answer.json()["Code"]) == (400, "InvalidAccessKeyId.Inactive")
    stranger = cloud.answer("DescribeRegions", {}, AccessKeyId=key_id, key="not the secret")
    assert (stranger.status_code, stranger.json()["Code"]) == (404, "InvalidAccessKeyId.NotFound")


ENVELOPES: list[tuple[dict[str, str], str, int]] = [
    ({"Action": "NoSuchAction"}, "InvalidAction.NotFound", 404),
    ({"Action": "CreateDatabaseBackup"}, "InvalidAction.NotFound", 404),
    ({"Version": "2016-01-02"}, "InvalidVersion", 400),
    ({"Action": ""}, "MissingAction", 400),
    ({"Version": ""}, "MissingVersion", 400),
    ({"AccessKeyId": ""}, "MissingAccessKeyId", 400),
    ({"Timestamp": ""}, "MissingTimestamp", 400),
    ({"SignatureNonce": ""}, "MissingSignatureNonce", 400),
    ({"SignatureVersion": ""}, "MissingSignatureVersion", 400),
    ({"Timestamp": "yesterday"}, "InvalidTimeStamp.Format", 400),
    ({"SecurityToken": "token"}, "InvalidSecurityToken.MismatchWithAccessKey", 400),
    ({"OwnerId": "1", "OwnerAccount": "1"}, "InvalidOwner", 400),
    ({"OwnerId": "1"}, "InvalidOwnerId", 400),
    ({"OwnerAccount": "1"}, "InvalidOwnerAccount", 400),
]


@pytest.mark.parametrize(("changes", "code", "status"), ENVELOPES)
def test_bad_common_parameters_have_the_gateways_codes(
    whole_cloud: Cloud, changes: dict[str, str], code: str, status: int
) -> None:
    answer = whole_cloud.answer("DescribeRegions", {}, **changes)
    assert (answer.json()["Code"], answer.status_code) == (code, status)


def test_other_methods_paths_and_signature_methods_are_refused(whole_cloud: Cloud) -> None:
    cloud = whole_cloud
    request = {**cloud.signed("DescribeRegions", {}), "SignatureMethod": "HMAC-MD5"}
    assert cloud.send(request).json()["Code"] == "InvalidSignatureMethod"
    put = httpx.put(cloud.endpoint + "/", params=cloud.signed("DescribeRegions", {}))
    assert (put.status_code, put.json()["Code"]) == (403, "UnsupportedHTTPMethod")
    elsewhere = httpx.get(cloud.endpoint + "/api", params=cloud.signed("DescribeRegions", {}))
    assert (elsewhere.status_code, elsewhere.json()["Code"]) == (404, "InvalidAction.NotFound")


def test_calls_by_plain_http_are_refused_where_tls_is_required(tmp_path: Path, start: Any) -> None:
    strict = start(tmp_path / "data", ROLECALL_RATE_LIMIT="1", ROLECALL_REQUIRE_TLS="on")
    try:
        cloud = Cloud(strict)
        shape = {"InstanceId": cloud.instance, "AccountName": "some", "AccountPassword": PASSWORD}
        answer = cloud.answer("CreateAccount", shape)
        assert (answer.status_code, answer.json()["Code"]) == (400, "InvalidProtocol.NeedSsl")
        assert answer.json()["Message"] == "Your request is denied as lack of ssl protect."
        assert cloud.server.users() == []
        cloud.server.close()
    finally:
        assert strict.stop() == 0


def registered(cloud: Cloud, port: int) -> str:
    """The id of an instance, registered on a port of this machine."""
    instance, engine = f"pd-{word()}aaaa", cloud.rolecall.ready["engines"]["mysql"]
    url = f"mariadb://{engine['user']}@{engine['host']}:{port}"
    secret = {"ROLECALL_INSTANCE_PASSWORD": engine["password"]}
    cloud.rolecall.cli("instance", "add", url, "--id", instance, "--unchecked", **secret)
    return instance


def test_a_locked_instance_takes_no_changes(cloud: Cloud) -> None:
    instance = registered(cloud, cloud.rolecall.ready["engines"]["mysql"]["port"])
    shape = {"InstanceId": instance, "AccountName": word(), "AccountPassword": PASSWORD}
    try:
        cloud.rolecall.cli("instance", "set", instance, "--isolated")
        until(lambda: cloud.answer("DescribeAccounts", {"InstanceId": instance}).status_code != 200)
        refused = cloud.answer("CreateAccount", shape)
        assert (refused.json()["Code"], refused.status_code) == ("OperationDenied.LockMode", 403), (
            refused.text
        )
        assert cloud.server.users() == []
    finally:
        cloud.rolecall.cli("instance", "remove", instance)


def test_a_server_out_of_reach_is_a_temporary_failure_that_frees_the_client_token(cloud: Cloud) -> None:
    with socket.socket() as taken:  # bound and not listening: nobody answers there
        taken.bind(("127.0.0.1", 0))
        instance = registered(cloud, taken.getsockname()[1])
        shape = {"AccountName": word(), "AccountPassword": PASSWORD, "ClientToken": str(uuid4())}
        try:
            refused = cloud.answer("CreateAccount", {"InstanceId": instance, **shape})
            assert (refused.json()["Code"], refused.status_code) == ("ServiceUnavailable", 503)
            cloud.ok("CreateAccount", **shape)
            shown = cloud.answer("DescribeInstanceInfo", {"InstanceId": instance}).json()
            assert shown["InstanceStatus"] == "INACTIVE"
        finally:
            cloud.rolecall.cli("instance", "remove", instance)


def test_a_server_that_shuts_down_refuses_by_its_status(cloud: Cloud) -> None:
    """It greets with an error packet: error 1053, "Server shutdown in progress"."""
    message = b"\xff\x1d\x04Server shutdown in progress"
    with socket.create_server(("127.0.0.1", 0)) as server:
        instance = registered(cloud, server.getsockname()[1])
        thread = threading.Thread(target=_greet_all, args=(server, bytes([len(message), 0, 0, 0]) + message))
        thread.start()
        try:
            shape = {"InstanceId": instance, "AccountName": word(), "AccountPassword": PASSWORD}
            refused = cloud.answer("CreateAccount", shape)
            assert (refused.json()["Code"], refused.status_code) == ("OperationDenied.DBInstanceStatus", 403)
        finally:
            cloud.rolecall.cli("instance", "remove", instance)
            server.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _greet_all(server: socket.socket, greeting: bytes) -> None:
    with contextlib.ExitStack() as connections:
        while True:
            try:
                connection = connections.enter_context(server.accept()[0])
            except OSError:
                return
            connection.sendall(greeting)


def test_passwords_stand_in_no_log(cloud: Cloud) -> None:
    rolecall, secret = cloud.rolecall, "Unlogged_7Secret"
    cloud.create(word(), secret)
    cloud.code("CreateAccount", AccountName="Bad", AccountPassword=secret)
    cloud.answer("CreateAccount", {"AccountName": word(), "AccountPassword": secret}, key="wrong")
    logs = list(rolecall.data.parent.glob("*.log")) + list(rolecall.data.rglob("*.log"))
    assert logs
    for path in logs:
        assert secret.encode() not in path.read_bytes(), path
