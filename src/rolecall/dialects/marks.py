"""Search in the raw text of a query or form, before it is decoded: linear, without regular expressions over it.

Names and values are compared as they were sent: a client that escapes the letters of a name is not recognized by it.
"""

from __future__ import annotations

import re


def has_pair(text: bytes, start: bytes) -> bool:
    """Whether a pair of the text starts like that, such as ``b"SecretId="``."""
    return text.startswith(start) or b"&" + start in text


def match_pair(text: bytes, start: bytes, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
    """The pattern, matched at the first pair that starts like that."""
    if text.startswith(start):
        return pattern.match(text)
    place = text.find(b"&" + start)
    return None if place < 0 else pattern.match(text, place + 1)
