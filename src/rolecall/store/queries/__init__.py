"""Statements by name: each file here is a subject, and ``-- name: accept`` begins a statement or a part of one.

``{accept}`` stands for that part of the same file, ``{operations.accept}`` for that of another file, ``{user_created}``
for a constant of the domain, ``{reasons.GROUP_FULL}`` for a reason as a literal. Lines that are only a comment are not
sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources

from rolecall.domain.directories import views
from rolecall.domain.operations.model import LOOKED_FOR_SECONDS
from rolecall.domain.reasons import Reason
from rolecall.exchanges.traced import Named

_CONSTANTS = {
    "interrupted": Reason.INTERRUPTED.value,
    "looked_for_seconds": f"{LOOKED_FOR_SECONDS:.0f}",
    "user_created": views.USER_CREATED,
    "user_changed": views.USER_CHANGED,
    "user_deleted": views.USER_DELETED,
    "user_signed_in": views.USER_SIGNED_IN,
    "users_linked": views.USERS_LINKED,
}


def load(subject: str) -> Mapping[str, Named]:
    """The statements of ``<subject>.sql``. KeyError if a part or a reason that is named there is missing."""
    return {
        name: Named(_filled(text, subject), f"{subject}.{name}") for name, text in _parts(subject).items()
    }


@cache
def _parts(subject: str) -> Mapping[str, str]:
    text = (resources.files(__name__) / f"{subject}.sql").read_text("utf-8")
    _, *parts = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)
    bare = (re.sub(r"^ *--.*\n", "", part, flags=re.MULTILINE).strip() for part in parts[1::2])
    return dict(zip(parts[::2], bare, strict=True))


def _filled(text: str, subject: str) -> str:
    def part(match: re.Match[str]) -> str:
        file, name = match[1] or subject, match[2]
        if file == "reasons":
            return f"'{Reason[name].value}'"
        return _CONSTANTS.get(name) or _filled(_parts(file)[name], file)

    return re.sub(r"\{(?:(\w+)\.)?(\w+)\}", part, text)
