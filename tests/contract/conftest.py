"""Calls that need no socket and no signature, for contracts and verbs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from rolecall.contracts.check import check
from rolecall.contracts.model import Action
from rolecall.contracts.tencent.postgres.contract import CONTRACT
from rolecall.values import Call, Caller, Checked, Envelope, Language, Request, Secret, SentParams

CALLER = Caller(
    owner_id=1, owner_number=100000000001, app_id=1250000001, principal=100000000001, access_key_id="AKID"
)


@dataclass(frozen=True)
class NoClaim:
    access_key_id: str = "AKID"
    token: Secret | None = None

    def prove(self, key: Secret, now: float) -> None:
        """Nothing to prove here."""


def make_call(
    action: str,
    params: Mapping[str, object],
    *,
    region: str = "ap-guangzhou",
    flat: bool = False,
    language: Language = Language.ENGLISH,
) -> Call:
    request = Request("POST", "/", "", (), b"", "127.0.0.1", False, 0.0)
    envelope = Envelope(request, "5d19322f-50fe-4084-a5d3-b0bc680fd3a1", language)
    return Call(
        envelope=envelope,
        dialect="tencent",
        service="postgres",
        version="2017-03-12",
        action=action,
        region=region,
        params=SentParams.parsed(params),
        flat=flat,
        claim=NoClaim(),
    )


Checker = Callable[..., Checked]


@pytest.fixture(scope="session")
def checked() -> Checker:
    """check() of an action of the real contract, or of one given as `declared`."""

    def run(
        name: str, params: Mapping[str, object], declared: Action | None = None, **how: object
    ) -> Checked:
        action = declared if declared is not None else CONTRACT.actions[name]
        return check(make_call(name, params, **how), CALLER, action)  # type: ignore[arg-type]

    return run
