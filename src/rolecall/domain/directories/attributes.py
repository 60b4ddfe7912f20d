"""What names, phone numbers and mail addresses of users look like.

Names may be of any script and hold emoji. Characters that show nothing, or turn the direction of others, are refused:
with them two names look the same, or a name looks like another text.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST_NAME = 128
LONGEST_TEXT = 512
LONGEST_MAIL = 254

_JOINER = "\u200d"
# Letters and marks by their category, that nevertheless show nothing.
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_SPACES = frozenset(" \u3000")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
# What may stand between an emoji and the joiner after it: a presentation selector or a skin tone.
_EMOJI_TAIL = frozenset("\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")

_PHONE = re.compile(r"(\+[0-9]{1,4}[- ]?)?([0-9]{5,15}|[0-9]{2,6}\*{4}[0-9]{2,6})", re.ASCII)
_MAIL = re.compile(
    r"[^\s@\"(),:;<>\[\]\\.]+(\.[^\s@\"(),:;<>\[\]\\.]+)*"
    r"@[^\W_](([^\W_]|-){0,61}[^\W_])?(\.[^\W_](([^\W_]|-){0,61}[^\W_])?)+"
)


def is_visible(text: str) -> bool:
    """Whether every character shows, and shows where it stands. A joiner may only hold an emoji together."""
    return all(
        _shows(character) or (character == _JOINER and _joins(text, place))
        for place, character in enumerate(text)
    )


def is_user_name(text: str) -> bool:
    return 0 < len(text) <= LONGEST_NAME and text == text.strip() and is_visible(text)


def is_text(text: str) -> bool:
    """A nickname, an address, a group's or a store's name: visible, of bounded length, or empty."""
    return len(text) <= LONGEST_TEXT and is_visible(text)


def is_phone(text: str) -> bool:
    """``13800138000``, ``+86-13800138000``; four asterisks may stand for masked digits."""
    return _PHONE.fullmatch(text) is not None


def is_mail(text: str) -> bool:
    if len(text) > LONGEST_MAIL or _MAIL.fullmatch(text) is None:
        return False
    return len(text.partition("@")[0]) <= 64 and is_visible(text)


def _shows(character: str) -> bool:
    if character.isascii():
        return " " <= character <= "~"
    if character in _BLANKS:
        return False
    category = unicodedata.category(character)
    if category == "Zs":
        return character in _SPACES
    if category == "Cn":  # perhaps younger than this Python; but these are no characters for ever
        return ord(character) & 0xFFFE != 0xFFFE and not 0xFDD0 <= ord(character) <= 0xFDEF
    return category not in _HIDDEN


def _joins(text: str, place: int) -> bool:
    before = place - 1
    while before >= 0 and text[before] in _EMOJI_TAIL:
        before -= 1
    after = text[place + 1 : place + 2]
    return before >= 0 and after != "" and _is_symbol(text[before]) and _is_symbol(after)


def _is_symbol(character: str) -> bool:
    return unicodedata.category(character) in {"So", "Cn"}
