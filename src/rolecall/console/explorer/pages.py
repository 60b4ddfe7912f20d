"""The pages of the API Explorer: the list of actions, and one action with its form, its request, answer and code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import uuid4

from msgspec.structs import replace

from rolecall.console import pages
from rolecall.console.actions import ActionName, ActionRefused, Actions
from rolecall.console.explorer.addresses import HOME, address_of
from rolecall.console.explorer.calls import DescribedCall
from rolecall.console.explorer.inputs import BadInput, Given, inputs_of, read, shown_again
from rolecall.console.explorer.samples import Facts, samples
from rolecall.console.explorer.snippets import snippets
from rolecall.console.explorer.wire import PLACEHOLDER_ID, PLACEHOLDER_KEY, signed_request
from rolecall.console.instances import VisibleInstances
from rolecall.console.sign_in import SECRET
from rolecall.console.visits import Page, Visit
from rolecall.contracts.model import Action, Contract
from rolecall.contracts.openstack.places import base_url
from rolecall.domain.policy.decisions import because
from rolecall.domain.policy.evaluation import Decision
from rolecall.domain.policy.requests import PolicyRequest
from rolecall.domain.reasons import Refused
from rolecall.server_kinds import DIALECTS
from rolecall.values import Caller, Reply, Request, Secret
from rolecall.web.forms import Fields

SECTION = "explorer"
_REGIONS = {"tencent": "ap-guangzhou", "aliyun": "cn-hangzhou"}
"""By dialect: the region that the input begins with."""

_SHOW_POLICY = ActionName("tencent", "cam", "GetPolicy")


class Decisions(Protocol):
    """`rolecall.domain.policy.decisions.Decisions`."""

    async def decide(self, caller: Caller, request: PolicyRequest) -> Decision: ...


@dataclass(frozen=True, slots=True)
class _Subject:
    """The action of a page."""

    name: ActionName
    contract: Contract
    action: Action
    route: tuple[str, str]

    @property
    def address(self) -> str:
        return address_of(self.name)

    @property
    def takes_region(self) -> bool:
        """Aliyun's services take RegionId of every action, as their SDKs send it."""
        if self.contract.region_is_ours or self.name.dialect == "openstack":
            return False
        is_parameter = any(field.name == "RegionId" for field in self.action.params)
        return (self.action.regions is not None or self.name.dialect == "aliyun") and not is_parameter

    @property
    def can_be_sent(self) -> bool:
        """A session is not exchanged for a token."""
        return self.action.name != "IssueToken"


@dataclass(frozen=True, slots=True)
class _Checked:
    """The result of a check: the refusal of the contract, or whether policies permit it, and what decides."""

    refused: ActionRefused | None
    allowed: bool = False
    because: str = ""
    request: PolicyRequest | None = None


