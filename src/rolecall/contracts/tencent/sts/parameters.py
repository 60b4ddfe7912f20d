"""The parameters of `sts` 2018-08-13, a class for each action.

Names, types and requiredness are those of tencentcloud-sdk-python-sts 3.0.1459 (``models.py``) and tccli 3.1.189
(``api.json``); a test compares them.
"""

from __future__ import annotations

from typing import Annotated

from rolecall.contracts.model import Kind, Rule, between, matches
from rolecall.contracts.parameters import Most, Params
from rolecall.domain.reasons import Reason

SDK = "tencentcloud-sdk-python-sts 3.0.1459, models.py"


def _form(pattern: str) -> tuple[Rule, ...]:
    return (matches(pattern, Reason.PARAMETER_VALUE, SDK),)


_NUMBER = (between(1, 2**63 - 1, Reason.PARAMETER_VALUE, SDK),)
# Numbers as they are written here: policies are asked about the text, so no number may have a second spelling.
_ARN = _form(r"qcs::cam::uin/[1-9][0-9]{0,19}:(role/[1-9][0-9]{0,18}|roleName/[A-Za-z0-9+=,.@_-]{1,128})")
_NOTHING = (
    Rule(
        lambda value: value in ("", []), Reason.PARAMETER_VALUE, "ours: empty, because nothing here checks it"
    ),
)


class Tag(Params):
    Key: str
    Value: str


class AssumeRole(Params):
    RoleArn: Annotated[str, _ARN]
    RoleSessionName: Annotated[str, _form(r"[A-Za-z0-9_+=,.@-]{2,128}")]
    DurationSeconds: Annotated[int, _NUMBER] | None = None
    Policy: Annotated[str, Kind.DOCUMENT] | None = None
    ExternalId: Annotated[str, _form(r"[A-Za-z0-9_+=,.@:/-]{2,128}")] | None = None
    Tags: Annotated[list[Tag], Most(0)] | None = None
    SourceIdentity: Annotated[str, _form(r"[0-9]{0,20}")] | None = None
    SerialNumber: Annotated[str, _NOTHING] | None = None
    TokenCode: Annotated[str, _NOTHING] | None = None


class GetFederationToken(Params):
    Name: Annotated[str, _form(r"[A-Za-z0-9_+=,.@-]{1,128}")]
    Policy: Annotated[str, Kind.DOCUMENT]
    DurationSeconds: Annotated[int, _NUMBER] | None = None


class GetCallerIdentity(Params):
    pass


class QueryApiKey(Params):
    TargetUin: Annotated[int, _NUMBER] | None = None
