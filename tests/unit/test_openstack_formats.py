"""XML and JSON of the OpenStack dialect, byte for byte, and readers that survive anything."""

from __future__ import annotations

from contextlib import suppress
from xml.etree.ElementTree import fromstring

from hypothesis import given
from hypothesis import strategies as st

from rolecall.contracts.openstack.databases import contract as databases
from rolecall.dialects.openstack import json_bodies, media, routing, xml_bodies
from rolecall.dialects.openstack.xml_bodies import NAMESPACE
from rolecall.domain.reasons import Refused
from rolecall.values import Request, Secret

ROOT = {"user": {"name": "root", "password": Secret("12345")}}


def test_root_enabled_is_the_90_bytes_of_the_guides_sample() -> None:
    document = xml_bodies.encode({"rootEnabled": True})
    assert document == f'<rootEnabled xmlns="{NAMESPACE}">\n    True\n</rootEnabled>\n'.encode()
    assert len(document) == 90


def test_a_user_is_the_89_bytes_of_the_guides_sample() -> None:
    document = xml_bodies.encode(ROOT)
    assert document == f'<user name="root" password="12345" xmlns="{NAMESPACE}"/>\n'.encode()
    assert len(document) == 89


def test_json_has_the_separators_of_the_guides_samples() -> None:
    assert json_bodies.encode(ROOT) == b'{"user": {"name": "root", "password": "12345"}}'


def test_lists_attributes_and_empty_elements_have_the_samples_form() -> None:
    users = [
        {"name": "dbuser1", "host": "%", "databases": [{"name": "databaseA"}]},
        {"name": "dbuser2", "host": "%", "databases": []},
    ]
    assert xml_bodies.encode({"users": users}).decode() == (
        f'<users xmlns="{NAMESPACE}">\n'
        '    <user host="%" name="dbuser1">\n'
        "        <databases>\n"
        '            <database name="databaseA"/>\n'
        "        </databases>\n"
        "    </user>\n"
        '    <user host="%" name="dbuser2">\n'
        "        <databases/>\n"
        "    </user>\n"
        "</users>\n"
    )
    assert xml_bodies.encode({"users": []}) == f'<users xmlns="{NAMESPACE}"/>\n'.encode()


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_comes_back_out_of_an_attribute(text: str) -> None:
    """Except for what XML cannot hold, which a replacement character stands for."""
    found = fromstring(xml_bodies.encode({"user": {"name": text}})).attrib["name"]
    assert len(found) == len(text)
    assert all(one in (other, "\ufffd") for one, other in zip(found, text, strict=True))


@given(st.binary(max_size=200))
def test_readers_give_an_object_or_refuse(body: bytes) -> None:
    for read in (json_bodies.decode, xml_bodies.decode):
        with suppress(Refused):
            assert isinstance(read(body), dict)


@given(st.text("<>/user \"='&;![]", max_size=80))
def test_the_xml_reader_survives_what_looks_like_xml(text: str) -> None:
    with suppress(Refused):
        assert isinstance(xml_bodies.decode(text.encode()), dict)


@given(st.text(max_size=40))
def test_every_path_is_found_or_refused(path: str) -> None:
    for method in ("GET", "POST", "BREW"):
        try:
            found = routing.find(method, routing.read_path("/" + path))
        except Refused:
            continue
        assert found.route.method == method


@given(st.text(max_size=80))
def test_an_accept_header_never_fails(accept: str) -> None:
    request = Request("GET", "/", "", (("accept", accept),), b"", "", False, 0.0)
    assert media.answer_form(request, "") in media.Form


def test_every_route_is_found_by_its_own_template() -> None:
    for route in routing.ROUTES:
        path = route.template
        for name in ("tenant", "instance_id", "user", "database", "flavor", "datastore", "version"):
            path = path.replace("{" + name + "}", f"a-{name}")
        assert routing.find(route.method, routing.read_path(path)).route is route


def test_every_call_of_the_database_api_is_counted_by_its_method() -> None:
    """PATCH as PUT: Trove 26.0.0 names four rates, each for one method."""
    for route in routing.ROUTES:
        if route.service == "database":
            action = databases.CONTRACT.actions[route.action]
            counted = (action.rate, action.rate_seconds, action.rate_group)
            assert counted == (200, 60, "PUT" if route.method == "PATCH" else route.method), route
