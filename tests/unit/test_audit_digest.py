"""The digest of a record: of the bytes that its description says, whatever a text holds."""

from __future__ import annotations

import hmac
import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from rolecall.domain.operations.audit import Row, digest
from rolecall.values import Secret

AT = datetime(2026, 11, 28, 1, 2, 3, 4, UTC)
OPERATION = UUID(int=7)


@pytest.mark.parametrize(
    "text", ["plain", 'a "quote" \\ /', "\b\t\n\f\r\0\x1f", "\x7f", "\x80", "é", "中", "😀", "\ud800"]
)
def test_the_digest_is_of_a_json_array_in_ascii(text: str) -> None:
    row = Row(1, AT, 2, None, "AKID", "d", "A", text, "recorded", "", "r", text, OPERATION, '{"a": "é"}')
    columns = [
        1, "2026-11-28T01:02:03.000004+00:00", 2, None, "AKID", "d", "A", text, "recorded", "", "r", text,
        str(OPERATION), '{"a": "é"}',
    ]  # fmt: skip
    written = json.dumps(columns, separators=(",", ":"), ensure_ascii=True)
    assert digest(Secret("k"), b"before", row) == hmac.digest(
        b"k", b"before" + written.encode("ascii"), "sha256"
    )


def test_the_digest_of_a_plain_record_is_of_the_same_array() -> None:
    row = Row(1, AT, None, 3, "", "d", "A", "t", "recorded", "", "r", "::1", None, "{}")
    written = '[1,"2026-11-28T01:02:03.000004+00:00",null,3,"","d","A","t","recorded","","r","::1",null,"{}"]'
    assert digest(Secret("k"), b"", row) == hmac.digest(b"k", written.encode(), "sha256")