class ExplorerPages:
    def __init__(
        self,
        actions: Actions,
        visible: VisibleInstances,
        routes: Mapping[tuple[str, str, str], tuple[str, str]],
        decisions: Decisions,
    ) -> None:
        """`routes`: method and path template of the actions of REST APIs."""
        self._actions = actions
        self._visible = visible
        self._routes = routes
        self._decisions = decisions
        self.pages = (
            Page(HOME, self._list),
            Page(f"{HOME}/{{dialect}}/{{service}}/{{version}}/{{action}}", self._show, self._submit),
        )

    async def _list(self, visit: Visit) -> Reply:
        wanted = visit.query["search"].strip().lower()
        dialect = visit.query["dialect"]
        found = []
        for service in self._actions.services.values():
            contract = service.contract
            if dialect in ("", contract.dialect):
                actions = [each for each in self._reached(contract) if _matches(contract, each, wanted)]
                found += [(contract, actions)] if actions else []
        return pages.page(
            visit,
            "explorer.html",
            section=SECTION,
            found=found,
            number=sum(len(actions) for _, actions in found),
            query=visit.query,
            dialects=DIALECTS,
            address_of=lambda contract, action: address_of(
                ActionName(contract.dialect, contract.service, action.name, contract.version)
            ),
        )

    def _subject(self, visit: Visit) -> _Subject | None:
        path = visit.path
        service = self._actions.services.get((path["dialect"], path["service"], path["version"]))
        if service is None:
            return None
        for action in self._reached(service.contract):
            if action.name == path["action"]:
                name = ActionName(path["dialect"], path["service"], action.name, path["version"])
                return _Subject(name, service.contract, action, self._route(service.contract, action))
        return None

    def _route(self, contract: Contract, action: Action) -> tuple[str, str]:
        """Empty for an action of a REST API that no path leads to."""
        default = ("", "") if contract.dialect == "openstack" else ("POST", "/")
        return self._routes.get((contract.service, contract.version, action.name), default)

    def _reached(self, contract: Contract) -> list[Action]:
        return [action for action in contract.actions.values() if self._route(contract, action)[0]]

    async def _show(self, visit: Visit) -> Reply:
        """With the parameters of the query, or samples."""
        subject = self._subject(visit)
        if subject is None:
            return pages.error(visit.request, 404, "not_found")
        facts = await self._facts(visit, subject)
        asked = {name: value for name, value in visit.query if value and not name.startswith(SECRET)}
        typed = Fields([*_as_typed(subject, samples(subject.action, facts) | asked).items()])
        region = visit.query["region"] or _REGIONS.get(subject.name.dialect, "")
        try:
            given = read(subject.action, typed)
        except BadInput as error:
            return self._page(
                visit, subject, Given({}, {}, shown_again(subject.action, typed)), region, bad=error
            )
        return self._page(visit, subject, given, region)

    async def _submit(self, visit: Visit) -> Reply:
        subject = self._subject(visit)
        if subject is None:
            return pages.error(visit.request, 404, "not_found")
        region = visit.posted["region"].strip()
        try:
            given = read(subject.action, visit.posted)
        except BadInput as error:
            kept = Given({}, {}, shown_again(subject.action, visit.posted))
            return self._page(visit, subject, kept, region, bad=error)
        if visit.posted["do"] != "send":
            return self._page(
                visit, subject, given, region, checked=await self._check(visit, subject, given, region)
            )
        if not subject.can_be_sent:
            return self._page(visit, subject, given, region, message="explorer_not_sent")
        if subject.action.changes and not visit.posted["confirm"]:
            return self._page(visit, subject, given, region, message="explorer_unconfirmed")
        request = self._as_request(visit, subject, given)
        answer = await self._actions.send(visit, subject.name, given.sent, region, request)
        return self._page(visit, subject, given, region, answer=answer)

    async def _check(self, visit: Visit, subject: _Subject, given: Given, region: str) -> _Checked:
        try:
            request = self._actions.policy_request(visit, subject.name, given.sent, region)
        except ActionRefused as refused:
            return _Checked(refused)
        if request is None:
            return _Checked(None, True, visit.text("explorer_free"))
        try:
            decision = await self._decisions.decide(visit.visitor.caller, request)
        except Refused as refusal:
            return _Checked(None, False, refusal.note, request)
        shows = await self._actions.permits(visit, _SHOW_POLICY)
        return _Checked(None, decision.allowed, because(decision) if shows else "", request)

    async def _facts(self, visit: Visit, subject: _Subject) -> Facts:
        caller = visit.visitor.caller
        faces = [
            instance.faces.get(subject.name.dialect, "") for instance in await self._visible.registered(visit)
        ]
        return Facts(next(filter(None, faces), ""), caller.owner_number, caller.principal)

    def _described(self, visit: Visit, subject: _Subject, given: Given, region: str) -> DescribedCall:
        name = subject.name
        return DescribedCall(
            name.dialect,
            name.service,
            name.version,
            name.action,
            region if subject.takes_region else "",
            given.params,
            base_url(visit.request),
            str(visit.visitor.caller.owner_number),
            subject.route,
            subject.action.public,
        )

    def _as_request(self, visit: Visit, subject: _Subject, given: Given) -> Request:
        """What the dialect looks at to answer: it is asked for JSON."""
        path, query, method = "/", "Format=JSON", "POST"
        if subject.name.dialect == "openstack":
            rest = self._described(visit, subject, given, "").rest
            path, _, query = "".join(map(str, rest.path)).partition("?")
            method = rest.method
        headers = (("host", visit.request.header("host")), ("accept", "application/json"))
        return replace(visit.request, method=method, path=path, query=query, headers=headers, body=b"")

    def _page(
        self,
        visit: Visit,
        subject: _Subject,
        given: Given,
        region: str,
        *,
        bad: BadInput | None = None,
        checked: _Checked | None = None,
        answer: Reply | None = None,
        message: str = "",
    ) -> Reply:
        call = self._described(visit, subject, given, region)
        key_id = visit.posted["sign_id"].strip() or PLACEHOLDER_ID
        key = visit.posted[f"{SECRET}sign_key"]
        signed = signed_request(
            call, key_id, Secret(key or PLACEHOLDER_KEY), visit.request.received, uuid4().hex
        )
        refused = None if checked is None else checked.refused
        fault = refused.message if refused is not None else ""
        if bad is not None:
            fault = visit.text("explorer_not_json", where=bad.where)
        at_fault = bad.param if bad is not None else _top(refused.field) if refused is not None else ""
        return pages.page(
            visit,
            "explorer_action.html",
            section=SECTION,
            status=200 if bad is None and not message and refused is None else 422,
            message=visit.text(message) if message else "",
            subject=subject,
            inputs=inputs_of(subject.action),
            shown=given.shown,
            region=region,
            at_fault=at_fault,
            fault=fault,
            checked=checked,
            answer=answer,
            answer_text="" if answer is None else answer.body.decode("utf-8", "replace"),
            signed=signed,
            placeholder_key=not key,
            key_id=key_id if key_id != PLACEHOLDER_ID else "",
            holes=call.holes,
            snippets=snippets(call) if bad is None else [],
        )


def _matches(contract: Contract, action: Action, wanted: str) -> bool:
    """Every word occurs in the name of the service or of the action."""
    text = f"{contract.dialect} {contract.service} {action.name}".lower()
    return all(word in text for word in wanted.split())


def _as_typed(subject: _Subject, values: Mapping[str, str]) -> dict[str, str]:
    """Values by parameter as a form would send them."""
    names = {each.param: each.name for each in inputs_of(subject.action)}
    return {names[param]: value for param, value in values.items() if param in names}


def _top(field: str) -> str:
    return field.partition(".")[0]
