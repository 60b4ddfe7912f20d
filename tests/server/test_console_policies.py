"""Policies in the console: confirmations that say names, and visitors that change the same policy."""

from __future__ import annotations

import html
import json
import re
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from tests.conftest import Rolecall
from tests.server.cam import Cam
from tests.server.visitor import Visitor

DOCUMENT = {"version": "2.0", "statement": [{"effect": "allow", "action": ["*"], "resource": ["*"]}]}


@pytest.fixture(scope="module")
def cam(rolecall: Rolecall) -> Cam:
    return Cam(rolecall)


@pytest.fixture(scope="module")
def owner(cam: Cam) -> Iterator[Visitor]:
    key = cam.rolecall.tencent
    visitor = Visitor(cam, **{"as": "owner", "key_id": key["secret_id"], "secret_key": key["secret_key"]})
    yield visitor
    visitor.browser.client.close()


@pytest.fixture
def policy(cam: Cam) -> tuple[str, str]:
    """Its name and its id."""
    name = f"p{secrets.token_hex(5)}"
    return name, str(cam.ok("CreatePolicy", PolicyName=name, PolicyDocument=json.dumps(DOCUMENT))["PolicyId"])


def effects(page: str) -> str:
    (listed,) = re.findall(r'<ul class="effects">(.*?)</ul>', page, re.DOTALL)
    return html.unescape(listed)


def test_a_confirmation_names_policies_and_groups(cam: Cam, owner: Visitor, policy: tuple[str, str]) -> None:
    user, group_name, (name, number) = cam.add()["Name"], f"g{secrets.token_hex(5)}", policy
    group = str(cam.ok("CreateGroup", GroupName=group_name)["GroupId"])
    of_user, of_group = f"/console/people/users/{user}", f"/console/people/groups/{group}"
    said = {
        f"{of_user}/attach?policy={number}": [name],
        f"{of_user}/detach?policy={number}": [name],
        f"{of_user}/join?group={group}": [group_name],
        f"{of_user}/leave?group={group}": [group_name],
        f"{of_group}/attach?policy={number}": [name, group_name],
        f"{of_group}/detach?policy={number}": [name, group_name],
        f"{of_group}/delete": [group_name],
        f"/console/people/policies/{number}/delete": [name],
        f"{of_user}/attach?policy=999999999": ["999999999"],  # which has no name
    }
    for address, names in said.items():
        page = owner.get(address)
        assert page.status_code == 200
        for each in names:
            assert f"“{each}”" in effects(page.text), address


def edited(owner: Visitor, number: str) -> dict[str, str]:
    """The fields of the editor's form."""
    page = owner.get(f"/console/people/policies/{number}/edit").text
    seal = re.findall(r'name="seal" value="([^"]+)"', page)[0]
    document = re.findall(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)[0]
    return {"seal": seal, "document": html.unescape(document), "description": "", "name": "x"}


def test_the_editor_shows_a_document_in_lines(owner: Visitor, policy: tuple[str, str]) -> None:
    assert edited(owner, policy[1])["document"].strip() == json.dumps(DOCUMENT, indent=2)


def test_of_visitors_that_save_at_the_same_moment_one_saves(
    cam: Cam, owner: Visitor, policy: tuple[str, str]
) -> None:
    at, form = f"/console/people/policies/{policy[1]}/edit", edited(owner, policy[1])
    number = 6
    ready = Barrier(number)
    token = re.findall(r'name="csrf" value="([^"]+)"', owner.get("/console/me").text)[0]

    def save(mine: int) -> int:
        ready.wait()
        fields = {**form, "csrf": token, "description": f"of {mine}"}
        return owner.browser.client.post(f"{owner.endpoint}{at}", data=fields).status_code

    with ThreadPoolExecutor(number) as threads:
        answers = list(threads.map(save, range(number)))
    assert sorted(answers) == [303] + [409] * (number - 1)
    saved = cam.ok("GetPolicy", PolicyId=int(policy[1]))["Description"]
    assert saved == f"of {answers.index(303)}"
