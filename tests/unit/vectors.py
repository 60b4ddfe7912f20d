"""Signature vectors: one directory per case, with the request and the text of each stage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

import pytest

from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Secret


class Claim(Protocol):
    def prove(self, key: Secret, now: float) -> object: ...


class Vectors:
    def __init__(self, scheme: str) -> None:
        self._directory = Path(__file__).parents[2] / "vectors" / scheme
        self.cases = sorted(path.parent.name for path in self._directory.glob("*/request.json"))

    def case(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self._directory / name / "request.json").read_text("utf-8"))
        return found

    def text(self, name: str, stage: str) -> str:
        return (self._directory / name / f"{stage}.txt").read_text("utf-8")


def refused(claim: Claim, key: Secret, now: float) -> Reason:
    with pytest.raises(Refused) as refusal:
        claim.prove(key, now)
    return refusal.value.reason
