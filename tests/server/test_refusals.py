"""Every error code that the vendor's page of CreateAccount lists, each by its real cause, over the wire."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from tests.conftest import Rolecall
from tests.server.page import PAGE

from rolecall.contracts.tencent.postgres.contract import CONTRACT
from rolecall.local.postgres import LocalPostgres

Guard = Callable[[], AbstractContextManager[None]]
Names = Callable[..., str]
Rows = Callable[..., list[tuple[Any, ...]]]
Until = Callable[[Callable[[], bool]], None]

PASSWORD = "Test_password1"
LIMITS = Path(__file__).parents[2] / "docs" / "limits.md"

PROVOKED: set[str] = set()


def provokes(*codes: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Marks a test as the one that provokes these codes of the page."""
    PROVOKED.update(codes)
    return lambda test: test


def refuse(rolecall: Rolecall, code: str, changes: dict[str, Any] | None = None, **params: Any) -> str:
    """CreateAccount must be refused with this code and the documented wording; the message."""
    sent = {"DBInstanceId": rolecall.instance_id, "UserName": "somebody", "Type": "normal"} | params
    response = rolecall.call("CreateAccount", sent, **changes or {})
    assert response.keys() == {"Error", "RequestId"}
    assert response["Error"]["Code"] == code
    assert response["Error"]["Message"].startswith(PAGE[code])
    return str(response["Error"]["Message"])


def chinese(rolecall: Rolecall, **params: Any) -> str:
    """The message of a refused CreateAccount for a caller who reads Chinese."""
    sent = {"DBInstanceId": rolecall.instance_id, "UserName": "somebody", "Type": "normal"} | params
    response = rolecall.call("CreateAccount", sent, headers={"X-TC-Language": "zh-CN"})
    return str(response["Error"]["Message"])


# what is wrong with the parameters


@provokes("InvalidParameter.ParameterCheckError")
@pytest.mark.parametrize("kind", ["", "Normal", "superuser", "tencentDBsuper", "normal "])
def test_a_type_that_is_neither_is_a_failed_parameter_check(
    rolecall: Rolecall, unreached: Guard, kind: str
) -> None:
    with unreached():
        message = refuse(rolecall, "InvalidParameter.ParameterCheckError", Type=kind)
    assert f"`{kind}`" in message
    assert "`Type`" in message


@provokes("InvalidParameterValue.InvalidAccountNameFormatError")
@pytest.mark.parametrize(
    "user",
    [
        "", "postgres", "POSTGRES", "pg_x", "PG_x", "Pg_monitor", "tencentdb_x", "TencentDB_x", "1abc", "a-b", "a b",
        "a.b", "a$b", "a" * 64, "select", "SELECT", "user", "table", "authorization", "名字", "аdmin", "a\n", " a",
        "a'", 'a"',
    ],
)  # fmt: skip
def test_names_that_keep_no_rule_are_malformed(rolecall: Rolecall, unreached: Guard, user: str) -> None:
    code = "InvalidParameterValue.InvalidAccountNameFormatError"
    with unreached():
        if user:
            refuse(rolecall, code, UserName=user)
        else:
            assert rolecall.code("CreateAccount", UserName="", Type="normal") == code
    assert chinese(rolecall, UserName="1abc").startswith("账号无效，请遵循账号命名规则")


@pytest.mark.parametrize("user", ["_", "_1", "a", "A" * 63, "tencentdb", "pgx", "selects", "user_Super"])
def test_names_at_the_edge_of_the_rules_are_taken_byte_for_byte(rolecall: Rolecall, user: str) -> None:
    try:
        oid = rolecall.ok("CreateAccount", UserName=user, Type="normal")["Oid"]
        assert rolecall.sql("select oid from pg_roles where rolname = %s", user) == [(oid,)]
    finally:
        rolecall.ok("DeleteAccount", UserName=user)


