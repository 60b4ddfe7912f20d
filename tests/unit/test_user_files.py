"""Files of users, read a row at a time: lines, places to begin again, and what cannot be read."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.contracts.tencent.ciam.rules import PROFILE_KEYS
from rolecall.domain.directories.files import FileRefused, UserFile
from rolecall.domain.directories.formats import FileFormat, format_of
from rolecall.domain.directories.importing import FileRow


def opened(content: bytes, kind: FileFormat = FileFormat.CSV) -> UserFile:
    file = UserFile(io.BytesIO(content), kind, PROFILE_KEYS)
    file.open_header()
    return file


def rows(content: bytes, kind: FileFormat = FileFormat.CSV) -> list[FileRow]:
    return list(opened(content, kind).rows(0, 0))


def values(content: bytes, kind: FileFormat = FileFormat.CSV) -> list[Any]:
    """(line, values or trouble)."""
    return [(row.line, row.error or dict(row.values)) for row in rows(content, kind)]


def test_csv_with_quotes_line_breaks_and_a_byte_order_mark() -> None:
    content = '\ufeffuser_name,address\r\nada,"1, ""Main"" St\r\nLondon"\r\n\r\nbob,\r\n"eve",x'.encode()
    assert values(content) == [
        (2, {"user_name": "ada", "address": '1, "Main" St\r\nLondon'}),
        (5, {"user_name": "bob", "address": ""}),
        (6, {"user_name": "eve", "address": "x"}),
    ]


def test_a_bad_line_is_a_row_with_its_trouble_and_takes_no_other_with_it() -> None:
    content = (
        b"user_name,nickname\n"
        b"a,1\n"
        b"b,2,3\n"
        b"c\n"
        b'd,"never closed\n'
        b"e,5\n"
        b"\xff\xfe,6\n"
        b"f,7\n"
        b'g,"x"y\n'
        b"h,8\rz\n" + b"i," + b"9" * (1 << 20) + b"\n"
        b"j,10\n"
    )
    found = values(content)
    assert [entry for entry in found if isinstance(entry[1], dict)] == [
        (2, {"user_name": "a", "nickname": "1"}),
        (6, {"user_name": "e", "nickname": "5"}),
        (8, {"user_name": "f", "nickname": "7"}),
        (12, {"user_name": "j", "nickname": "10"}),
    ]
    assert [entry for entry in found if isinstance(entry[1], str)] == [
        (3, "the row has 3 fields, not 2"),
        (4, "the row has 1 fields, not 2"),
        (5, "a quote is not closed"),
        (7, "the line is not UTF-8"),
        (9, "the line is not CSV"),
        (10, "the line is not CSV"),
        (11, "the line is too long"),
    ]


def test_ndjson_is_an_object_a_line() -> None:
    content = b'{"user_name": "a", "groups": ["x"]}\n\n[1]\n{"user_name": \n{"a": "\xff"}\n{"user_name": "b"}'
    assert values(content, FileFormat.NDJSON) == [
        (1, {"user_name": "a", "groups": ["x"]}),
        (3, "the line is not a JSON object"),
        (4, "the line is not a JSON object"),
        (5, "the line is not a JSON object"),
        (6, {"user_name": "b"}),
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"user_name,username\n", "username"),
        (b"user_name,email,email\n", "twice"),
        (b"\xff\xfe\n", "not CSV"),
        (b'"user_name\n', "not CSV"),
    ],
)
def test_a_file_whose_columns_are_not_known_is_not_begun(content: bytes, says: str) -> None:
    with pytest.raises(FileRefused, match=says):
        opened(content)


def test_what_a_file_is_shows_in_its_name() -> None:
    assert format_of("users.CSV") is FileFormat.CSV
    assert {format_of(name) for name in ("users.ndjson", "users.jsonl")} == {FileFormat.NDJSON}
    assert format_of("users.txt") is None


def test_a_file_that_is_written_to_while_it_is_read_ends_the_import(tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    path.write_bytes(b"user_name\na\nb\n")
    with path.open("rb") as file:
        users = UserFile(file, FileFormat.CSV, PROFILE_KEYS)
        users.open_header()
        reading = users.rows(0, 0)
        assert next(reading).values == {"user_name": "a"}
        with path.open("ab") as more:
            more.write(b"c\n")
        with pytest.raises(FileRefused, match="changed"):
            list(reading)


def test_the_digest_is_of_every_byte() -> None:
    told: list[int] = []
    file, other = opened(b"user_name\na\n"), opened(b"user_name\nb\n")
    assert len(file.digest(told.append)) == 32
    assert file.digest(told.append) != other.digest(told.append)
    assert sum(told) == 3 * file.size


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@given(st.lists(st.tuples(texts, texts), max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_what_a_csv_writer_wrote_is_read_and_reading_may_begin_again_anywhere(
    table: list[tuple[str, str]], ending: str
) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator=ending, quoting=csv.QUOTE_ALL)
    writer.writerows([("user_name", "nickname"), *table])
    file = opened(buffer.getvalue().encode())
    found = list(file.rows(0, 0))
    assert [tuple(row.values.values()) for row in found] == table
    assert not any(row.error for row in found)
    for place, row in enumerate(found):
        assert list(file.rows(row.end, row.last)) == found[place + 1 :]


@given(st.binary(max_size=300))
def test_no_bytes_are_read_without_end_or_out_of_order(content: bytes) -> None:
    for kind, head in ((FileFormat.CSV, b"user_name,email\n"), (FileFormat.NDJSON, b"")):
        file = opened(head + content, kind)
        found = list(file.rows(0, 0))
        assert [row.line for row in found] == sorted({row.line for row in found})
        assert all(row.end <= file.size for row in found)
        for place, row in enumerate(found):
            assert list(file.rows(row.end, row.last)) == found[place + 1 :]


@given(st.lists(st.dictionaries(texts, texts | st.integers(-1000, 1000) | st.none(), max_size=3), max_size=6))
def test_what_json_wrote_is_read(objects: list[dict[str, Any]]) -> None:
    content = "\n".join(json.dumps(one) for one in objects).encode()
    assert [row.values for row in rows(content, FileFormat.NDJSON)] == objects


@pytest.mark.parametrize("value", [b"[" * 100_000, b"[" * 5_000 + b"]" * 5_000])
def test_a_line_that_is_nested_too_deep_is_refused_alone(value: bytes) -> None:
    lines = b'{"user_name":%s}\n{"user_name":"b"}\n' % value
    assert values(lines, FileFormat.NDJSON) == [(1, "the line is not a JSON object"), (2, {"user_name": "b"})]


def test_a_column_that_is_not_known_is_quoted_only_if_it_shows() -> None:
    for name, quoted in {"nick": True, "a\0b": False, "a\x1b[2Jb": False}.items():
        with pytest.raises(FileRefused) as refused:
            opened(f"user_name,{name}\n".encode())
        assert (name in str(refused.value)) is quoted


def test_a_long_header_is_looked_at_once() -> None:
    names = [f"custom.{number}" for number in range(50_000)]
    assert list(opened(",".join(names).encode()).header) == names
    with pytest.raises(FileRefused, match=r"`custom\.7` appears twice"):
        opened(",".join([*names, "custom.7"]).encode())
