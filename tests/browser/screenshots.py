"""`make screenshots`: pictures of the console for docs/pictures, of a Rolecall with demonstration content.

    python -m tests.browser.screenshots [--out DIR] [NAME ...]

It starts a Rolecall with servers of its own in a directory that it removes again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from playwright.sync_api import Browser, Page, sync_playwright
from tests.browser.conftest import CHROMIUM, sign_in_link
from tests.conftest import Rolecall, start_rolecall, store_admin

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
LARGEST = 120 * 1024
"""Bytes of a picture."""

_PASSWORD = "Picture_password1"
_ACCOUNTS = {
    "shop_web": ("normal", "web shop"),
    "shop_reports": ("normal", "nightly reports"),
    "billing": ("normal", "invoices"),
    "warehouse": ("normal", "stock in Hamburg and Leeds"),
    "dba_maria": ("tencentDBSuper", "Maria on call"),
    "migrations": ("normal", "schema changes from CI"),
}
_READER = {
    "version": "2.0",
    "statement": [
        {"effect": "allow", "action": ["postgres:Describe*"], "resource": "*"},
        {"effect": "deny", "action": ["postgres:DescribeBillingInfo"], "resource": "*"},
    ],
}


@dataclass(frozen=True)
class Picture:
    """`path` is formed with the instance's id as {instance} and the policy's as {policy}."""

    name: str
    path: str
    size: tuple[int, int] = (1200, 800)
    dark: bool = False
    signed_in: bool = True


_SHOWN = (
    Picture("sign-in", "/console/sign-in", signed_in=False),
    Picture("overview", "/console"),
    Picture("overview-dark", "/console", dark=True),
    Picture("instances", "/console/instances"),
    Picture("instance", "/console/instances/{instance}"),
    Picture("instance-narrow", "/console/instances/{instance}", size=(360, 740)),
    Picture("check", "/console/instances/{instance}/check", size=(1200, 480)),
    Picture("account", "/console/instances/{instance}/accounts/shop_web"),
    Picture("people", "/console/people"),
    Picture("people-dark", "/console/people", dark=True),
    Picture("policy", "/console/people/policies/{policy}/edit"),
    Picture("explorer", "/console/explorer/tencent/postgres/2017-03-12/CreateAccount"),
    Picture("directories", "/console/directories"),
    Picture("operations", "/console/operations?action=CreateAccount", size=(1200, 640)),
)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="make screenshots", description=__doc__)
    parser.add_argument("--out", type=Path, default=PICTURES, help="default: docs/pictures")
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *(each.name for each in _SHOWN)])
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    with running() as rolecall, chromium() as browser:
        contexts = [browser.new_context(base_url=rolecall.endpoint, locale="en-US") for _ in range(2)]
        owner, stranger = (context.new_page() for context in contexts)
        owner.goto(sign_in_link(rolecall))
        values = demonstrate(rolecall)
        for picture in _SHOWN:
            if not given.names or picture.name in given.names:
                file = given.out / f"{picture.name}.png"
                file.write_bytes(taken(owner if picture.signed_in else stranger, picture, values))
                print(f"{file}  {file.stat().st_size // 1024} KB")


@contextmanager
def running() -> Iterator[Rolecall]:
    with tempfile.TemporaryDirectory(prefix="rolecall-pictures-") as directory:
        rolecall = start_rolecall(Path(directory) / "data", ROLECALL_RATE_LIMIT="off")
        try:
            yield rolecall
        finally:
            rolecall.stop()


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def demonstrate(rolecall: Rolecall) -> dict[str, str]:
    """What the pictures show: accounts, people, a policy, calls that succeed and calls that are refused."""
    for name, (kind, remark) in _ACCOUNTS.items():
        rolecall.ok("CreateAccount", UserName=name, Type=kind, Password=_PASSWORD, Remark=remark)
    rolecall.ok("LockAccount", UserName="warehouse")
    rolecall.sql("CREATE ROLE made_by_hand LOGIN")
    earlier_calls(rolecall)
    rolecall.code("CreateAccount", UserName="billing", Type="normal", Password=_PASSWORD)
    for name, remark in {"ada": "platform team", "grace": "on call", "ci": "deployments"}.items():
        uin = cam(rolecall, "AddUser", Name=name, Remark=remark, ConsoleLogin=0, UseApi=int(name == "ci"))[
            "Uin"
        ]
        if name == "ada":
            reader = cam(
                rolecall,
                "CreatePolicy",
                PolicyName="read-databases",
                PolicyDocument=json.dumps(_READER, indent=2),
            )["PolicyId"]
            cam(rolecall, "AttachUserPolicy", PolicyId=reader, AttachUin=uin)
    group = cam(rolecall, "CreateGroup", GroupName="platform", Remark="runs the databases")["GroupId"]
    cam(rolecall, "AttachGroupPolicy", PolicyId=reader, AttachGroupId=group)
    return {"instance": rolecall.instance_id, "policy": str(reader)}


def earlier_calls(rolecall: Rolecall) -> None:
    """An hour of calls in the store's own counts, which no demonstration has time to make."""
    with psycopg.connect(store_admin(rolecall.data), autocommit=True) as connection:
        connection.execute(
            """INSERT INTO call_minutes (minute, dialect, calls, errors)
            SELECT date_trunc('minute', now()) - make_interval(mins => m), dialect,
                   (share * (6 + 3 * sin(m / 7.0) + (m * 37 % 11) / 4.0))::int, (m * 7 % 13 = 0)::int
            FROM generate_series(1, 59) m, (VALUES ('tencent', 6), ('aliyun', 2), ('openstack', 3)) d (dialect, share)
            ON CONFLICT DO NOTHING"""
        )


def cam(rolecall: Rolecall, action: str, **params: Any) -> dict[str, Any]:
    response = rolecall.call(action, params, service="cam", version="2019-01-16")
    assert "Error" not in response, response
    return response


def taken(page: Page, picture: Picture, values: dict[str, str]) -> bytes:
    """The picture as PNG. A page that is not there, and a picture that is too large, are errors."""
    width, height = picture.size
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme="dark" if picture.dark else "light")
    answer = page.goto(picture.path.format(**values), wait_until="load")
    assert answer is not None
    assert answer.status == 200, f"{picture.path} answers {answer.status}"
    content = page.screenshot()
    assert len(content) <= LARGEST, f"{picture.name} has {len(content)} bytes"
    return content


if __name__ == "__main__":
    main()
