"""Names and texts in the statements for PostgreSQL are quoted as the driver quotes them."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from rolecall.engines.postgresql.statements import _name, _text, marker

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


@given(TEXTS)
def test_any_text_is_quoted_as_by_the_driver(text: str) -> None:
    assert _text(text) == sql.Literal(text).as_string()
    assert _name(text) == sql.Identifier(text).as_string()


@pytest.mark.parametrize(
    "text", ["a", "a-B_9$", '"a"', "a'b", "a\\b", 'a"b', "a b", "中", "1", marker(UUID(int=7))]
)
def test_these_are_quoted_as_by_the_driver(text: str) -> None:
    assert _text(text) == sql.Literal(text).as_string()
    assert _name(text) == sql.Identifier(text).as_string()
