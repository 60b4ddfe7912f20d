"""Bodies, queries and forms of every wrong kind: the vendor's envelope answers, and nothing reaches an engine."""

from __future__ import annotations

import json
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.server.wire import Wire, code, error

pytestmark = pytest.mark.usefixtures("nothing_reached")

BREAKOUTS = (
    'a"; DROP ROLE postgres; --', "a'; DROP ROLE postgres; --", "a' OR 1=1 --", 'a"', "a\\", "\\", "a\\'b", "$$", "$1",
    "%s", "%(name)s", "{}", "a/*", "a--", "a;b", "ａdmin", "аdmin", "admin\u200b", "\u202eadmin", "K\u212a", "ſelect",
    "é", "a\u0301", "\U0001f600", "..", "a.b", "@all", "+role", "/regex",
)  # fmt: skip
"""Names that try to leave their place in a statement, a pattern or a connection string; lookalikes and joiners."""


# bodies


@pytest.mark.parametrize(
    "body",
    [
        b"[]", b"1", b'"text"', b"null", b"true", b"{", b'{"a":', b'{"a":1', b'{"a" 1}', b"{'a':1}", b"{}{}", b"{},",
        b"nul", b"\xef\xbb\xbf{}", b"\xff", b'{"UserName":"\xff"}', b'{"UserName":"\xc0\x80"}',
        b'{"UserName":"\xed\xa0\x80"}',
        b"{}".decode().encode("utf-16"), b'{"UserName":"a","UserName":"b"}', b'{"UserName":"a","\\u0055serName":"b"}',
        b'{"Filters":[{"Name":"a","Name":"b"}]}', b'{"a":NaN}', b'{"a":Infinity}', b'{"a":-Infinity}',
        b'{"OpenCam":1e999}',
        b'{"UserName":"\\ud800"}', b'{"UserName":"\\udc00\\ud800"}', b'{"\\ud800":1}', b'{"a":"\x01"}', b'{"a":"\n"}',
        b'{"a":' + b"[" * 40 + b"]" * 40 + b"}", b"[" * 100_000, b'{"a":' * 100_000, b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":01}', b'{"a":.5}', b"\x00", b"{}\x00",
    ],
    ids=lambda body: repr(body[:24]),
)  # fmt: skip
def test_a_body_that_is_no_json_object_is_an_invalid_parameter(wire: Wire, body: bytes) -> None:
    assert code(wire.post(body)) == "InvalidParameter"


def test_an_empty_body_is_an_empty_object(wire: Wire) -> None:
    """The Node SDK sends one for no parameters; so the first required parameter is missing."""
    assert error(wire.post(b""))["Message"] == "The request is missing a required parameter `DBInstanceId`."


@pytest.mark.parametrize("value", [1, 1.5, True, [], {}, ["a"], {"a": "b"}, 10**400], ids=repr)
@pytest.mark.parametrize("field", ["DBInstanceId", "UserName", "Type", "Password", "Remark"])
def test_a_value_that_is_no_text_where_text_belongs(wire: Wire, field: str, value: object) -> None:
    assert error(wire.create(**{field: value})) == {
        "Code": "InvalidParameter",
        "Message": f"The value type of parameter `{field}` is not valid.",
    }


@pytest.mark.parametrize("value", ["true", "yes", "", 0, 1, 1.5, [], {}], ids=repr)
def test_a_value_that_is_no_boolean_where_one_belongs(wire: Wire, value: object) -> None:
    assert error(wire.create(OpenCam=value)) == {
        "Code": "InvalidParameter",
        "Message": "The value type of parameter `OpenCam` is not valid.",
    }


@pytest.mark.parametrize("field", ["DBInstanceId", "UserName", "Type"])
def test_null_is_absence(wire: Wire, field: str) -> None:
    assert error(wire.create(**{field: None})) == {
        "Code": "MissingParameter",
        "Message": f"The request is missing a required parameter `{field}`.",
    }


@pytest.mark.parametrize(
    "field", ["Extra", "username", "UserName ", "Action", "", ".", "UserName.0", "__class__"]
)
def test_a_parameter_the_action_does_not_have_is_unknown(wire: Wire, field: str) -> None:
    assert error(wire.create(**{field: "x"})) == {
        "Code": "UnknownParameter",
        "Message": f"The parameter `{field}` is not recognized.",
    }


