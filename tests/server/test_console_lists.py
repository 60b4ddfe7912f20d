"""Long lists in the console: pages forward and backward, and what they do not read."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
from tests.conftest import Rolecall
from tests.server.cam import Cam
from tests.server.visitor import Visitor

HOSTILE = "</td><script>alert(1)</script>"


@pytest.fixture(scope="module")
def owner(rolecall: Rolecall) -> Iterator[Visitor]:
    key = rolecall.tencent
    visitor = Visitor(
        Cam(rolecall), **{"as": "owner", "key_id": key["secret_id"], "secret_key": key["secret_key"]}
    )
    yield visitor
    visitor.browser.client.close()


def link(page: str, kind: str) -> str:
    """The address of the page before or after; empty if there is none."""
    found = re.findall(rf'<a href="([^"]+)" rel="{kind}">', page)
    return html.unescape(found[0]) if found else ""


def names(page: str) -> list[str]:
    return re.findall(r'/accounts/[^"]+"><code>([^<]+)</code>', page)


def test_a_long_list_of_accounts_is_paged_by_name_and_searched(
    rolecall: Rolecall, owner: Visitor, name: Callable[[], str]
) -> None:
    prefix = name()
    made = [f"{prefix}_{number:03}" for number in range(120)]
    roles = [*made, f"{prefix}{HOSTILE}"]
    rolecall.sql("; ".join(f'create role "{each}" login' for each in roles))
    try:
        at = f"/console/instances/{rolecall.instance_id}?name={prefix}"
        pages = [owner.get(at).text]
        while following := link(pages[-1], "next"):
            assert f"name={prefix}" in following
            pages.append(owner.get(following).text)
        assert [len(names(page)) for page in pages] == [50, 50, 21]
        listed = [each for page in pages for each in names(page)]
        assert [each for each in listed if each in made] == made
        assert not link(pages[0], "prev")
        assert "50 of 121" in pages[0]
        assert html.escape(HOSTILE) in "".join(pages)
        assert HOSTILE not in "".join(pages)
        beyond = owner.get(f"{at}&after={prefix}~").text  # as where the last accounts were deleted meanwhile
        assert not names(beyond)
        assert (names(owner.get(link(beyond, "prev")).text), link(beyond, "next")) == (listed[-50:], "")
        before = owner.get(f"{at}&before={prefix}").text
        assert not names(before)
        assert (names(owner.get(link(before, "next")).text), link(before, "prev")) == (listed[:50], "")
        shown = html.unescape(
            owner.get(f"/console/instances/{rolecall.instance_id}/accounts/{made[60]}").text
        )
        assert json.dumps(rolecall.accounts()[made[60]], indent=2) in shown
        back = [owner.get(link(pages[-1], "prev")).text]
        while before := link(back[-1], "prev"):
            back.append(owner.get(before).text)
        assert [names(page) for page in reversed(back)] == [names(page) for page in pages[:-1]]
        assert names(owner.get(f"{at}_11").text) == made[110:]
        assert "Nothing matches." in owner.get(f"{at}_nothing").text
        answers = owner.get(f"/console/instances/{rolecall.instance_id}/accounts/{made[77]}").text
        assert f'"UserName": "{made[77]}"' in html.unescape(answers)
    finally:
        rolecall.sql("; ".join(f'drop role "{each}"' for each in roles))


def test_an_accounts_page_shows_its_limit_its_end_and_its_memberships(
    rolecall: Rolecall, owner: Visitor, name: Callable[[], str]
) -> None:
    account, role = name(), name()
    rolecall.sql(
        f'create role "{role}" login;'
        f' create role "{account}" login connection limit 7 valid until \'2001-02-03Z\' in role "{role}"'
    )
    try:
        page = owner.get(f"/console/instances/{rolecall.instance_id}/accounts/{account}").text
        facts = re.findall("<dt>.*?</dt><dd>(.*?)</dd>", page)  # whatever the visitor's language
        assert {"7", f"<code>{role}</code>"} <= set(facts)
        assert any("2001-02-03" in fact for fact in facts)
        assert 'class="badge warn"' in facts[1]
    finally:
        rolecall.sql(f'drop role "{account}", "{role}"')


def test_an_account_that_the_server_no_longer_has_is_listed_as_missing(
    rolecall: Rolecall, owner: Visitor, name: Callable[[], str]
) -> None:
    account = name()
    rolecall.ok(
        "CreateAccount", UserName=account, Password="Corr3ct-horse", Type="normal", Remark="kept here"
    )
    rolecall.sql(f'drop role "{account}"')
    page = owner.get(f"/console/instances/{rolecall.instance_id}?name={account}").text
    assert names(page) == [account]
    assert "kept here" in page
    assert ">missing<" in page.lower()
    rolecall.call("DeleteAccount", {"UserName": account})


def test_a_page_beyond_the_end_of_any_list_leads_back(rolecall: Rolecall, owner: Visitor) -> None:
    store = f"/console/directories/{rolecall.tencent['user_store_id']}"
    lists = ["/console/people", "/console/people/groups", "/console/people/policies", "/console/people/roles"]
    lists += ["/console/directories", f"{store}/applications", f"{store}/groups", f"{store}/log"]
    for at in (*lists, f"/console/instances/{rolecall.instance_id}/databases"):
        page = owner.get(f"{at}?offset=5000")
        assert page.status_code == 200
        back = owner.get(link(page.text, "prev"))
        assert back.status_code == 200, at
        assert not link(back.text, "next"), at


@pytest.mark.parametrize("account", ["new", "new-account", "databases", "a/b", "check"])
def test_an_account_has_a_page_whatever_its_name(rolecall: Rolecall, owner: Visitor, account: str) -> None:
    """The page that creates one has another address."""
    rolecall.sql(f'create role "{account}" login')
    try:
        listed = owner.get(f"/console/instances/{rolecall.instance_id}?name={quote(account)}").text
        found = re.findall(rf'href="([^"]+)"><code>{re.escape(account)}</code>', listed)
        assert found
        page = owner.get(html.unescape(found[0]))
        assert page.status_code == 200
        assert f"<h1>{account}</h1>" in re.sub(r"<h1[^>]*>", "<h1>", page.text)
    finally:
        rolecall.sql(f'drop role "{account}"')
    assert "<form" in owner.get(f"/console/instances/{rolecall.instance_id}/new-account").text


def test_an_owner_signs_out_of_all_browsers_at_once(rolecall: Rolecall) -> None:
    key = rolecall.tencent
    fields = {"as": "owner", "key_id": key["secret_id"], "secret_key": key["secret_key"]}
    visitors = [Visitor(Cam(rolecall), **fields) for _ in range(2)]
    try:
        assert all(visitor.get("/console/instances").status_code == 200 for visitor in visitors)
        stale = visitors[0].browser.client.post(
            f"{rolecall.endpoint}/console/sign-out-everywhere", data={"csrf": "made up"}
        )
        assert stale.status_code == 403
        done = visitors[0].post("/console/sign-out-everywhere")
        assert done.headers["location"].endswith("/console/sign-in")
        for visitor in visitors:
            assert visitor.get("/console/instances").headers["location"].startswith("/console/sign-in")
    finally:
        for visitor in visitors:
            visitor.browser.client.close()
