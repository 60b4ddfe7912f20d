"""The API Explorer in a browser: find an action, fill in its form, check it, send it, and read the answer."""

from __future__ import annotations

import time
from collections.abc import Callable

from playwright.sync_api import Page, expect
from tests.browser.conftest import require_accessible, require_fits
from tests.conftest import Rolecall

from rolecall.signing import tc3
from rolecall.values import Secret

CREATE = "/console/explorer/tencent/postgres/2017-03-12/CreateAccount"
HOSTILE = "\"><script>alert(1)</script>'$(id)"


def test_an_action_is_found_checked_and_sent(
    rolecall: Rolecall, visit: Callable[..., Page], name: Callable[[], str]
) -> None:
    account = name()
    page = visit("/console/explorer")
    page.fill("#search", "postgres createaccount")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="CreateAccount", exact=True).click()
    expect(page.locator("#input-DBInstanceId")).to_have_value(rolecall.instance_id)
    page.fill("#input-UserName", account)
    page.select_option("#input-Type", "")
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#input-Type-fault")).to_be_visible()
    page.select_option("#input-Type", "normal")
    page.fill("#input-Password", "Try_it_out1")
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#checked")).to_contain_text("you may call this")
    page.fill("#input-Password", "Try_it_out1")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was sent")
    page.fill("#input-Password", "Try_it_out1")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("region", name="Answer", exact=True)).to_contain_text("RequestId")
    assert "Try_it_out1" not in page.content()
    page.get_by_text("Python", exact=True).click()
    expect(page.locator("#code-python")).to_contain_text('os.environ["PASSWORD"]')
    require_accessible(page)
    assert account in rolecall.accounts()


def test_a_hostile_value_stays_text(visit: Callable[..., Page]) -> None:
    page = visit(CREATE, size="narrow")
    page.fill("#input-UserName", HOSTILE)
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#input-UserName")).to_have_value(HOSTILE)
    expect(page.get_by_role("alert")).to_be_visible()
    require_fits(page)
    require_accessible(page)
    page.goto("/console/explorer/openstack/database/v1.0/CreateUsers")
    page.fill("#input-users", '[{"name": "a", ')
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#input-users-fault")).to_contain_text("line 1")


def test_a_form_of_the_console_leads_to_its_action(rolecall: Rolecall, visit: Callable[..., Page]) -> None:
    page = visit(f"/console/instances/{rolecall.instance_id}/new-account")
    page.get_by_role("link", name="Open in the API Explorer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("CreateAccount")
    expect(page.locator("#input-DBInstanceId")).to_have_value(rolecall.instance_id)
    expect(page.locator("#region")).to_have_value(rolecall.tencent["region"])


def test_a_wrong_signature_is_explained(rolecall: Rolecall, visit: Callable[..., Page]) -> None:
    page = visit("/console/explorer/signature")
    for signed_host, said in (
        (rolecall.netloc, "Nothing is wrong"),
        ("other.example", "another secret was used"),
    ):
        proof = tc3.authorization(
            rolecall.tencent["secret_id"], Secret(rolecall.tencent["secret_key"]), service="cam",
            timestamp=int(time.time()), host=signed_host, payload=b"{}",
        )  # fmt: skip
        page.fill(
            "#request",
            f"POST / HTTP/1.1\nHost: {rolecall.netloc}\nContent-Type: application/json\n"
            f"X-TC-Timestamp: {int(time.time())}\nAuthorization: {proof}\n\n{{}}",
        )
        page.get_by_role("button", name="Explain").click()
        expect(page.locator("#reason")).to_contain_text(said)
        require_accessible(page)
    assert rolecall.tencent["secret_key"] not in page.content()
