"""`rolecall user import`: what becomes of a file of users, of the lines that are refused, and of a run that is cut."""

from __future__ import annotations

import asyncio
import csv
import json
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from tests.conftest import store_admin
from tests.waiting import PATIENCE

from rolecall.domain.directories.importing import ImportBusy, Progress
from rolecall.domain.directories.rows import NewUser, RowReader
from rolecall.domain.operations.model import Change
from rolecall.domain.operations.records import Record
from rolecall.domain.secrets.imported_hashes import FOREIGN
from rolecall.domain.secrets.passwords import Passwords
from rolecall.store import Store, user_imports
from rolecall.store.user_imports import PgUserImportRepository
from rolecall.values import Caller, Origin, Secret

PROGRAM = Path(sys.executable).with_name("rolecall")
# "Kk4DQuMMfZL9o", of pyca/bcrypt's vectors; "hashcat", of hashcat's
BCRYPT = "$2b$04$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm"
SSHA = "{SSHA}FLzWcQqyle6Mo7NvrwXCMAmRzXQxNjYxMTYzNw=="
ROWS = 10_000


@pytest.fixture(scope="module")
def sql(rolecall: Any) -> Iterator[psycopg.Connection[Any]]:
    """Rolecall's own store."""
    url = store_admin(rolecall.data)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("set search_path to rolecall")
        yield connection


@pytest.fixture
def store(sql: psycopg.Connection[Any], name: Callable[[str], str]) -> Iterator[str]:
    """A user store of the test's own, with two groups."""
    store_id = uuid4()
    sql.execute(
        "insert into user_stores (id, owner_id, name) select %s, id, %s from owners limit 1",
        (store_id, name("store")),
    )
    for group in ("staff", "guests"):
        sql.execute(
            "insert into user_groups (id, store_id, name) values (%s, %s, %s)", (uuid4(), store_id, group)
        )
    yield store_id.hex
    sql.execute("delete from user_stores where id = %s", (store_id,))


