"""The contracts of the OpenStack dialect: the vendor page row by row, and an answer to every reason."""

from __future__ import annotations

import json
from xml.etree.ElementTree import fromstring

import pytest

from rolecall.contracts.model import Field, Kind, ListOf, Shape
from rolecall.contracts.openstack.databases import contract as databases
from rolecall.contracts.openstack.databases import rules
from rolecall.contracts.openstack.faults import FAULTS, IDENTITY_FAULTS
from rolecall.contracts.openstack.identity import contract as identity
from rolecall.dialects.aliyun import Aliyun
from rolecall.dialects.openstack import OpenStack
from rolecall.dialects.openstack.routing import ROUTES, STATUSES
from rolecall.dialects.tencent import Tencent
from rolecall.domain.reasons import Reason, Refused
from rolecall.signing.token import AnonymousClaim
from rolecall.values import Call, Mark, Request, SentParams
from rolecall.verbs.databases.verbs import VERBS
from rolecall.verbs.identity.verbs import V2_VERBS, V3_VERBS

CONTRACTS = (databases.CONTRACT, identity.V3, identity.V2)
DIALECT = OpenStack(CONTRACTS)
OTHERS = (Tencent([]), Aliyun([]))

# "Create User", word for word.
PAGE_CODES = (
    "badRequest (400), unauthorized (401), forbidden (403), badMethod (405), overLimit (413), "
    "unprocessableEntity (422), instanceFault (500), notImplemented (501), serviceUnavailable (503), "
    "itemNotFound (404)"
)


def page_codes() -> dict[str, int]:
    words = (one.split() for one in PAGE_CODES.split(", "))
    return {name: int(status.strip("()")) for name, status in words}


def fields(name: str) -> dict[str, Field]:
    return {field.name: field for field in databases.CONTRACT.actions[name].params}


def keeps(rules_: tuple[object, ...], value: str) -> bool:
    return all(rule.holds(value) for rule in rules_)  # type: ignore[attr-defined]


def test_the_pages_ten_codes_are_there_with_their_statuses() -> None:
    statuses = {row.code: row.status for row in FAULTS.values()}
    assert {code: statuses[code] for code in page_codes()} == page_codes()
    assert set(page_codes()) == databases.PAGE_CODES
    assert set(statuses) - set(page_codes()) == {"badMediaType", "notAcceptable"}


def test_the_pages_table_of_attributes() -> None:
    users = fields("CreateUsers")["users"]
    assert users.required
    assert isinstance(users.type, ListOf)
    assert isinstance(users.type.item, Shape)
    attributes = {field.name: field for field in users.type.item.fields}
    required = {name: field.required for name, field in attributes.items()}
    assert required == {"name": True, "password": True, "host": False, "databases": False, "database": False}
    assert attributes["host"].default == "%"
    assert attributes["password"].type is Kind.SECRET


TEXTS = [("user", rules.NEW_USER_NAME), ("password", rules.PASSWORD), ("database", rules.DATABASE_NAME)]


@pytest.mark.parametrize(("what", "kept"), TEXTS)
def test_the_pages_valid_characters(what: str, kept: tuple[object, ...]) -> None:
    """Letters, numbers and "_" anywhere; '@', '?', '#' and spaces, but not at the beginning and the end."""
    for good in ("a", "Z", "7", "_a", "a_", "aZ9_", "a@b", "a?b", "a#b", "a b", "a @?# b"):
        assert keeps(kept, good), good
    for one in "@?# ":
        assert not keeps(kept, f"{one}a")
        assert not keeps(kept, f"a{one}")


@pytest.mark.parametrize(("what", "kept"), TEXTS)
@pytest.mark.parametrize("one", ["'", '"', "`", ";", ",", "\\", "/"])
def test_the_pages_invalid_characters(what: str, kept: tuple[object, ...], one: str) -> None:
    for bad in (f"{one}a", f"a{one}b", f"a{one}"):
        assert not keeps(kept, bad)


def test_the_pages_lengths() -> None:
    """Database 64, user 16, password unlimited."""
    assert keeps(rules.DATABASE_NAME, "a" * 64)
    assert not keeps(rules.DATABASE_NAME, "a" * 65)
    assert keeps(rules.NEW_USER_NAME, "a" * 16)
    assert not keeps(rules.NEW_USER_NAME, "a" * 17)
    assert keeps(rules.PASSWORD, "a" * 100_000)


@pytest.mark.parametrize(
    "host", ["%", "10.0.0.1", "192.168.1.%", "10.0.0.0/255.0.0.0", "fe80::1", "%.example.com"]
)
def test_hosts_as_trove_takes_them(host: str) -> None:
    assert keeps(rules.HOST, host)


@pytest.mark.parametrize("host", ["", "١.0.0.1", "10.0.0.1\n", "10.0.0.1 ", "h" * 256])
def test_texts_that_are_no_host(host: str) -> None:
    assert not keeps(rules.HOST, host)


def test_every_action_has_a_verb_a_route_and_a_status() -> None:
    tables = {"v1.0": VERBS, "v3": V3_VERBS, "v2.0": V2_VERBS}
    for contract in CONTRACTS:
        assert set(tables[contract.version]) == set(contract.actions)
    routed = {(route.service, route.version, route.action) for route in ROUTES}
    for key in routed:
        assert key in STATUSES
    declared = {(one.service, one.version, name) for one in CONTRACTS for name in one.actions}
    assert declared - set(STATUSES) == {("identity", "v2.0", "ListVersions")}
    assert set(STATUSES) <= declared


