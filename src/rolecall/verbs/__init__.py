"""Verbs: a checked call becomes a neutral command, and the command's outcome the vendor's answer.

One module per service, each with a literal table `VERBS`. Verbs hold a vendor's quirks and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from rolecall.domain.messages import Command
from rolecall.values import Checked, Secret

Answer: TypeAlias = dict[str, object]
"""What stands in the vendor's envelope, without the request id: strings, numbers, booleans, lists and dicts."""

Decipher: TypeAlias = Callable[[Secret], Secret]
"""Base64 text of an RSA-OAEP ciphertext -> the plain text; raises `Refused` (PASSWORD_UNDECIPHERABLE)."""


@dataclass(frozen=True, slots=True)
class Verb:
    """`command` may refuse what no rule of a single field can say; `answer` takes the command's outcome."""

    command: Callable[[Checked, Decipher], Command]
    answer: Callable[[Checked, Any], Answer]


@dataclass(frozen=True, slots=True)
class StaticVerb:
    """An action that is answered from tables alone; the domain is not asked."""

    static: Callable[[Checked], Answer]


Verbs: TypeAlias = Mapping[str, Verb | StaticVerb]
