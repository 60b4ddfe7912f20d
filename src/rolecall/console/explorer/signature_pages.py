"""The page that explains a wrong signature. What is pasted may hold secrets, and does not return into the page."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from rolecall.console import pages
from rolecall.console.actions import Actions
from rolecall.console.explorer.signature import (
    Explanation,
    Finding,
    NotARequest,
    explain,
    key_named,
    read_request,
)
from rolecall.console.paths import PREFIX
from rolecall.console.sign_in import SECRET
from rolecall.console.visits import Page, Visit
from rolecall.contracts.model import Kind
from rolecall.domain.access.keys import AccessKey
from rolecall.values import Caller, Reply, Secret

_AT = f"{PREFIX}/explorer/signature"


class AccessKeys(Protocol):
    """`rolecall.domain.access.keys.Keys`."""

    async def find(self, key_id: str) -> AccessKey | None: ...
    def secret_of(self, key: AccessKey) -> Secret: ...


class SignaturePages:
    def __init__(self, actions: Actions, keys: AccessKeys) -> None:
        self._keys = keys
        self._secret_names = frozenset(
            field.name
            for service in actions.services.values()
            for action in service.contract.actions.values()
            for field in action.params
            if field.type is Kind.SECRET
        )
        self.pages = (Page(_AT, self._show, self._explain),)

    async def _show(self, visit: Visit) -> Reply:
        return _page(visit, None)

    async def _explain(self, visit: Visit) -> Reply:
        try:
            pasted = read_request(visit.posted[f"{SECRET}request"])
        except NotARequest:
            return _page(visit, None, "signature_unreadable")
        key, finding = await self._key(visit.visitor.caller, key_named(pasted))
        explained = explain(
            pasted,
            key,
            visit.request.received,
            own=visit.posted[f"{SECRET}own"],
            here=visit.request.header("host"),
            secret_names=self._secret_names,
        )
        if not explained.steps:  # the form of the request is wrong, whatever its key
            return _page(visit, explained)
        return _page(visit, replace(explained, findings=(finding, *explained.findings)))

    async def _key(self, caller: Caller, key_id: str) -> tuple[Secret | None, Finding]:
        """The secret of one of the visitor's own keys; an owner's are those of its sub-users, too."""
        key = await self._keys.find(key_id) if key_id else None
        if (
            key is None
            or key.owner.id != caller.owner_id
            or not (caller.is_owner or key.principal == caller.principal)
        ):
            return None, Finding("why_key", facts={"id": key_id})
        if not key.active:
            return self._keys.secret_of(key), Finding("why_disabled", facts={"id": key_id})
        return self._keys.secret_of(key), Finding("ok_key", good=True, facts={"id": key_id})


def _page(visit: Visit, explained: Explanation | None, message: str = "") -> Reply:
    def said(finding: Finding) -> str:
        facts = dict(finding.facts)
        if "part" in facts:
            facts["part"] = visit.text(str(facts["part"]))
        return visit.text(finding.key, **facts)

    return pages.page(
        visit,
        "signature.html",
        section="explorer",
        status=422 if message else 200,
        message=visit.text(message) if message else "",
        explained=explained,
        said=said,
        address=_AT,
    )
