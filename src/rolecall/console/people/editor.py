"""The editor of policies, which checks a document while it is typed, and the page that explains decisions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol, TypeVar

from rolecall.console import pages
from rolecall.console.actions import ActionName, ActionRefused, Actions
from rolecall.console.people.addresses import EXPLAIN, HOME, POLICIES, POLICY, SECTION, TABS, cam, number
from rolecall.console.people.documents import indented
from rolecall.console.visits import Page, Visit
from rolecall.domain.bus import Expected
from rolecall.domain.iam.policy_commands import ChangePolicy, PolicyContent
from rolecall.domain.messages import Command
from rolecall.domain.policy.decisions import because
from rolecall.domain.policy.evaluation import Decision
from rolecall.domain.policy.language import parse_policy
from rolecall.domain.policy.requests import PolicyRequest, call_context
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Caller, Reply

_T = TypeVar("_T")

_STARTER = """{
  "version": "2.0",
  "statement": [
    {
      "effect": "allow",
      "action": ["postgres:Describe*"],
      "resource": ["*"]
    }
  ]
}"""


class Deciding(Protocol):
    """`rolecall.domain.policy.decisions.Decisions`."""

    async def decide(self, caller: Caller, request: PolicyRequest) -> Decision: ...


class PolicyEditor:
    def __init__(self, actions: Actions, decisions: Deciding) -> None:
        self._actions = actions
        self._decisions = decisions
        self.pages = (
            Page(f"{HOME}/new-policy", self._new, self._create),
            Page(f"{POLICY}/edit", self._edit, self._save),
            Page(f"{HOME}/check-policy", None, self._check),
            Page(EXPLAIN, self._explain),
        )

    async def _new(self, visit: Visit) -> Reply:
        if not await self._actions.permits(visit, cam("CreatePolicy")):
            return _may_not(visit, cam("CreatePolicy"))
        return self._form(visit, "", {"name": "", "description": "", "document": _STARTER})

    async def _create(self, visit: Visit) -> Reply:
        params = {
            "PolicyName": visit.posted["name"],
            "PolicyDocument": visit.posted["document"],
            "Description": visit.posted["description"],
        }
        try:
            answer = await self._actions.call(visit, cam("CreatePolicy"), params)
        except ActionRefused as refused:
            return self._form(visit, "", visit.posted, refused)
        return pages.redirect(f"{POLICIES}/{answer['PolicyId']}?done=1")

    async def _edit(self, visit: Visit) -> Reply:
        params = {"PolicyId": number(visit.path["policy"])}
        if not await self._actions.permits(visit, cam("UpdatePolicy"), params):
            return _may_not(visit, cam("UpdatePolicy"))
        known = await self._known(visit)
        if isinstance(known, ActionRefused):
            return pages.error(visit.request, 404, "not_found")
        return self._form(visit, _seal(known), {**known, "document": indented(known["document"])})

    async def _save(self, visit: Visit) -> Reply:
        """The second of two who change a policy is notified, and keeps what was typed."""
        known = await self._known(visit)
        if isinstance(known, ActionRefused):
            return self._form(visit, visit.posted["seal"], visit.posted, known)
        if _seal(known) != visit.posted["seal"]:
            return self._form(visit, _seal(known), visit.posted, meanwhile=indented(known["document"]))
        params = {
            "PolicyId": number(visit.path["policy"]),
            "PolicyDocument": visit.posted["document"],
            "Description": visit.posted["description"],
        }
        try:
            await self._actions.call(visit, cam("UpdatePolicy"), params, expected=_expecting(known))
        except ActionRefused as refused:
            now = await self._known(visit) if refused.reason is Reason.ENGINE_BUSY else refused
            if isinstance(now, ActionRefused) or _seal(now) == _seal(known):
                return self._form(visit, visit.posted["seal"], visit.posted, refused)
            return self._form(visit, _seal(now), visit.posted, meanwhile=indented(now["document"]))
        return pages.redirect(f"{POLICIES}/{number(visit.path['policy'])}?done=1")

    async def _known(self, visit: Visit) -> Mapping[str, str] | ActionRefused:
        answer = await self._actions.try_call(
            visit, cam("GetPolicy"), {"PolicyId": number(visit.path["policy"])}
        )
        if isinstance(answer, ActionRefused):
            return answer
        return {
            "name": str(answer["PolicyName"]),
            "description": str(answer["Description"]),
            "document": str(answer["PolicyDocument"]),
        }

    async def _check(self, visit: Visit) -> Reply:
        """What is wrong with a document; the script shows this part of the answer."""
        return pages.page(
            visit,
            "policy_check.html",
            section=SECTION,
            verdict=self._verdict(visit, visit.posted["document"]),
        )

    def _form(
        self,
        visit: Visit,
        seal: str,
        values: Mapping[str, str] | object,
        refused: ActionRefused | None = None,
        meanwhile: str = "",
    ) -> Reply:
        typed = {name: values[name] for name in ("name", "description", "document")}  # type: ignore[index]
        message = "" if refused is None else f"{refused.message} ({refused.code})"
        return pages.page(
            visit,
            "policy_editor.html",
            section=SECTION,
            status=200 if refused is None and not meanwhile else 409 if meanwhile else 422,
            message=visit.text("policy_meanwhile") if meanwhile else message,
            meanwhile=meanwhile,
            seal=seal,
            is_new="policy" not in visit.path,
            typed=typed,
            verdict=self._verdict(visit, str(typed["document"])),
            address=visit.request.path,
            back=POLICIES if "policy" not in visit.path else f"{POLICIES}/{number(visit.path['policy'])}",
        )

    def _verdict(self, visit: Visit, document: str) -> tuple[bool, str]:
        """Whether a document can be saved, and what to say of it."""
        try:
            parsed = parse_policy(document)
        except Refused as refusal:
            worded = self._actions.worded(visit, cam("CreatePolicy"), refusal)
            return False, visit.text("policy_wrong", why=worded.message or worded.code)
        return True, visit.text("policy_right", number=len(parsed.statements))

    async def _explain(self, visit: Visit) -> Reply:
        """Who, action, resource: the answer and the statement that decides. For the owner, and for oneself."""
        query, caller = visit.query, visit.visitor.caller
        answer: Mapping[str, object] | None = None
        message = ""
        if query["operation"]:
            try:
                answer = await self._explained(visit)
            except ActionRefused as refused:
                message = refused.message
            except Refused as refusal:
                message = refusal.note or refusal.reason.value
        return pages.page(
            visit,
            "explain.html",
            section=SECTION,
            tab="explain",
            tabs=TABS,
            message=message,
            query=query,
            answer=answer,
            whole=caller.is_owner,
        )

    async def _explained(self, visit: Visit) -> Mapping[str, object]:
        query, caller = visit.query, visit.visitor.caller
        who = visit.visitor.name
        if query["user"] and caller.is_owner:
            who = query["user"].strip()
            found = await self._actions.call(visit, cam("GetUser"), {"Name": who})
            caller = Caller(caller.owner_id, caller.owner_number, caller.app_id, _int(found["Uin"]), "")
        request = visit.request
        client, secure = query["ip"].strip() or request.client, request.secure
        context = call_context(caller, now=request.received, client=client, secure=secure, region=None)
        resource = query["resource"].strip() or "*"
        wanted = PolicyRequest(query["operation"].strip(), (resource,), context)
        decision = await self._decisions.decide(caller, wanted)
        return {
            "who": who,
            "operation": wanted.operation,
            "resource": resource,
            "allowed": decision.allowed,
            "because": because(decision),
            "policy": decision.policy,
            "statement": decision.statement,
        }


def _may_not(visit: Visit, action: ActionName) -> Reply:
    message = visit.text("not_permitted_action", action=action)
    return pages.page(visit, "error.html", section=SECTION, status=403, message=message)


def _expecting(known: Mapping[str, str]) -> Expected:
    """For a change of the policy that was compared, and of no later one."""
    content = PolicyContent(known["document"], known["description"])

    def expecting(command: Command[_T], /) -> Command[_T]:
        if not isinstance(command, ChangePolicy):
            return command
        return replace(command, expected=content)  # type: ignore[return-value]

    return expecting


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0


def _seal(known: Mapping[str, str]) -> str:
    """A digest of a policy as it was when it was shown."""
    text = "\0".join(known[name] for name in sorted(known))
    return hashlib.sha256(text.encode()).hexdigest()
