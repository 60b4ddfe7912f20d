"""The overview and the audit trail in the console."""

from __future__ import annotations

import json
from collections.abc import Callable

from playwright.sync_api import Page, expect
from tests.browser.conftest import require_accessible
from tests.conftest import Rolecall


def test_a_change_is_found_by_filters_and_told_whole(
    rolecall: Rolecall, visit: Callable[..., Page], name: Callable[[], str]
) -> None:
    account = name()
    made = rolecall.ok("CreateAccount", UserName=account, Type="normal")
    rolecall.call(
        "CreateAccount", {"DBInstanceId": rolecall.instance_id, "UserName": account, "Type": "normal"}
    )
    page = visit("/console/operations")
    page.fill("#target", account)
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    page.select_option("#outcome", "recorded")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as JSON lines").click()
    (line,) = download.value.path().read_text("utf-8").splitlines()
    assert json.loads(line)["request_id"] == made["RequestId"]
    page.locator("tbody tr a").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(made["RequestId"])
    expect(page.get_by_text(account, exact=True).first).to_be_visible()
    require_accessible(page)
    page.goto("/console/operations?since=yesterday")
    expect(page.get_by_role("alert").filter(has_text="Since")).to_be_visible()
    page.get_by_role("button", name="Verify the chain").click()
    expect(page.get_by_role("status").filter(has_text="records are unchanged")).to_be_visible()


def test_the_overview_counts_calls_and_shows_the_latest(
    rolecall: Rolecall, visit: Callable[..., Page]
) -> None:
    rolecall.call("DescribeAccounts", {"DBInstanceId": rolecall.instance_id})
    page = visit("/console")
    expect(page.get_by_role("img", name="Calls of the last hour, by minute")).to_be_visible()
    expect(page.get_by_role("cell", name="tencent", exact=True).first).to_be_visible()
    page.get_by_role("link", name="All records").click()
    expect(page.get_by_role("heading", level=1, name="Operations")).to_be_visible()
