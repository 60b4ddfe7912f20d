"""Records of changes that need no engine: sub-users, policies, directories.

Such a change and its record are one transaction of the store, so there is nothing to resolve after a crash. A method of
a repository that changes something takes the `Record` as its last argument and writes both or neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rolecall.domain.operations.model import Change
from rolecall.values import Origin


@dataclass(frozen=True, slots=True)
class Record:
    """One recorded change. `target` is how people name what is changed; `detail` holds no secret."""

    change: Change
    target: str
    origin: Origin
    detail: Mapping[str, object] = field(default_factory=dict)
