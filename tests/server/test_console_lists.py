"""Long lists in the console: pages forward and backward, and what they do not read."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator

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
