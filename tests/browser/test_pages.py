"""Every page that a visitor can open by a link, in light and dark, wide and narrow, in both languages.

Axe takes a third of a second for a page, so each page has two looks that differ in everything. A look is colours and a
frame that all pages share: the overview and the sign-in have each of the four.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import require_accessible, require_fits
from tests.conftest import Rolecall

LOOKS = {
    "wide": {},
    "dark": {"dark": True},
    "narrow": {"size": "narrow"},
    "narrow and dark, in Chinese": {"size": "narrow", "dark": True, "language": "zh-CN"},
}


def pages_of(rolecall: Rolecall) -> list[str]:
    """The addresses of the console's pages that show something."""
    instances = [rolecall.instance_id]
    if "aliyun" in rolecall.ready:
        instances.append(rolecall.ready["aliyun"]["instance_id"])
    store = f"/console/directories/{rolecall.tencent['user_store_id']}"
    return [
        "/console",
        "/console/me",
        "/console/instances",
        "/console/operations",
        "/console/people",
        "/console/people/groups",
        "/console/people/policies",
        "/console/people/new-policy",
        "/console/people/roles",
        "/console/people/explain?operation=postgres:CreateAccount",
        "/console/directories",
        "/console/directories/new",
        *(
            f"{store}{tab}"
            for tab in (
                "",
                "/groups",
                "/log",
                "/applications",
                "/users/new",
                "/applications/new",
                "/colour",
                "/import",
            )
        ),
        "/console/explorer",
        "/console/explorer/signature",
        "/console/explorer/tencent/cam/2019-01-16/AddUser",
        "/console/explorer/aliyun/petadata/2016-01-01/CreateAccount",
        "/console/explorer/openstack/database/v1.0/CreateUsers",
        *(
            f"/console/instances/{instance}{tab}"
            for instance in instances
            for tab in ("", "/databases", "/check", "/edit")
        ),
        "/console/new-instance",
        f"/console/instances/{rolecall.instance_id}/remove",
    ]


@pytest.mark.parametrize("look", ["wide", "narrow and dark, in Chinese"])
def test_every_page_is_accessible_and_fits(rolecall: Rolecall, visit: Callable[..., Page], look: str) -> None:
    page = visit("/console", **LOOKS[look])
    for path in pages_of(rolecall):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        require_accessible(page)
        require_fits(page)


def test_every_page_fits_a_narrow_window_in_english(rolecall: Rolecall, visit: Callable[..., Page]) -> None:
    page = visit("/console", **LOOKS["narrow"])
    for path in pages_of(rolecall):
        page.goto(path)
        require_fits(page)


@pytest.mark.parametrize("signed_in", [True, False], ids=["overview", "sign-in"])
@pytest.mark.parametrize("look", LOOKS)
def test_so_is_the_frame_in_every_look(visit: Callable[..., Page], look: str, signed_in: bool) -> None:
    page = visit("/console" if signed_in else "/console/sign-in", signed_in=signed_in, **LOOKS[look])
    require_accessible(page)
    require_fits(page)


def test_one_click_leads_from_the_printed_link_to_the_instances(visit: Callable[..., Page]) -> None:
    page = visit("/")
    page.get_by_role("link", name="Instances").first.click()
    expect(page.get_by_role("heading", name="Instances")).to_be_visible()
    expect(page.get_by_role("link", name="quickstart", exact=True)).to_be_visible()


def test_the_keyboard_alone_reaches_the_content(visit: Callable[..., Page]) -> None:
    page = visit("/console/instances")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