def test_only_version_documents_are_public() -> None:
    public = {name for one in CONTRACTS for name, action in one.actions.items() if action.public}
    assert public == {"ListVersions", "ShowVersion"}


def test_every_reason_has_a_row_in_both_tables() -> None:
    assert set(Reason) <= set(FAULTS)
    assert set(Reason) <= set(IDENTITY_FAULTS)


REFUSALS = [
    *(Refused(reason) for reason in Reason),
    *(Refused(reason, "users.0.name", facts={"value": "<&\"'\x00\ud800{0}%s"}) for reason in Reason),
]


def _call(envelope: object, service: str, version: str, action: str) -> Call:
    return Call(
        envelope, "openstack", service, version, action, "", SentParams.parsed({}), False, AnonymousClaim()
    )  # type: ignore[arg-type]


@pytest.mark.parametrize("accept", ["application/json", "application/xml"])
def test_every_reason_of_every_action_is_a_proper_fault(accept: str) -> None:
    headers = (("host", "cloud.test"), ("accept", accept))
    envelope = DIALECT.open(Request("POST", "/v1.0/1/instances", "", headers, b"", "", False, 0.0))
    for contract in CONTRACTS:
        for action in contract.actions:
            for refusal in REFUSALS:
                reply = DIALECT.refuse(
                    envelope, refusal, _call(envelope, contract.service, contract.version, action)
                )
                assert 400 <= reply.status <= 599
                assert reply.code
                in_xml = accept.endswith("xml") and contract.service == "database"
                assert _code_in(reply.body, in_xml=in_xml) == reply.status


def _code_in(body: bytes, *, in_xml: bool) -> int:
    if in_xml:
        return int(fromstring(body).attrib["code"])
    ((_, inside),) = json.loads(body).items()
    assert isinstance(inside["message"], str)
    return int(inside["code"])


@pytest.mark.parametrize(
    "reason", [Reason.KEY_UNKNOWN, Reason.KEY_DISABLED, Reason.CREDENTIALS_INVALID, Reason.TOKEN_INVALID]
)
@pytest.mark.parametrize(
    ("path", "root"),
    [("/v3/auth/tokens", "error"), ("/v2.0/tokens", "unauthorized"), ("/v1.0/1/instances", "unauthorized")],
)
def test_wrong_credentials_are_401_in_the_endpoints_own_body(reason: Reason, path: str, root: str) -> None:
    envelope = DIALECT.open(Request("POST", path, "", (("host", "cloud.test"),), b"", "", False, 0.0))
    reply = DIALECT.refuse(envelope, Refused(reason), None)
    assert (reply.status, list(json.loads(reply.body))) == (401, [root])
    assert "www-authenticate" in dict(reply.headers)


def test_a_rate_limit_is_an_over_limit_with_the_time_to_wait() -> None:
    refusal = Refused(Reason.RATE_EXCEEDED, facts={"count": 21, "limit": 20})
    request = Request("POST", "/v1.0/1/instances", "", (), b"", "", False, 0.0)
    reply = DIALECT.refuse(DIALECT.open(request), refusal, None)
    assert dict(reply.headers)["retry-after"] == "1"
    assert json.loads(reply.body) == {
        "overLimit": {
            "code": 413,
            "message": "This request was rate-limited.",
            "details": "Only 20 POST request(s) can be made to * every second.",
            "retryAfter": "1",
        }
    }


def _request(method: str, path: str, query: str = "", **headers: str) -> Request:
    listed = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Request(method, path, query, listed, b"", "", False, 0.0)


@pytest.mark.parametrize(
    "request_",
    [
        _request("GET", "/v3"),
        _request("GET", "/v3/auth/tokens"),
        _request("POST", "/v2.0/tokens"),
        _request("POST", "/v1.0/1/instances/x/users"),
        _request("GET", "/anything", x_auth_token="T"),
        _request("GET", "/1/instances", accept="application/vnd.openstack.trove+json"),
        _request("GET", "/", accept="application/json"),
    ],
)
def test_requests_of_this_dialect_are_recognized(request_: Request) -> None:
    assert DIALECT.mark(request_) > max(one.mark(request_) for one in OTHERS)


@pytest.mark.parametrize(
    "request_",
    [
        _request("POST", "/", x_tc_action="CreateAccount", authorization="TC3-HMAC-SHA256 Credential=x"),
        _request("GET", "/", "Action=CreateAccount&Signature=x", accept="application/json"),
        _request("POST", "/", content_type="application/x-www-form-urlencoded", accept="application/json"),
        _request("GET", "/v3", x_acs_action="CreateAccount"),
        _request("POST", "/", authorization="ACS3-HMAC-SHA256 Credential=x", accept="application/json"),
        _request("GET", "/", accept="*/*"),
        _request("GET", "/v30"),
        _request("GET", ""),
    ],
)
def test_requests_of_other_dialects_are_not(request_: Request) -> None:
    others = max(one.mark(request_) for one in OTHERS)
    assert DIALECT.mark(request_) < others or DIALECT.mark(request_) is others is Mark.NONE
