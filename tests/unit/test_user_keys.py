"""Keys of users in addresses of the console."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from rolecall.console.directories.reading import key_of, key_text
from rolecall.domain.directories.queries import UserKey

ID = UUID("0123456789abcdef0123456789abcdef")


def test_a_key_is_read_as_it_was_written() -> None:
    for at in (datetime(2026, 1, 2, 3, 4, 5, 678901, UTC), datetime(1970, 1, 1, tzinfo=UTC)):
        key = UserKey(at, ID)
        assert key_of(key_text(key)) == key
    assert key_text(None) == ""


def test_any_other_text_begins_at_the_first_page() -> None:
    for text in (
        "",
        "1",
        f"{'9' * 18}-{ID.hex}",
        f"1-{ID}",
        f"1-{ID.hex}0",
        "\0",
        "x' or ''='",
    ):
        assert key_of(text) is None


def test_a_user_from_before_1970_has_a_key_and_no_text_overflows() -> None:
    for created_at in (datetime(1, 1, 1, tzinfo=UTC), datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC)):
        key = UserKey(created_at, ID)
        assert key_of(key_text(key)) == key
    for text in (f"-{'9' * 17}-{'0' * 32}", f"--1-{'0' * 32}", f"{'9' * 18}-{'0' * 32}"):
        assert key_of(text) is None
