"""The actions of the APIs, called by a visitor: by the same contracts, policies, rates and audit as on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar
from uuid import uuid4

import msgspec
from msgspec.structs import replace

from rolecall.console.visits import Visit
from rolecall.contracts.model import Action, Contract
from rolecall.contracts.permission import policy_request
from rolecall.domain.access.authenticator import Proven
from rolecall.domain.bus import Bus, Expected
from rolecall.domain.messages import Command
from rolecall.domain.policy.requests import PolicyRequest
from rolecall.domain.reasons import Reason, Refused
from rolecall.pipeline import Dialect, Pipeline, Service
from rolecall.values import Call, Envelope, Origin, Reply, Request, Secret, SentParams, TokenIssuer

_T = TypeVar("_T")

FRONT = "console"
"""What the audit trail names as the dialect of what visitors do."""

_ANY_REGION = "ap-guangzhou"
"""For actions that require a region and whose resources are in none."""


@dataclass(frozen=True, slots=True)
class ActionName:
    """An action, by the vendor's spelling. `version` is empty for the newest that is served."""

    dialect: str
    service: str
    action: str
    version: str = ""

    def __str__(self) -> str:
        return f"{self.service}:{self.action}"


class ActionRefused(Exception):
    """A call was refused, as the dialect says it: `code`, `message`; `field` is the parameter at fault, or empty."""

    def __init__(self, code: str, message: str, refusal: Refused) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.field = refusal.field
        self.reason = refusal.reason


@dataclass(frozen=True, slots=True)
class _SessionClaim:
    """The visitor's session stands for the proof that a signature is on the wire."""

    access_key_id: str
    token: Secret | None = None

    def prove(self, _key: Secret, _now: float, /) -> TokenIssuer | None:
        raise Refused(Reason.KEY_UNKNOWN)