def test_an_unknown_member_of_a_structure_is_named_by_its_path(wire: Wire) -> None:
    params = {"DBInstanceId": wire.rolecall.instance_id, "Filters": [{"Name": "database-name", "Extra": 1}]}
    found = error(wire.post(json.dumps(params).encode(), action="DescribeDatabases"))
    assert found["Message"] == "The parameter `Filters.0.Extra` is not recognized."


NO_CONTROLS = {
    "DBInstanceId": "InvalidParameter.ParameterCheckError",
    "UserName": "InvalidParameterValue.InvalidAccountNameFormatError",
    "Type": "InvalidParameter.ParameterCheckError",
    "Password": "InvalidParameterValue.InvalidPasswordValueError",
    "Remark": "InvalidParameterValue.ParameterCharacterError",
}


@pytest.mark.parametrize("control", ["\x01", "\n", "\r\n", "\x1b[31m", "\x7f", "\x85", "\u2028"], ids=repr)
@pytest.mark.parametrize("field", NO_CONTROLS)
def test_control_characters_are_refused_in_every_text(wire: Wire, field: str, control: str) -> None:
    good = {"Password": "Test_password1", "Type": "normal", "Remark": "note", "UserName": "some"}
    sent = good.get(field, wire.rolecall.instance_id)
    for value in (sent + control, control + sent, sent[:3] + control + sent[3:]):
        found = error(wire.create(**{field: value}))
        assert found["Code"] == NO_CONTROLS[field]
        assert control not in found["Message"] or control == "\u2028"


@pytest.mark.parametrize("field", NO_CONTROLS)
def test_a_nul_is_refused_in_every_text(wire: Wire, field: str) -> None:
    assert error(wire.create(**{field: "abc\0def"})) == {
        "Code": "InvalidParameterValue",
        "Message": f"The parameter `{field}` contains characters that are not allowed.",
    }


@pytest.mark.parametrize("value", BREAKOUTS)
def test_names_do_not_quote_their_way_out(wire: Wire, value: str) -> None:
    malformed = "InvalidParameterValue.InvalidAccountNameFormatError"
    assert code(wire.create(UserName=value)) == malformed
    assert code(wire.create(DBInstanceId=value)).startswith(("InvalidParameter.", "OperationDenied."))
    assert code(wire.create(Type=value)) == "InvalidParameter.ParameterCheckError"
    named = json.dumps({"DBInstanceId": wire.rolecall.instance_id, "UserName": value}).encode()
    for action in ("DeleteAccount", "LockAccount", "UnlockAccount"):
        assert code(wire.post(named, action=action)) == malformed


@pytest.mark.parametrize(
    "value", [*BREAKOUTS, "host=127.0.0.1 dbname=postgres", "postgresql://127.0.0.1/postgres"]
)
def test_a_database_to_look_into_is_a_name_and_nothing_else(wire: Wire, value: str) -> None:
    """It would go into a connection string, which must neither lead elsewhere nor be longer than it was."""
    params = {"DBInstanceId": wire.rolecall.instance_id, "ObjectType": "schema", "DatabaseName": value}
    found = code(wire.post(json.dumps(params).encode(), action="DescribeDatabaseObjects"))
    assert found == "InvalidParameterValue"


def test_a_pattern_to_search_by_is_a_text_and_nothing_else(wire: Wire) -> None:
    for value in ("%", "_", "' or true --", "\\"):
        params = {
            "DBInstanceId": wire.rolecall.instance_id,
            "Filters": [{"Name": "database-name", "Values": [value]}],
        }
        answer = wire.post(json.dumps(params).encode(), action="DescribeDatabases")
        assert all(value in name for name in answer.json()["Response"]["Items"])


# sizes


def test_a_body_over_10_mb_is_too_large_and_one_under_is_read(wire: Wire) -> None:
    for size in (10 * 2**20 + 1, 11 * 2**20):
        assert code(wire.post(b" " * size)) == "RequestSizeLimitExceeded"
    assert code(wire.post(b'{"Remark":"' + b"a" * (10 * 2**20 - 13) + b'"}')) == "MissingParameter"


def test_too_many_values_are_too_large(wire: Wire) -> None:
    assert code(wire.post(b'{"a":[' + b"0," * 300_000 + b"0]}")) == "RequestSizeLimitExceeded"


def test_a_query_over_32_kb_is_too_large_and_one_under_is_read(wire: Wire) -> None:
    assert code(wire.query("Remark=" + "a" * 32 * 1024)) == "RequestSizeLimitExceeded"
    assert code(wire.query("Remark=" + "a" * 31 * 1024)) == "MissingParameter"


