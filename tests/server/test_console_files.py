"""What an attacker sends to the console's import of users, and to the forms about servers."""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from tests.conftest import Rolecall, store_admin
from tests.server.cam import PASSWORD, Cam
from tests.server.ciam import Ciam
from tests.server.test_console_lists import link
from tests.server.visitor import Visitor
from tests.waiting import until

from rolecall.domain.access.keys import Keys
from rolecall.domain.secrets.sealing import Sealer, parse_master_keys
from rolecall.store import Store
from rolecall.values import Secret

_TOKEN = re.compile(r'name="csrf" value="([^"]+)"')


@pytest.fixture(scope="module")
def owner(rolecall: Rolecall) -> Iterator[Visitor]:
    key = rolecall.tencent
    visitor = Visitor(
        Cam(rolecall), **{"as": "owner", "key_id": key["secret_id"], "secret_key": key["secret_key"]}
    )
    yield visitor
    visitor.browser.client.close()


@pytest.fixture
def store(rolecall: Rolecall) -> str:
    """A user store of its own."""
    made = rolecall.cli("store", "add", f"s{secrets.token_hex(5)}", "--json").stdout
    return str(json.loads(made)[0]["store"])


def send(visitor: Visitor, path: str, name: str, content: bytes, **fields: str) -> httpx.Response:
    token = _TOKEN.findall(visitor.get("/console/me").text)[0]
    return visitor.browser.client.post(
        f"{visitor.endpoint}{path}", data={"csrf": token, **fields}, files={"file": (name, content)}
    )


def test_hostile_files_are_refused_or_shown_and_no_page_crashes(owner: Visitor, store: str) -> None:
    at = f"/console/directories/{store}/import"
    deep = b'{"user_name":' + b"[" * 200_000 + b"\n"
    sent: list[tuple[str, bytes, int]] = [
        ("deep.jsonl", deep, 303),
        ("nul.jsonl", b'{"a\\u0000b":1}\n{"\\ud800":2}\n', 303),
        ("blank.jsonl", b"\n" * 100_000, 303),
        ("<script>alert(1)</script>.csv", b"user_name\n<script>alert(2)</script>\n", 303),
        ("a\u202ecsv.csv", "user_name\n\u202ex\n".encode(), 303),
        ("wide.csv", "user_name\nx\n".encode("utf-16"), 422),
        ("packed.csv", b"\x1f\x8b\x08" + os.urandom(300), 422),
        ("packed.zip", b"PK\x03\x04", 422),
        ("x.csv", b"user_name,user_name\n", 422),
        ("x.csv", b"user_name,<script>alert(3)</script>\n", 422),
        ("large.csv", b"user_name\n" + b"x" * (8 * 1024 * 1024), 422),
    ]
    for name, content, status in sent:
        answer = send(owner, at, name, content)
        assert answer.status_code == status, (name, answer.text)
        page = owner.get(answer.headers["location"]) if status == 303 else answer
        assert page.status_code in (200, 422), (name, page.text)
        assert "<script>alert" not in page.text
    token = _TOKEN.findall(owner.get("/console/me").text)[0]
    for disposition in (
        'filename="a\0.csv"',
        'filename="\xff.csv"',
        'filename=""',
        "filename*=UTF-8''%00.csv",
    ):
        body = (
            f'--b\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{token}\r\n'
            f'--b\r\nContent-Disposition: form-data; name="file"; {disposition}\r\n\r\nuser_name\nx\r\n--b--\r\n'
        ).encode("latin-1")
        kind = {"content-type": "multipart/form-data; boundary=b"}
        answer = owner.browser.client.post(f"{owner.endpoint}{at}", content=body, headers=kind)
        assert answer.status_code < 500, (disposition, answer.text)


def test_files_of_others_and_forged_forms_import_nothing(
    rolecall: Rolecall, owner: Visitor, store: str
) -> None:
    at = f"/console/directories/{store}/import"
    waiting = send(owner, at, "x.csv", b"user_name\nmine\n").headers["location"]
    cam = Cam(rolecall)
    added: dict[str, Any] = cam.add(ConsoleLogin=1, UseApi=1, Password=PASSWORD, NeedResetPassword=0)
    number = str(rolecall.ready["owner"]["uin"])
    other = Visitor(cam, owner=number, name=added["Name"], secret_password=PASSWORD)
    try:
        assert send(other, at, "x.csv", b"user_name\ntheirs\n").status_code == 403
        assert other.get(waiting).status_code == 403
        assert other.post(waiting, confirm="1", sent="1").status_code == 403
    finally:
        other.browser.client.close()
    for fields in ({}, {"csrf": "made up"}, {"csrf": ""}):
        forged = owner.browser.client.post(
            f"{owner.endpoint}{at}", data=fields, files={"file": ("x.csv", b"user_name\nforged\n")}
        )
        assert forged.status_code == 403
        assert owner.browser.client.post(f"{owner.endpoint}{waiting}", data={**fields, "confirm": "1"}).text
    quickstart = rolecall.tencent["user_store_id"]
    elsewhere = waiting.replace(store, quickstart)
    assert owner.get(elsewhere).status_code == 404
    assert owner.post(elsewhere, confirm="1", sent="1").status_code == 404
    stranger = httpx.post(f"{owner.endpoint}{at}", files={"file": ("x.csv", b"user_name\nforged\n")})
    assert stranger.headers["location"].startswith("/console/sign-in")
    # A second tab sends another file: the first one's preview is gone, and confirms nothing.
    newer = send(owner, at, "y.csv", b"user_name\nnewer\n").headers["location"]
    assert owner.get(waiting).status_code == 404
    assert owner.post(waiting, confirm="1", sent="1").status_code == 404
    assert (
        Ciam(rolecall, store=store).ok("ListUser", Pageable={"PageSize": 10, "PageNumber": 1})["Total"] == 0
    )
    deleted = owner.confirm(f"/console/directories/{store}/delete")
    assert deleted.status_code == 303, deleted.text
    assert owner.get(newer).status_code == 404
    assert owner.post(newer, confirm="1", sent="1").status_code == 404


