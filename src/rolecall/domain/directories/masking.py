"""What is shown of a phone number, a mail address or an identity card to whom the whole is not shown."""

from __future__ import annotations

import re

MASK = "****"

_COUNTRY = re.compile(r"\+[0-9]{1,4}[- ]", re.ASCII)


def masked_phone(phone: str) -> str:
    """``13812345678`` is ``138****5678``; a country's code and what stands behind it are kept."""
    found = _COUNTRY.match(phone)
    country = found[0] if found else ""
    return country + _middle(phone[len(country) :], 3, 4)


def masked_mail(mail: str) -> str:
    """``13812345678@x.com`` is ``138****@x.com``; of a short name only the first character is shown."""
    name, at, domain = mail.rpartition("@")
    if MASK in name:
        return mail
    return (name[:3] if len(name) > 3 else name[:1]) + MASK + at + domain


def masked_card(number: str) -> str:
    return _middle(number, 3, 4)


def _middle(text: str, head: int, tail: int) -> str:
    """Head and tail, if at least as much is hidden between them; what is masked already stays as it is."""
    if MASK in text:
        return text
    if len(text) < head + tail + len(MASK) - 1:
        head, tail = 1, 1
    return text[:head] + MASK + text[len(text) - tail :]