def test_a_v1_form_over_1_mb_is_told_to_use_the_newer_signature(wire: Wire) -> None:
    found = error(wire.form(urlencode(wire.v1(Remark="a" * 2**20))))
    assert found["Code"] == "AuthFailure.SignatureFailure"
    assert "because of exceeding request size limit" in found["Message"]


# queries and forms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", "InvalidParameter"),
        ("=b", "InvalidParameter"),
        ("a=1&&b=2", "InvalidParameter"),
        ("a=%", "InvalidParameter"),
        ("a=%2", "InvalidParameter"),
        ("a=%zz", "InvalidParameter"),
        ("a=%ff", "InvalidParameter"),
        ("a=%ed%a0%80", "InvalidParameter"),
        ("a=%c0%80", "InvalidParameter"),
        ("%00=1", "InvalidParameter"),
        ("a=%00", "InvalidParameterValue"),
        ("UserName=a&UserName=b", "InvalidParameter"),
        ("UserName=a&User%4eame=b", "InvalidParameter"),
        ("Filters=1&Filters.0=2", "InvalidParameter"),
        ("Filters.0=1&Filters.2=2", "InvalidParameter"),
        ("Filters.00=1", "UnknownParameter"),
        ("Filters.=1", "UnknownParameter"),
        (".Filters=1", "UnknownParameter"),
        (".".join("a" * 40) + "=1", "UnknownParameter"),
        ("&".join(f"a{number}=1" for number in range(2000)), "UnknownParameter"),
        ("&".join(f"{number}=" for number in range(4000)), "UnknownParameter"),
    ],
    ids=lambda text: text[:24],
)
def test_malformed_queries(wire: Wire, text: str, expected: str) -> None:
    required = f"DBInstanceId={wire.rolecall.instance_id}&UserName=somebody&Type=normal&"
    twice = "UserName" in text
    assert (
        code(wire.query((required.replace("UserName=somebody&", "") if twice else required) + text))
        == expected
    )


@pytest.mark.parametrize(
    "text", ["a", "=b", "a=%", "a=%zz", "a=%ff", b"a=\xff", "Action=a&Action=b"], ids=repr
)
def test_malformed_forms(wire: Wire, text: str | bytes) -> None:
    marked = b"SecretId=k&" + text if isinstance(text, bytes) else f"SecretId=k&{text}"
    assert code(wire.form(marked)) == "InvalidParameter"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"--x--", b"garbage", b"--b\r\n\r\nvalue\r\n--b--",
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx',
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--b--\r\n',
        b'--b\r\nContent-Disposition: form-data; name="a"\r\nContent-Type: application/json\r\n\r\n{\r\n--b--\r\n',
    ],
    ids=repr,
)  # fmt: skip
def test_malformed_multipart_bodies(wire: Wire, body: bytes) -> None:
    kind = "multipart/form-data; boundary=b"
    found = code(wire.post_as(kind, body))
    assert found in ("InvalidRequest", "InvalidParameter") if body else found == "MissingParameter"


@pytest.mark.parametrize(
    "kind", ["text/xml", "text/plain", "application/json-patch+json", "x", "multipart/form-data"]
)
def test_other_content_types(wire: Wire, kind: str) -> None:
    assert code(wire.post_as(kind, b"<x/>")) in ("InvalidParameter", "InvalidRequest")


# anything at all

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(["DBInstanceId", "UserName", "Type", "Password", "Remark", "OpenCam", "Extra"])
ANYTHING = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@ANYTHING
@given(params=st.dictionaries(FIELDS, VALUES, max_size=7))
def test_any_json_object_is_answered_in_the_envelope(wire: Wire, params: dict[str, object]) -> None:
    error(wire.post(json.dumps(params).encode("utf-8", "surrogatepass")))


@ANYTHING
@given(body=st.binary(max_size=200))
def test_any_bytes_are_answered_in_the_envelope(wire: Wire, body: bytes) -> None:
    error(wire.post(body))
    error(wire.form(b"SecretId=k&" + body))
    assert wire.form(body).status_code in (200, 400)
    error(wire.post_as("multipart/form-data; boundary=b", b"--b\r\n" + body))


@ANYTHING
@given(text=st.text(st.sampled_from("abDBInstanceId.0123&=%+ \x7fé;"), max_size=80))
def test_any_query_is_answered_in_the_envelope(wire: Wire, text: str) -> None:
    error(wire.query(quote(text, safe="&=%+.;")))