@provokes("InvalidParameterValue.InvalidAccountNameError")
@pytest.mark.parametrize("user", ["replication", "Replication", "public", "none", "sameuser", "samerole"])
def test_words_that_mean_something_else_to_the_server_are_no_account_names(
    rolecall: Rolecall, unreached: Guard, user: str
) -> None:
    with unreached():
        refuse(rolecall, "InvalidParameterValue.InvalidAccountNameError", UserName=user)


@provokes("InvalidParameterValue.InvalidPasswordLengthError")
@pytest.mark.parametrize("password", ["", "Aa1!", "Aa1!xyz", "Aa1!" + "x" * 29, "Aa1!" * 500])
def test_passwords_are_8_to_32_characters(rolecall: Rolecall, unreached: Guard, password: str) -> None:
    with unreached():
        message = refuse(rolecall, "InvalidParameterValue.InvalidPasswordLengthError", Password=password)
    assert not password or password not in message
    assert chinese(rolecall, Password=password) == "密码设置无效，长度不满足规则。"


@provokes("InvalidParameterValue.InvalidPasswordValueError")
@pytest.mark.parametrize(
    "password",
    [
        "/Aa1!xyzw",
        "aa1!xyzw",
        "AA1!XYZW",
        "Aab!xyzw",
        "Aa1bxyzw",
        "Aa1!xyz w",
        "Aa1!xyzé",
        "Aa1!xyz\\",
        'Aa1!xyz"',
    ],
)
def test_passwords_need_all_four_classes_and_no_other_character(
    rolecall: Rolecall, unreached: Guard, password: str
) -> None:
    with unreached():
        message = refuse(rolecall, "InvalidParameterValue.InvalidPasswordValueError", Password=password)
    assert password not in message


@provokes("InvalidParameterValue.ParameterCharacterError")
@pytest.mark.parametrize("remark", ["a;b", "it's", "tab\there", "é", "кириллица", "a.b", "—"])
def test_remarks_take_letters_digits_underscores_hyphens_and_hanzi(
    rolecall: Rolecall, unreached: Guard, remark: str
) -> None:
    with unreached():
        refuse(rolecall, "InvalidParameterValue.ParameterCharacterError", Remark=remark)
    assert (
        chinese(rolecall, Remark=remark) == "参数无效，只允许英文字母、数字、下划线、中划线，以及全体汉字。"
    )


@provokes("InvalidParameterValue.ParameterLengthLimitError")
@pytest.mark.parametrize("remark", ["a" * 61, "字" * 61, "a" * 100_000])
def test_remarks_are_at_most_60_characters(rolecall: Rolecall, unreached: Guard, remark: str) -> None:
    with unreached():
        refuse(rolecall, "InvalidParameterValue.ParameterLengthLimitError", Remark=remark)


@provokes("InvalidParameterValue.UnsupportedRegionError")
@pytest.mark.parametrize("region", ["ap-mars", "AP-GUANGZHOU", "ap-guangzhou-1", "us-east-1"])
def test_a_region_that_the_page_does_not_list_is_unsupported(
    rolecall: Rolecall, unreached: Guard, region: str
) -> None:
    with unreached():
        refuse(rolecall, "InvalidParameterValue.UnsupportedRegionError", {"region": region})


def test_cam_verification_is_offered_in_two_regions_only(
    rolecall: Rolecall, unreached: Guard, name: Names
) -> None:
    """An account without it can be made from any of the page's regions."""
    code = "InvalidParameterValue.UnsupportedRegionError"
    with unreached():
        refuse(rolecall, code, {"region": "ap-singapore"}, OpenCam=True)
    user = name()
    params = {"DBInstanceId": rolecall.instance_id, "UserName": user, "Type": "normal", "OpenCam": False}
    assert "Error" not in rolecall.call("CreateAccount", params, region="ap-singapore")


# passwords in the encrypted form


def encrypted(rolecall: Rolecall, password: str) -> str:
    pem = httpx.get(rolecall.endpoint + "/.well-known/rolecall/password-key.pem")
    assert pem.status_code == 200
    key = serialization.load_pem_public_key(pem.content)
    assert isinstance(key, rsa.RSAPublicKey)
    sha256 = hashes.SHA256()
    oaep = padding.OAEP(mgf=padding.MGF1(sha256), algorithm=sha256, label=None)
    return "{RSA-OAEP}" + base64.b64encode(key.encrypt(password.encode(), oaep)).decode()