class Actions:
    def __init__(
        self,
        pipeline: Pipeline,
        bus: Bus,
        dialects: Mapping[str, Dialect],
        services: Mapping[tuple[str, str, str], Service],
    ) -> None:
        self._pipeline = pipeline
        self._bus = bus
        self._dialects = dialects
        self.services = services

    def contract(self, name: ActionName) -> Contract:
        """LookupError if it is not served."""
        versions = sorted(
            version
            for dialect, service, version in self.services
            if (dialect, service) == (name.dialect, name.service) and name.version in ("", version)
        )
        if not versions:
            raise LookupError(f"{name.dialect} {name.service} is not served")
        return self.services[name.dialect, name.service, versions[-1]].contract

    def action(self, name: ActionName) -> Action:
        """LookupError if it is not served."""
        return self.contract(name).actions[name.action]

    async def call(
        self,
        visit: Visit,
        name: ActionName,
        params: Mapping[str, object],
        region: str = "",
        expected: Expected | None = None,
    ) -> Mapping[str, object]:
        """The answer's fields. `params` as JSON has them; `expected` adds to the command. Raises `ActionRefused`."""
        call = self._call(visit, name, params, region)
        try:
            return await self._pipeline.perform(call, Proven(visit.visitor.caller), FRONT, expected)
        except Refused as refusal:
            raise self._refused(call, refusal) from None

    async def send(
        self, visit: Visit, name: ActionName, params: Mapping[str, object], region: str, request: Request
    ) -> Reply:
        """What the dialect answers, refusals included; `request` has the method, the path and the headers that the
        dialect looks at. It must not be one that asks for a token: a session cannot be exchanged for one."""
        call = self._call(visit, name, params, region, request)
        dialect = self._dialects[name.dialect]
        try:
            answer = await self._pipeline.perform(call, Proven(visit.visitor.caller), FRONT)
        except Refused as refusal:
            return dialect.refuse(call.envelope, refusal, call)
        return dialect.render(call, answer)

    def policy_request(
        self, visit: Visit, name: ActionName, params: Mapping[str, object], region: str
    ) -> PolicyRequest | None:
        """What policies are asked of a call whose parameters satisfy the contract; None if they are not asked. Raises
        `ActionRefused`."""
        call, action = self._call(visit, name, params, region), self.action(name)
        try:
            checked = self._pipeline.checked(call, visit.visitor.caller)
        except Refused as refusal:
            raise self._refused(call, refusal) from None
        if action.free or action.public:
            return None
        return policy_request(checked, self.contract(name), action)

    async def try_call(
        self, visit: Visit, name: ActionName, params: Mapping[str, object], region: str = ""
    ) -> Mapping[str, object] | ActionRefused:
        """The answer's fields, or the refusal: for pages that show a part although another is refused."""
        try:
            return await self.call(visit, name, params, region)
        except ActionRefused as refused:
            return refused

    async def permits(
        self, visit: Visit, name: ActionName, params: Mapping[str, object] | None = None, region: str = ""
    ) -> bool:
        """Whether the visitor may call it with these parameters; others stand for every value. Records nothing."""
        call = self._call(visit, name, params or {}, region)
        return await self._pipeline.permits(call, visit.visitor.caller)

    async def look(
        self,
        visit: Visit,
        name: ActionName,
        params: Mapping[str, object],
        command: Command[_T],
        region: str = "",
    ) -> _T:
        """The outcome of a command that reads, for a visitor who may call the action: it knows more than the vendor's
        answer says, and counts towards the action's rate. Raises `ActionRefused`."""
        call = self._call(visit, name, params, region)
        caller, request = visit.visitor.caller, visit.request
        try:
            await self._pipeline.admit(call, caller, FRONT)
            origin = Origin(
                caller, FRONT, name.action, call.request_id, call.region, request.client, request.secure
            )
            return await self._bus.execute(command, origin)
        except Refused as refusal:
            raise self._refused(call, refusal) from None

    def check(
        self, visit: Visit, name: ActionName, params: Mapping[str, object], region: str = ""
    ) -> ActionRefused | None:
        """What the contract says of these parameters; None if they satisfy it. Nothing is called."""
        call = self._call(visit, name, params, region)
        try:
            self._pipeline.checked(call, visit.visitor.caller)
        except Refused as refusal:
            return self._refused(call, refusal)
        return None

    def worded(self, visit: Visit, name: ActionName, refusal: Refused) -> ActionRefused:
        """A refusal of the domain as the action would say it."""
        return self._refused(self._call(visit, name, {}, ""), refusal)

    def _refused(self, call: Call, refusal: Refused) -> ActionRefused:
        reply = self._dialects[call.dialect].refuse(call.envelope, refusal, call)
        return ActionRefused(*_said(reply), refusal)

    def _call(
        self,
        visit: Visit,
        name: ActionName,
        params: Mapping[str, object],
        region: str,
        request: Request | None = None,
    ) -> Call:
        contract = self.contract(name)
        envelope = Envelope(request or _bare(visit.request), str(uuid4()), visit.language)
        known = SentParams.parsed({key: value for key, value in params.items() if value is not None})
        claim = _SessionClaim(visit.visitor.caller.access_key_id)
        region = region or _ANY_REGION
        return Call(
            envelope, name.dialect, name.service, contract.version, name.action, region, known, False, claim
        )


def _bare(request: Request) -> Request:
    """The visitor's request as one that asks for JSON, without anything else that a dialect would read from it."""
    return replace(
        request, path="/", query="Format=JSON", headers=(("accept", "application/json"),), body=b""
    )


def _said(reply: Reply) -> tuple[str, str]:
    """The code and the message of a dialect's refusal."""
    content = msgspec.json.decode(reply.body, type=dict[str, object])
    for inner in (content.get("Response"), content):
        if isinstance(inner, dict) and isinstance(error := inner.get("Error"), dict):
            return str(error.get("Code", "")), str(error.get("Message", ""))
    if "Code" in content:
        return str(content["Code"]), str(content.get("Message", ""))
    for code, fault in content.items():
        if isinstance(fault, dict):
            return code, str(fault.get("message", ""))
    return reply.code, ""