@pytest.fixture
def other_owner(rolecall: Rolecall) -> Iterator[Visitor]:
    """Another owner in the same store, signed in; forgotten afterwards, as commands expect a single one."""
    kept = json.loads((rolecall.data / "secrets.json").read_text())

    async def add() -> tuple[int, tuple[str, Secret]]:
        opened = Store(Secret(store_admin(rolecall.data)))
        await opened.open()
        try:
            keys = Keys(opened.keys, Sealer(parse_master_keys(kept["master_key"])))
            added = await keys.create_owner()
            return added.id, await keys.create(added)
        finally:
            await opened.close()

    owner_id, (key_id, secret) = asyncio.run(add())
    visitor = Visitor(Cam(rolecall), **{"as": "owner", "key_id": key_id, "secret_key": secret.reveal()})
    yield visitor
    visitor.browser.client.close()
    with psycopg.connect(store_admin(rolecall.data), autocommit=True) as connection:
        referring = connection.execute(
            "select conrelid::regclass::text from pg_constraint where confrelid = 'rolecall.owners'::regclass"
        )
        for (table,) in referring.fetchall():
            connection.execute(f"delete from {table} where owner_id = %s", (owner_id,))
        connection.execute("delete from rolecall.owners where id = %s", (owner_id,))


def test_another_owner_sees_and_uses_no_upload_and_no_import(
    rolecall: Rolecall, owner: Visitor, other_owner: Visitor, store: str
) -> None:
    at = f"/console/directories/{store}/import"
    began = owner.post(
        send(owner, at, "x.csv", b"user_name\nfirst\n").headers["location"], confirm="1", sent="1"
    )
    past = began.headers["location"]
    until(lambda: ">finished<" in owner.get(past).text)
    waiting = send(owner, at, "y.csv", b"user_name\nmine\n").headers["location"]
    for page in (at, past, f"{past}/refused", waiting, f"/console/directories/{store}"):
        assert other_owner.get(page).status_code == 404, page
    assert send(other_owner, at, "z.csv", b"user_name\ntheirs\n").status_code == 404
    for sent in ({"sent": "1"}, {"sent": "1", "confirm": "1"}):
        assert other_owner.post(waiting, **sent).status_code == 404
    made = other_owner.post("/console/directories/new", name="theirs", sent="1", confirm="1")
    theirs = re.findall(r"/console/directories/([0-9a-f]{32})", other_owner.get("/console/directories").text)
    assert theirs, made.text
    assert store not in theirs
    for page in (waiting, past):  # the ids of one owner's below the other's store
        elsewhere = page.replace(store, theirs[0])
        assert other_owner.get(elsewhere).status_code == 404
        assert other_owner.post(elsewhere, sent="1", confirm="1").status_code in (404, 405)
    # The file of its owner is where it was.
    assert owner.get(waiting).status_code == 200
    users = Ciam(rolecall, store=store).ok("ListUser", Pageable={"PageSize": 10, "PageNumber": 1})
    assert users["Total"] == 1


def test_users_from_before_1970_are_all_listed(owner: Visitor, store: str) -> None:
    rows = [f"old{number:03},19{number % 60 + 10}-01-01" for number in range(130)]
    sent = send(
        owner,
        f"/console/directories/{store}/import",
        "x.csv",
        "\n".join(["user_name,created_at", *rows]).encode(),
    )
    began = owner.post(sent.headers["location"], confirm="1", sent="1")
    until(lambda: ">finished<" in owner.get(began.headers["location"]).text)
    found: list[str] = []
    path = f"/console/directories/{store}"
    for _ in range(4):
        page = owner.get(path).text
        found += re.findall(r">(old[0-9]{3})<", page)
        if not (path := link(page, "next")):
            break
    assert sorted(found) == sorted(row[:6] for row in rows)


def test_an_authorities_file_that_is_a_pipe_is_not_opened(owner: Visitor, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero"), tmp_path / ("x" * 300)):
        page = owner.post(
            "/console/new-instance",
            engine="postgresql",
            host="127.0.0.1",
            port="1",
            administrator="a",
            secret_password="p",
            sslmode="verify-full",
            sslrootcert=str(path),
        )
        assert page.status_code == 422
        assert "not the absolute path of a file" in page.text


def test_an_instance_called_new_has_a_page(rolecall: Rolecall, owner: Visitor) -> None:
    engine = rolecall.ready["engines"]["postgres"]
    fields = {
        "engine": "postgresql",
        "host": engine["host"],
        "port": str(engine["port"]),
        "administrator": engine["user"],
        "secret_password": engine["password"],
        "public_id": "new",
    }
    done = owner.post("/console/new-instance", sent="1", confirm="1", **fields)
    assert done.status_code == 303, done.text
    try:
        page = owner.get("/console/instances/new")
        assert 'name="administrator"' not in page.text
        assert "<code>new</code>" in page.text
    finally:
        assert owner.confirm("/console/instances/new/remove").status_code == 303
    assert 'name="administrator"' in owner.get("/console/new-instance").text