@provokes("InvalidParameterValue.DecryptPasswordFailed")
@pytest.mark.parametrize(
    "sent",
    [
        "{RSA-OAEP}",
        "{RSA-OAEP}!!!",
        "{RSA-OAEP}Z2FyYmFnZQ==",
        "{RSA-OAEP}" + "A" * 512,
        "{RSA-OAEP}" + "A" * 4096,
    ],
)
def test_a_password_that_does_not_decipher_says_so(rolecall: Rolecall, unreached: Guard, sent: str) -> None:
    with unreached():
        refuse(rolecall, "InvalidParameterValue.DecryptPasswordFailed", Password=sent)
    assert chinese(rolecall, Password=sent) == "解密密码失败，请确认密码加密是否正确。"


def test_a_password_under_another_key_does_not_decipher(rolecall: Rolecall, unreached: Guard) -> None:
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=3072).public_key()
    sha256 = hashes.SHA256()
    oaep = padding.OAEP(mgf=padding.MGF1(sha256), algorithm=sha256, label=None)
    sent = "{RSA-OAEP}" + base64.b64encode(stranger.encrypt(PASSWORD.encode(), oaep)).decode()
    with unreached():
        refuse(rolecall, "InvalidParameterValue.DecryptPasswordFailed", Password=sent)


def test_a_password_under_the_published_key_logs_in(rolecall: Rolecall, name: Names) -> None:
    user = name()
    rolecall.ok("CreateAccount", UserName=user, Type="normal", Password=encrypted(rolecall, PASSWORD))
    assert rolecall.can_log_in(user, PASSWORD)
    rolecall.ok("ResetAccountPassword", UserName=user, Password=encrypted(rolecall, "Other_password2"))
    assert rolecall.can_log_in(user, "Other_password2")
    assert not rolecall.can_log_in(user, PASSWORD)


@pytest.mark.parametrize(
    ("password", "code"),
    [("Aa1!xyz", "InvalidPasswordLengthError"), ("/Aa1!xyzw", "InvalidPasswordValueError")],
)
def test_an_encrypted_password_keeps_the_same_rules(
    rolecall: Rolecall, unreached: Guard, password: str, code: str
) -> None:
    with unreached():
        message = refuse(rolecall, f"InvalidParameterValue.{code}", Password=encrypted(rolecall, password))
    assert password not in message


# what is wrong with the account or the instance


@provokes("FailedOperation.PreCheckError")
def test_a_name_that_is_taken_fails_the_check_before(
    rolecall: Rolecall, untouched: Guard, name: Names
) -> None:
    by_us, by_sql = name(), name()
    rolecall.ok("CreateAccount", UserName=by_us, Type="normal", Password=PASSWORD)
    rolecall.sql(f"create role {by_sql} nologin")
    with untouched():
        for user in (by_us, by_sql):
            message = refuse(
                rolecall, "FailedOperation.PreCheckError", UserName=user, Password="Stolen_password2"
            )
            assert f"`{user}`" in message
    assert rolecall.can_log_in(by_us, PASSWORD)
    assert chinese(rolecall, UserName=by_us) == f"操作预检查失败。账号`{by_us}`已存在。"


@provokes("FailedOperation.FailedOperationError")
def test_an_administrator_who_may_make_no_roles_makes_the_operation_fail(
    rolecall: Rolecall, untouched: Guard, name: Names, register: Callable[..., str]
) -> None:
    admin, secret = name("admin"), secrets.token_hex(8)
    rolecall.sql(f"create role {admin} login password '{secret}'")
    engine = rolecall.ready["engines"]["postgres"]
    instance = register(engine["host"], engine["port"], admin, secret)
    with untouched():
        for kind in ("normal", "tencentDBSuper"):
            refuse(rolecall, "FailedOperation.FailedOperationError", DBInstanceId=instance, Type=kind)