def write(path: Path, header: str, rows: list[list[str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header.split(","))
        writer.writerows(rows)
    return path


def imported(rolecall: Any, *arguments: object, status: int = 0) -> dict[str, Any]:
    done = rolecall.cli("user", "import", *map(str, arguments), "--json", check=False)
    assert done.returncode == status, done.stderr
    assert ("refused" in done.stderr) == bool(status)
    (row,) = json.loads(done.stdout)
    return dict(row)


def report(path: Path) -> dict[int, str]:
    with path.open(newline="", encoding="utf-8") as file:
        lines = list(csv.reader(file))
    assert lines[0] == ["line", "reason"]
    return {int(line): reason for line, reason in lines[1:]}


def users(sql: psycopg.Connection[Any], store: str, columns: str = "name") -> list[tuple[Any, ...]]:
    query = f"select {columns} from users where store_id = %s order by name"
    return sql.execute(query.encode(), (store,)).fetchall()


def records(sql: psycopg.Connection[Any], store: str) -> list[dict[str, Any]]:
    """What the audit trail says of imports into the store, the oldest first."""
    query = "select detail from operations where kind = 'user.import' and target = %s order by accepted_at"
    return [row[0] for row in sql.execute(query, (store,)).fetchall()]


def test_users_come_with_all_that_the_columns_say(
    rolecall: Any, sql: psycopg.Connection[Any], store: str, tmp_path: Path
) -> None:
    file = write(
        tmp_path / "users.csv",
        "user_name,phone,email,password_hash,password,status,groups,nickname,indexed_2,custom.team,created_at,birthdate",
        [
            [
                "ada", "+86-13800138000", "ada@example.com", BCRYPT, "", "", "staff;guests", "Ada, the first", "x",
                "math", "2019-05-17", "1990-05-17",
            ],
            ["bob", "", "", SSHA, "", "frozen", "", "", "", "", "", ""],
            ["eve", "", "eve@example.com", "", "Correct-Horse1", "locked", "guests", "", "", "", "", ""],
            ["", "13900139000", "", "", "", "", "", "", "", "", "", ""],
        ],
    )  # fmt: skip
    row = imported(rolecall, file, "--store", store)
    assert row == {"store": store, "standing": "imported", "imported": 4, "refused": 0, "report": None}
    assert not (tmp_path / "users.csv.refused.csv").exists()
    columns = (
        "name, phone, email, status, source, nickname, indexed_2, custom, created_at::date::text, birthdate"
    )
    assert users(sql, store, columns) == [
        (
            "ada", "+86-13800138000", "ada@example.com", "normal", "import", "Ada, the first", "x",
            [{"name": "team", "value": "math", "type": "STRING"}], "2019-05-17", 642902400000,
        ),
        ("bob", None, None, "frozen", "import", None, None, [], time.strftime("%Y-%m-%d", time.gmtime()), None),
        (
            "eve", None, "eve@example.com", "locked", "import", None, None, [],
            time.strftime("%Y-%m-%d", time.gmtime()), None,
        ),
        (None, "13900139000", None, "normal", "import", None, None, [], time.strftime("%Y-%m-%d", time.gmtime()),
         None),
    ]  # fmt: skip
    members = (
        "select u.name, g.name from user_group_members m join users u on u.id = m.user_id"
        " join user_groups g on g.id = m.group_id where u.store_id = %s order by 1, 2"
    )
    assert sql.execute(members, (store,)).fetchall() == [
        ("ada", "guests"),
        ("ada", "staff"),
        ("eve", "guests"),
    ]
    counted = sql.execute("select sum(users) from user_counts where store_id = %s", (store,)).fetchone()
    assert counted == (4,)
    assert records(sql, store) == [{"imported": 4, "refused": 0, "finished": True}]


async def test_imported_passwords_sign_in_and_only_plaintext_is_hashed_now(
    rolecall: Any, sql: psycopg.Connection[Any], store: str, tmp_path: Path
) -> None:
    lines = [
        {"user_name": "bcrypt", "password_hash": BCRYPT},
        {"user_name": "plain", "password": "Correct-Horse1"},
        {"user_name": "ssha", "password_hash": SSHA},
    ]
    file = tmp_path / "users.ndjson"
    file.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    imported(rolecall, file, "--store", store)
    stored = dict(users(sql, store, "name, password_hash"))
    assert stored["bcrypt"] == BCRYPT
    assert stored["plain"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    passwords = Passwords(threads=1, queue=4, foreign=FOREIGN)
    try:
        for user, password in (("bcrypt", "Kk4DQuMMfZL9o"), ("ssha", "hashcat")):
            verdict = await passwords.verify(stored[user], Secret(password))
            assert verdict.renewed is not None
            assert verdict.renewed.startswith("$argon2id$")
            assert not (await passwords.verify(stored[user], Secret("wrong"))).matches
        assert (await passwords.verify(stored["plain"], Secret("Correct-Horse1"))).renewed is None
    finally:
        passwords.close()


def test_an_imported_user_signs_in_with_the_old_password_and_then_has_a_hash_of_ours(
    rolecall: Any, sql: psycopg.Connection[Any], name: Callable[[str], str], tmp_path: Path
) -> None:
    user, store = name("imported"), rolecall.tencent["user_store_id"]
    file = write(tmp_path / "users.csv", "user_name,password_hash", [[user, BCRYPT]])
    assert imported(rolecall, file, "--store", store)["imported"] == 1
    discovery = httpx.get(rolecall.tencent["oidc_issuer"] + "/.well-known/openid-configuration").json()

    def sign_in(password: str) -> httpx.Response:
        form = {
            "grant_type": "password", "client_id": rolecall.tencent["oidc_client_id"], "username": user,
            "password": password, "scope": "openid",
        }  # fmt: skip
        return httpx.post(discovery["token_endpoint"], data=form, timeout=60)

    def stored() -> str:
        row = sql.execute("select password_hash from users where name = %s", (user,)).fetchone()
        return str(row[0]) if row else ""

    assert sign_in("wrong").json()["error"] == "invalid_grant"
    assert stored() == BCRYPT
    assert "id_token" in sign_in("Kk4DQuMMfZL9o").json()
    renewed = stored()
    assert renewed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert "id_token" in sign_in("Kk4DQuMMfZL9o").json()
    assert stored() == renewed
    assert sign_in("wrong").status_code == 400


BAD = (
    "user_name,phone,email,password_hash,password,groups\n"
    "one,13000000001,one@example.com,,,\n"
    "two,13000000002,two@example.com,,,,,\n"  # 3: fields
    'three,"13000000003,,,,\n'  # 4: quote
    "one,13000000004,,,,\n"  # 5: name
    "five,13000000001,,,,\n"  # 6: phone
    "six,,one@example.com,,,\n"  # 7: mail
    "seven,,,plaintext,,\n"  # 8: no hash
    "eight,,,$2b$31$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm,,\n"  # 9: too costly
    f"nine,,,{BCRYPT},Secret-Word9,\n"  # 10: both
    ",,,,,\n"  # 11: nothing
    "eleven,,,,,nobody\n"  # 12: group
    f"twelve,,,,{'x' * 2000},\n"  # 13: too long to hash
    "old,,,,,\n"  # 14: there already
    "last,,,,,staff\n"
)


def test_bad_lines_are_reported_and_stop_nothing(
    rolecall: Any, sql: psycopg.Connection[Any], store: str, tmp_path: Path
) -> None:
    sql.execute("insert into users (id, store_id, name) values (%s, %s, 'old')", (uuid4(), store))
    file = tmp_path / "users.txt"
    file.write_text(BAD, encoding="utf-8")
    told = tmp_path / "told.csv"
    options = (file, "--store", store, "--format", "csv", "--report", told)
    expected = {
        3: "the row has 8 fields, not 6",
        4: "a quote is not closed",
        5: "user_name is taken",
        6: "phone is taken",
        7: "email is taken",
        8: "password_hash: the hash is of no known form",
        9: "password_hash: bcrypt's cost is 4 to 14",
        10: "there is a password and a password_hash",
        11: "a user needs a user_name, a phone or an email",
        12: "a group of that name is not in the store",
        13: "password: the password is too long to be hashed",
        14: "user_name is taken",
    }
    row = imported(rolecall, *options, "--dry-run", status=1)
    assert (row["standing"], row["imported"], row["refused"]) == ("dry run", 3, 11)
    assert report(told) == {
        line: reason for line, reason in expected.items() if line != 13
    }  # nothing is hashed
    assert users(sql, store) == [("old",)]
    assert records(sql, store) == []
    row = imported(rolecall, *options, status=1)
    assert (row["standing"], row["imported"], row["refused"]) == ("imported", 2, 12)
    assert report(told) == expected
    assert users(sql, store) == [("last",), ("old",), ("one",)]
    text = told.read_text(encoding="utf-8")
    assert "Secret-Word9" not in text
    assert "plaintext" not in text
    assert records(sql, store) == [{"imported": 2, "refused": 12, "finished": True}]
    # Once more it is done already, and the report is written again; --again meets those who are there.
    told.unlink()
    row = imported(rolecall, *options, status=1)
    assert row["standing"].startswith("already imported")
    assert report(told) == expected
    assert imported(rolecall, *options, "--again", status=1)["imported"] == 0
    assert report(told)[2] == "user_name is taken"


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Ten thousand; in the middle are passwords to be hashed, which takes its time."""
    rows = [
        [
            f"user{number}",
            f"user{number}@example.com",
            "" if 4000 <= number < 4192 else BCRYPT,
            f"Password-{number}" if 4000 <= number < 4192 else "",
            "staff",
        ]
        for number in range(ROWS)
    ]
    rows[100][1] = "no address"
    rows[9000] = rows[8999]
    return write(tmp_path / "large.csv", "user_name,email,password_hash,password,groups", rows)


def position(sql: psycopg.Connection[Any], store: str) -> int:
    row = sql.execute("select line from user_imports where store_id = %s", (store,)).fetchone()
    return row[0] if row else 0


def begin(rolecall: Any, file: Path, store: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [PROGRAM, "user", "import", file, "--store", store, "--data", rolecall.data],
        env=rolecall.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT], ids=lambda end: end.name)
def test_an_import_that_is_cut_goes_on_and_nobody_is_doubled_or_lost(
    rolecall: Any, sql: psycopg.Connection[Any], store: str, large: Path, end: signal.Signals
) -> None:
    running = begin(rolecall, large, store)
    deadline = time.monotonic() + PATIENCE
    while position(sql, store) < 4000:
        assert running.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    running.send_signal(end)
    _, errors = running.communicate(timeout=120)
    if end is signal.SIGINT:
        assert running.returncode == 130
        assert errors.splitlines() == ["rolecall: interrupted; repeat the command to resume"]
    cut = position(sql, store)
    assert 4000 <= cut < ROWS
    there = len(users(sql, store))
    assert 3900 < there < ROWS - 2
    row = imported(rolecall, large, "--store", store, status=1)
    assert (row["imported"], row["refused"]) == (ROWS - 2, 2)
    assert report(large.with_name("large.csv.refused.csv")) == {
        102: "email is not a mail address",
        9002: "user_name is taken",
    }
    wanted = {f"user{number}" for number in range(ROWS)} - {"user100", "user9000"}
    found = users(sql, store)
    assert len(found) == ROWS - 2
    assert {name for (name,) in found} == wanted
    members = sql.execute(
        "select count(*) from user_group_members m join users u on u.id = m.user_id where u.store_id = %s",
        (store,),
    ).fetchone()
    assert members == (ROWS - 2,)
    first, second = records(sql, store)  # one a run, and that of the run that was cut says how far it came
    assert (first["imported"], first["finished"]) == (there, False)
    assert (second["imported"], second["finished"]) == (ROWS - 2 - there, True)


@pytest.fixture
async def table(rolecall: Any) -> AsyncIterator[PgUserImportRepository]:
    """Imports as a program's other process sees them."""
    one = Store(Secret(store_admin(rolecall.data)), pool_size=2)
    await one.open()
    yield one.imports
    await one.close()


def record() -> Record:
    return Record(Change.USER_IMPORT, "x", Origin(Caller(1, 1, 1, 1, ""), "cli", "user import", "r"))


def new_user(line: int, name: str) -> NewUser:
    return RowReader({}, datetime.now(UTC), ()).read(line, {"user_name": name})


async def test_only_one_import_goes_into_a_store_at_a_time(
    rolecall: Any, table: PgUserImportRepository, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_imports, "_WAIT_MILLISECONDS", 100)
    small = write(tmp_path / "small.csv", "user_name", [["ada"]])
    async with table.session(UUID(store), b"1", record()):
        with pytest.raises(ImportBusy):
            async with table.session(UUID(store), b"2", record()):
                pass
    assert imported(rolecall, small, "--store", store)["imported"] == 1


async def test_users_made_by_calls_in_another_order_at_the_same_time_hold_an_import_up_and_no_more(
    table: PgUserImportRepository, sql: psycopg.Connection[Any], store: str
) -> None:
    """They wait for one another; the server ends one of the two, and the import tries again."""
    add = "insert into users (id, store_id, name) values (%s, %s, %s)"
    batch = [new_user(1, "first"), new_user(2, "second"), new_user(3, "third")]
    with psycopg.connect(sql.info.dsn, password=sql.info.password) as other:
        other.execute("set search_path to rolecall")
        other.execute("set deadlock_timeout = '30s'")  # the other side finds out
        other.execute(add, (uuid4(), store, "third"))
        async with table.session(UUID(store), b"1", record()) as session:
            keeping = asyncio.create_task(session.keep(batch, [], 10, 3))
            await until(lambda: waiting(sql))
            await asyncio.to_thread(other.execute, add, (uuid4(), store, "first"))
            other.commit()
            assert await keeping == Progress(10, 3, 1, 2)
            refused = [(one.line, one.reason) for one in await session.refusals(0, 10)]
    assert refused == [(1, "user_name is taken"), (3, "user_name is taken")]
    assert users(sql, store) == [("first",), ("second",), ("third",)]


def waiting(sql: psycopg.Connection[Any]) -> bool:
    """Whether an import waits for somebody else's transaction."""
    query = "select from pg_stat_activity where wait_event_type = 'Lock' and query like '%pg_temp.new_users%'"
    return sql.execute(query).fetchone() is not None


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.01)


async def test_what_was_kept_by_another_process_meanwhile_is_not_kept_twice(
    table: PgUserImportRepository, sql: psycopg.Connection[Any], store: str
) -> None:
    """A session whose lock was lost with its connection, and whose place in the file is another's now."""
    async with table.session(UUID(store), b"1", record()) as session:
        await session.keep([new_user(1, "one")], [], 5, 1)
        sql.execute("update user_imports set position = 10 where store_id = %s", (store,))
        with pytest.raises(ImportBusy):
            await session.keep([new_user(2, "two")], [], 10, 2)
    assert users(sql, store) == [("one",)]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("users.csv", "--store", "00" * 16), "there is no user store"),
        (("users.csv", "--store", "staff"), "not the id of a user store"),
        (("users.txt", "--store", "STORE"), "--format"),
        (("wrong.csv", "--store", "STORE"), "there is no column `login`"),
        (("users.csv", "--store", "STORE", "--report", "nowhere/report.csv"), "--report"),
    ],
)
def test_what_cannot_be_begun_is_one_line(
    rolecall: Any, store: str, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    write(tmp_path / "users.csv", "user_name", [["ada"]])
    write(tmp_path / "users.txt", "user_name", [["ada"]])
    write(tmp_path / "wrong.csv", "login", [["ada"]])
    given = [str(tmp_path / word) if "." in word else word.replace("STORE", store) for word in arguments]
    done = rolecall.cli("user", "import", *given, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert says in line


FULL = {
    "user_name": "full",
    "phone": "+86-13800138000",
    "email": "full@example.com",
    "email_verified": True,
    "password_hash": BCRYPT,
    "must_reset": True,
    "status": "frozen",
    "groups": ["staff", "guests"],
    "nickname": "Fülle; 名",
    "address": "a street",
    "birthdate": 915148800000,
    "created_at": "2024-05-17T08:30:00+00:00",
    "indexed_3": "third",
    "profile.gender": "FEMALE",
    "profile.job": "clerk",
    "custom.team": "blue",
}


def exported(rolecall: Any, file: Path, store: str, *options: str) -> list[dict[str, Any]]:
    rolecall.cli("user", "export", str(file), "--store", store, *options)
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_exported_users_are_imported_again(
    rolecall: Any, store: str, sql: psycopg.Connection[Any], tmp_path: Path
) -> None:
    bare = {"phone": "13900139000", "created_at": "2024-05-17T08:30:01+00:00"}
    given = tmp_path / "given.ndjson"
    given.write_text("".join(json.dumps(row) + "\n" for row in (FULL, bare)))
    imported(rolecall, given, "--store", store)
    first = exported(rolecall, tmp_path / "first.ndjson", store, "--with-hashes")
    assert [{**row, "groups": sorted(row.get("groups", []))} for row in first] == [
        {**FULL, "groups": ["guests", "staff"]},
        {**bare, "groups": []},
    ]
    assert (tmp_path / "first.ndjson").stat().st_mode & 0o777 == 0o600
    sql.execute("delete from users where store_id = %s", (UUID(store),))
    imported(rolecall, tmp_path / "first.ndjson", "--store", store)
    assert exported(rolecall, tmp_path / "second.ndjson", store, "--with-hashes") == first


def test_hashes_are_exported_on_request_only(rolecall: Any, store: str, tmp_path: Path) -> None:
    given = write(tmp_path / "given.csv", "user_name,password_hash", [["one", SSHA], ["two", ""]])
    imported(rolecall, given, "--store", store)
    rows = exported(rolecall, tmp_path / "out.ndjson", store)
    assert sorted(row["user_name"] for row in rows) == ["one", "two"]
    assert not any("password_hash" in row for row in rows)
    again = rolecall.cli("user", "export", str(tmp_path / "out.ndjson"), "--store", store, check=False)
    assert "cannot write" in again.stderr  # it replaces no file
    unknown = rolecall.cli("user", "export", str(tmp_path / "x"), "--store", "0" * 32, check=False)
    assert unknown.stderr.startswith(f"rolecall: there is no user store `{'0' * 32}`")
    assert not (tmp_path / "x").exists()
