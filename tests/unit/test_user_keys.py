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
        f"-1-{ID.hex}",
        f"{'9' * 18}-{ID.hex}",
        f"1-{ID}",
        f"1-{ID.hex}0",
        "\0",
        "x' or ''='",
    ):
        assert key_of(text) is None