@provokes("OperationDenied.InstanceAccessDeniedError")
@pytest.mark.parametrize("instance", ["postgres-zzzzzzzz", "pd-5cz25tr5", "x"])
def test_an_instance_that_is_not_there_is_not_yours(
    rolecall: Rolecall, unreached: Guard, instance: str
) -> None:
    with unreached():
        refuse(rolecall, "OperationDenied.InstanceAccessDeniedError", DBInstanceId=instance)


@pytest.fixture
def strangers_instance(rolecall: Rolecall, store: Rows) -> Iterator[str]:
    """The quickstart engine once more, registered by another owner."""
    public_id = "postgres-" + secrets.token_hex(4)
    ((owner,),) = store("insert into owners (number, app_id) values (100000000001, 1250000001) returning id")
    ((instance,),) = store(
        "insert into instances (owner_id, engine, name, host, port, administrator, sealed_password, database,"
        " options, region, zone) select %s, engine, 'foreign', host, port, administrator, sealed_password,"
        " database, options, region, zone from instances where name = 'quickstart' returning id",
        owner,
    )
    store("insert into instance_faces values ('tencent', %s, %s)", public_id, instance)
    yield public_id
    store("delete from instances where id = %s", instance)
    store("delete from owners where id = %s", owner)


def test_an_instance_of_another_owner_is_denied(
    rolecall: Rolecall, unreached: Guard, strangers_instance: str
) -> None:
    """And the answer does not tell it from one that is not there."""
    code = "OperationDenied.InstanceAccessDeniedError"
    with unreached():
        theirs = refuse(rolecall, code, DBInstanceId=strangers_instance)
        assert theirs == refuse(rolecall, code, DBInstanceId="postgres-zzzzzzzz")
        listed = rolecall.call("DescribeDBInstances")["DBInstanceSet"]
        assert strangers_instance not in {one["DBInstanceId"] for one in listed}
        shown = rolecall.call("DescribeDBInstanceAttribute", {"DBInstanceId": strangers_instance})
        assert shown["Error"]["Code"] == "ResourceNotFound.InstanceNotFoundError"


@provokes("OperationDenied.InstanceStatusLimitOpError")
def test_an_isolated_instance_takes_no_accounts(rolecall: Rolecall, unreached: Guard, name: Names) -> None:
    rolecall.cli("instance", "set", rolecall.instance_id, "--isolated")
    try:
        with unreached():
            message = refuse(rolecall, "OperationDenied.InstanceStatusLimitOpError")
            assert message.endswith("The instance is isolated.")
            assert chinese(rolecall) == "实例状态限制当前操作。实例已隔离。"
    finally:
        rolecall.cli("instance", "set", rolecall.instance_id, "--running")
    rolecall.ok("CreateAccount", UserName=name(), Type="normal")


@provokes("OperationDenied.UserNotInWhiteListError")
def test_an_instance_with_an_allowlist_takes_only_the_callers_on_it(
    rolecall: Rolecall, unreached: Guard, name: Names
) -> None:
    rolecall.cli("instance", "set", rolecall.instance_id, "--allow", "100000000002")
    try:
        with unreached():
            refuse(rolecall, "OperationDenied.UserNotInWhiteListError")
            assert chinese(rolecall) == "用户不在白名单内。"
        uin = str(rolecall.ready["owner"]["uin"])
        rolecall.cli("instance", "set", rolecall.instance_id, "--allow", "100000000002", "--allow", uin)
        rolecall.ok("CreateAccount", UserName=name(), Type="normal")
    finally:
        rolecall.cli("instance", "set", rolecall.instance_id, "--allow-all")


@provokes("OperationDenied.KernelVersionError")
def test_a_server_older_than_the_setting_makes_no_super_accounts(
    strict: Rolecall, untouched: Guard, name: Names
) -> None:
    with untouched():
        refuse(strict, "OperationDenied.KernelVersionError", Type="tencentDBSuper", UserName=name())
        message = chinese(strict, Type="tencentDBSuper")
        assert message.startswith("内核版本过低，导致实例无法创建tencentDBSuper账号。")
    strict.ok("CreateAccount", UserName=name(), Type="normal")


