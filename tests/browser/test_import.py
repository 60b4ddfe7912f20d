"""Users imported in a browser: a file is sent or pasted, looked at, confirmed, and its import watched."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from pathlib import Path

import bcrypt
import httpx
import psycopg
import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import require_accessible, require_fits
from tests.conftest import Rolecall, store_admin
from tests.server.ciam import Ciam
from tests.server.signin_browser import quickstart

HOSTILE = "<script>alert(1)</script>'><b>"
PASSWORD = "Right-Horse-42"


@pytest.fixture(scope="module")
def hashed() -> str:
    return bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()


def send(page: Page, file: Path) -> None:
    page.set_input_files("#input-file", file)
    page.get_by_role("button", name="Look at the file").click()


def confirm(page: Page) -> None:
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("finished", exact=True)).to_be_visible()


def fact(page: Page, name: str) -> str:
    return page.locator("dl.facts div").filter(has_text=name).locator("dd").inner_text()


def test_a_file_is_looked_at_imported_and_its_refused_lines_are_told(
    rolecall: Rolecall, visit: Callable[..., Page], tmp_path: Path, hashed: str
) -> None:
    ciam, name = Ciam(rolecall), f"sent{secrets.token_hex(4)}"
    taken = ciam.create()["UserName"]
    file = tmp_path / f"{secrets.token_hex(2)}<b>.csv"
    lines = [
        "user_name,email,password_hash,password,nickname",
        f"{name},{name}@example.com,{hashed},,{HOSTILE}",
        f"{name}2,,,{PASSWORD},",
        f"{taken},,,,",
        f"{name}3,not an address,,,",
        *(f"{name}{number},,,," for number in range(100, 420)),
    ]
    file.write_text("\n".join(lines))
    page = visit(f"/console/directories/{ciam.store}/import", size="narrow")
    send(page, file)
    expect(page.get_by_text("324 rows, of which 1 would be refused")).to_be_visible()
    expect(page.get_by_role("cell", name="a hash", exact=True)).to_be_visible()
    shown = page.content()
    assert hashed not in shown
    assert PASSWORD not in shown
    assert f"{name}@example.com" not in shown
    expect(page.get_by_role("cell", name="sen****@example.com")).to_be_visible()
    expect(page.get_by_role("cell", name="email is not", exact=False)).to_be_visible()
    require_accessible(page)
    require_fits(page)
    assert quickstart(rolecall).by_password(name, PASSWORD).status_code == 400
    confirm(page)
    assert (fact(page, "Imported"), fact(page, "Refused")) == ("322", "2")
    expect(page.get_by_role("cell", name="user_name is taken")).to_be_visible()
    require_accessible(page)
    require_fits(page)
    assert quickstart(rolecall).by_password(name, PASSWORD).status_code == 200
    assert quickstart(rolecall).by_password(f"{name}2", PASSWORD).status_code == 200
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the refused lines").click()
    report = Path(download.value.path()).read_text().splitlines()
    assert report[0] == "line,reason"
    assert [line.split(",")[0] for line in report[1:]] == ["4", "5"]

    page.goto(f"/console/directories/{ciam.store}/import")
    send(page, file)
    expect(page.get_by_role("alert")).to_contain_text("imported before")
    records = json.loads(rolecall.cli("audit", "list", "--json", "--target", ciam.store).stdout)
    mine = [each for each in records if (each["dialect"], each["action"]) == ("console", "user import")]
    assert {each["detail"].get("imported") for each in mine} >= {322}
    assert hashed not in json.dumps(records)


def test_what_cannot_be_imported_is_said_before(
    rolecall: Rolecall, visit: Callable[..., Page], tmp_path: Path
) -> None:
    ciam, name = Ciam(rolecall), f"pasted{secrets.token_hex(4)}"
    page = visit(f"/console/directories/{ciam.store}/import")
    page.get_by_role("button", name="Look at the file").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose a file")
    page.fill("#input-text", f"user_name,shoe_size\n{name},43\n")
    page.get_by_role("button", name="Look at the file").click()
    expect(page.get_by_role("alert")).to_contain_text("there is no column `shoe_size`")
    expect(page.locator("#input-text")).to_have_value(f"user_name,shoe_size\n{name},43\n")
    unknown = tmp_path / "users.txt"
    unknown.write_text("user_name\n")
    send(page, unknown)
    expect(page.get_by_role("alert")).to_contain_text("choose one")
    large = tmp_path / "large.csv"
    large.write_bytes(b"user_name\n" + b"x" * (9 * 1024 * 1024))
    send(page, large)
    expect(page.get_by_text("larger than", exact=False)).to_be_visible()
    page.goto(f"/console/directories/{ciam.store}/import")
    page.fill("#input-text", json.dumps({"user_name": name}))
    page.select_option("#input-format", "ndjson")
    page.get_by_role("button", name="Look at the file").click()
    address = page.url
    page.get_by_role("link", name="Cancel").click()
    page.goto(address)
    confirm(page)
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == 404
    assert quickstart(rolecall).by_password(name, PASSWORD).status_code == 400


def test_files_are_taken_from_visitors_with_a_form_of_theirs_alone(
    rolecall: Rolecall, visit: Callable[..., Page]
) -> None:
    ciam = Ciam(rolecall)
    address = f"{rolecall.endpoint}/console/directories/{ciam.store}/import"
    page = visit(f"/console/directories/{ciam.store}/import")
    own = {"cookie": "; ".join(f"{each['name']}={each['value']}" for each in page.context.cookies())}
    large = {"file": ("users.csv", b"user_name\n" + b"someone\n" * 50_000)}
    with httpx.Client(trust_env=False) as client:
        stranger = client.post(address, files=large, data={"csrf": "x"})
        assert (stranger.status_code, stranger.headers["location"][:16]) == (303, "/console/sign-in")
        forged = client.post(address, files=large, data={"csrf": "x"}, headers=own)
        assert forged.status_code == 403
        csrf = page.locator("input[name=csrf]").first.get_attribute("value")
        for body in (b"", b"--b\r\n", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"):
            broken = client.post(
                address,
                content=body,
                headers={**own, "content-type": "multipart/form-data; boundary=b"},
            )
            assert broken.status_code == 400, body
        kept = client.post(address, files=large, data={"csrf": csrf}, headers=own)
        assert (kept.status_code, "/import/" in kept.headers["location"]) == (303, True)
    with psycopg.connect(store_admin(rolecall.data)) as store:
        store.execute("set search_path to rolecall, public")
        pieces = store.execute("select sealed from import_upload_pieces").fetchall()
    assert pieces
    assert all(b"someone" not in bytes(sealed) for (sealed,) in pieces)
