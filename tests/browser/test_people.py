"""Sub-users, keys and policies in the console: clicked through, then asked of the API."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect
from tests.browser.conftest import require_accessible
from tests.conftest import Rolecall

READERS = '{"version": "2.0", "statement": [{"effect": "allow", "action": ["postgres:Describe*"], "resource": ["*"]}]}'


def describes(rolecall: Rolecall, key_id: str, secret: str) -> str:
    """The error code of a call that is signed by a key; empty if it is answered."""
    params = {"DBInstanceId": rolecall.instance_id}
    answer = rolecall.call("DescribeAccounts", params, secret_id=key_id, secret_key=secret)
    return str(answer.get("Error", {}).get("Code", ""))


def confirm(page: Page) -> None:
    expect(page.get_by_role("heading", name="What this does")).to_be_visible()
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("status").filter(has_text="Done.")).to_be_visible()


def test_a_sub_user_gets_a_key_a_policy_and_loses_them(
    rolecall: Rolecall, visit: Callable[..., Page], name: Callable[[], str]
) -> None:
    user, policy = name(), name()
    page = visit("/console/people")
    page.get_by_role("link", name="Create a sub-user").click()
    page.fill("#input-name", user)
    page.check("#input-use_api")
    page.get_by_role("button", name="Continue").click()
    confirm(page)
    key_id, secret = (page.locator("dd code").nth(place).inner_text() for place in (1, 2))
    require_accessible(page)
    assert describes(rolecall, key_id, secret) == "AuthFailure.UnauthorizedOperation"

    page.goto("/console/people/new-policy")
    page.fill("#policy-name", policy)
    page.fill("#policy-document", '{"version": "2.0", "statement": []}')
    expect(page.locator("#verdict")).to_contain_text("not valid")
    page.fill("#policy-document", READERS)
    expect(page.locator("#verdict")).to_contain_text("is valid: 1")
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_url(re.compile(r"/policies/[0-9]+"))

    page.goto(f"/console/people/users/{user}")
    page.select_option("#policy", label=policy)
    page.get_by_role("button", name="Attach a policy").click()
    confirm(page)
    require_accessible(page)
    assert describes(rolecall, key_id, secret) == ""
    page.goto(f"/console/people/explain?user={user}&operation=postgres:DescribeAccounts")
    expect(page.get_by_text(f"statement 1 of {policy} allows it")).to_be_visible()

    page.goto(f"/console/people/users/{user}")
    page.get_by_role("link", name=f"Disable the key {key_id}").click()
    confirm(page)
    assert describes(rolecall, key_id, secret) == "AuthFailure.SecretIdNotFound"
    page.get_by_role("link", name="Delete", exact=True).click()
    confirm(page)
    page.goto(f"/console/people?name={user}")
    expect(page.get_by_text("Nothing yet.")).to_be_visible()


def test_the_second_of_two_who_change_a_policy_is_told(
    visit: Callable[..., Page], name: Callable[[], str]
) -> None:
    first = visit("/console/people/new-policy")
    first.fill("#policy-name", name())
    first.get_by_role("button", name="Save").click()
    expect(first).to_have_url(re.compile(r"/policies/[0-9]+"))
    second = visit(first.url.partition("?")[0] + "/edit")
    first.get_by_role("link", name="Edit the policy").click()
    first.fill("#policy-document", READERS)
    first.get_by_role("button", name="Save").click()
    expect(first.get_by_role("status").filter(has_text="Done.")).to_be_visible()
    second.fill("#policy-description", "typed by the second")
    second.get_by_role("button", name="Save").click()
    expect(second.get_by_role("alert")).to_contain_text("Another user changed this policy")
    assert second.input_value("#policy-description") == "typed by the second"
    second.get_by_role("button", name="Save").click()
    expect(second.get_by_text("typed by the second")).to_be_visible()