@provokes("FailedOperation.DatabaseAccessError", "OperationDenied.InstanceStatusLimitError")
def test_a_stopped_server_is_out_of_reach_and_a_starting_one_in_no_state_for_it(
    rolecall: Rolecall, own_server: LocalPostgres, register: Callable[..., str], name: Names, until: Until
) -> None:
    """Running, stopped, in recovery, running again: refused in the two states between, and nothing was done there."""
    instance = register(own_server.host, own_server.port, own_server.superuser, own_server.password.reveal())
    before, while_stopped, while_starting, after = (name() for _ in range(4))

    def create(user: str) -> dict[str, Any]:
        return rolecall.call("CreateAccount", {"DBInstanceId": instance, "UserName": user, "Type": "normal"})

    assert "Error" not in create(before)
    own_server.stop()
    for _ in range(5):  # also when its lane has stopped asking
        refuse(rolecall, "FailedOperation.DatabaseAccessError", DBInstanceId=instance, UserName=while_stopped)
    assert chinese(rolecall, DBInstanceId=instance).startswith("管控元数据库访问失败，请稍后重试。")
    # A standby that takes no readers answers every connection with 57P03, as a server does that is starting.
    signal = own_server.cluster.resolve() / "standby.signal"
    signal.touch()
    signal.chmod(0o644)
    starting = LocalPostgres(
        own_server.directory, password=own_server.password, settings={"hot_standby": "off"}
    )
    starting.spawn()
    try:
        until(lambda: "the database system is" in connect_error(starting))
        until(lambda: code_of(create(while_starting)) != "FailedOperation.DatabaseAccessError")
        refuse(
            rolecall,
            "OperationDenied.InstanceStatusLimitError",
            DBInstanceId=instance,
            UserName=while_starting,
        )
    finally:
        starting.stop()
        signal.unlink()
    own_server.start()
    until(lambda: "Error" not in create(after) or code_of(create(after)) == "FailedOperation.PreCheckError")
    with psycopg.connect(own_server.dsn().reveal()) as connection:
        found = connection.execute("select rolname from pg_roles where rolname like 'user\\_%'").fetchall()
    assert {row[0] for row in found} == {before, after}


def connect_error(server: LocalPostgres) -> str:
    try:
        psycopg.connect(server.dsn().reveal(), connect_timeout=5).close()
    except psycopg.OperationalError as error:
        return str(error)
    return ""


def code_of(response: dict[str, Any]) -> str:
    return str(response.get("Error", {}).get("Code", ""))


@pytest.mark.parametrize("database", ["1abc", "a-b", "a" * 64, 'a"b', "select 1"])
def test_malformed_database_names_are_refused_where_a_database_can_be_named(
    rolecall: Rolecall, unreached: Guard, database: str
) -> None:
    """CreateAccount lists the code too, but has no parameter to provoke it with (docs/limits.md)."""
    code = "InvalidParameterValue.InvalidDatabaseNameFormatError"
    params = {"DBInstanceId": rolecall.instance_id, "DatabaseName": database, "DatabaseOwner": "postgres"}
    with unreached():
        response = rolecall.call("ModifyDatabaseOwner", params)
        assert response["Error"] == {"Code": code, "Message": PAGE[code]}
        assert (
            rolecall.call("CreateDatabase", params)["Error"]["Code"] == "InvalidParameter.ParameterCheckError"
        )


def test_the_codes_provoked_here_and_those_without_a_cause_are_the_page() -> None:
    limits = LIMITS.read_text("utf-8")
    causeless = {code for code in PAGE if f"`{code}`" in limits and f"`{code}` has no cause" in limits}
    assert len(PAGE) == 18
    assert CONTRACT.actions["CreateAccount"].codes == PAGE.keys()
    assert PROVOKED | causeless == PAGE.keys()
    assert not PROVOKED & causeless
