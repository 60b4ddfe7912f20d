"""Changes that no vendor's action makes: the owner alone may, as by the command line, with the same audit records.

The steps are those of `rolecall.console.changes`: inputs, then what the change will do and a button to confirm it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

from rolecall.console import pages
from rolecall.console.actions import FRONT
from rolecall.console.changes import Input, Shown
from rolecall.console.visits import Page, Visit
from rolecall.domain.instances.examination import Finding
from rolecall.domain.operations.audit import Audit, Outcome, entry_of
from rolecall.domain.reasons import Refused
from rolecall.values import Origin, Reply
from rolecall.web.forms import Fields


class OwnersChangeRefused(Exception):
    """The text says why, in the visitor's language where there is one. `at` is the name of the input at fault."""

    def __init__(self, why: str, at: str = "", findings: Sequence[Finding] = ()) -> None:
        super().__init__(why)
        self.at = at
        self.findings = findings


@dataclass(frozen=True, slots=True)
class Changed:
    """What was changed, as the audit trail names it, and what of it is shown once. `at` is the page to go to,
    if that is not `OwnersChange.back`: it shows what has become of the change."""

    target: str
    shown: Sequence[Shown] = ()
    at: str = ""


Inputs = Callable[[Visit], Awaitable[Sequence[Input]]]


def always(*inputs: Input) -> Inputs:
    async def each(_visit: Visit) -> Sequence[Input]:
        return inputs

    return each


async def ask_nothing(_visit: Visit) -> Sequence[Input]:
    return ()


async def show_nothing(_visit: Visit) -> Mapping[str, object]:
    return {}


async def find_nothing(_visit: Visit) -> Sequence[Finding]:
    return ()


@dataclass(frozen=True, slots=True)
class OwnersChange:
    """`command` are the words of the same command of `rolecall`. `work` makes the change; `check` looks whether it can
    be made, and what was found on a server is shown before it is confirmed; both raise `OwnersChangeRefused`. `facts`
    fill the sentence of what it does, whose key is the title's with ``_effect``; None if there is nothing at the
    address. `effects` are more sentences. `secrets` are typed in both steps, since no page repeats them. `shows` are
    more values for `confirmation`, the template of the second step."""

    pattern: str
    section: str
    title: str
    command: str
    work: Callable[[Visit], Awaitable[Changed]]
    facts: Callable[[Visit], Awaitable[dict[str, str] | None]]
    back: Callable[[Visit], str]
    inputs: Inputs = ask_nothing
    check: Callable[[Visit], Awaitable[Sequence[Finding]]] = find_nothing
    detail: Callable[[Visit], dict[str, object]] = lambda _: {}
    danger: bool = False
    effects: Callable[[Visit], Sequence[str]] = lambda _: ()
    secrets: Sequence[Input] = ()
    confirmation: str = "confirm.html"
    shows: Callable[[Visit], Awaitable[Mapping[str, object]]] = show_nothing


class OwnersChanges:
    """The pages of such changes."""

    def __init__(self, audit: Audit, changes: Sequence[OwnersChange]) -> None:
        self._audit = audit
        self.pages = [self._page(change) for change in changes]

    def _page(self, change: OwnersChange) -> Page:
        async def show(visit: Visit) -> Reply:
            return await self._shown(visit, change, first=True)

        async def submit(visit: Visit) -> Reply:
            try:
                if await change.facts(visit) is None:
                    return pages.error(visit.request, 404, "not_found")
                findings = await change.check(visit)
                if not visit.posted["confirm"]:
                    return await self._shown(visit, change, findings=findings, first=False)
                return await self._carry_out(visit, change)
            except OwnersChangeRefused as refused:
                return await self._shown(visit, change, refused, refused.findings, first=True)

        return Page(change.pattern, for_owners(change.section, show), for_owners(change.section, submit))

    async def _carry_out(self, visit: Visit, change: OwnersChange) -> Reply:
        origin = Origin(
            visit.visitor.caller, FRONT, change.command, str(uuid4()), client=visit.request.client
        )
        entry = entry_of(origin, Outcome.BEGUN, "", detail=change.detail(visit))
        await self._audit.note(entry)
        try:
            changed = await change.work(visit)
        except BaseException as error:
            # The text of an error may quote what was typed.
            reason = error.reason.value if isinstance(error, Refused) else type(error).__name__
            await self._audit.note(replace(entry, outcome=Outcome.FAILED, reason=reason))
            raise
        await self._audit.note(replace(entry, outcome=Outcome.DONE, target=changed.target))
        back = change.back(visit)
        if not changed.shown:
            return pages.redirect(changed.at or f"{back}?done=1")
        return pages.page(
            visit,
            "result.html",
            section=change.section,
            title_key=change.title,
            shown=changed.shown,
            back=back,
        )

    async def _shown(
        self,
        visit: Visit,
        change: OwnersChange,
        refused: OwnersChangeRefused | None = None,
        findings: Sequence[Finding] = (),
        *,
        first: bool,
    ) -> Reply:
        try:
            return await self._step(visit, change, refused, findings, first=first)
        except OwnersChangeRefused:  # what the address names was removed while its page was made
            return pages.error(visit.request, 404, "not_found")

    async def _step(
        self,
        visit: Visit,
        change: OwnersChange,
        refused: OwnersChangeRefused | None = None,
        findings: Sequence[Finding] = (),
        *,
        first: bool,
    ) -> Reply:
        """A change without inputs has the second step only."""
        facts = await change.facts(visit)
        if facts is None:
            return pages.error(visit.request, 404, "not_found")
        given, inputs = visit.posted, await change.inputs(visit)
        first = first and bool(inputs)
        fault, at_fault = ("", "") if refused is None else (str(refused), refused.at)
        effect = visit.text(f"{change.title}_effect", **facts)
        return pages.page(
            visit,
            "form.html" if first else change.confirmation,
            section=change.section,
            status=422 if fault else 200,
            message="" if at_fault else fault,
            at_fault=at_fault,
            fault=fault,
            inputs=(*inputs, *change.secrets) if first else change.secrets,
            values={each.name: _value(each, given) for each in inputs},
            kept=[(each.name, given[each.name]) for each in inputs] + [("sent", "1")],
            effects=[] if first else [effect, *change.effects(visit)],
            findings=findings,
            title_key=change.title,
            danger=change.danger,
            back=change.back(visit),
            command=change.command,
            address=visit.request.path,
            **({} if first else await change.shows(visit)),
        )


def _value(each: Input, given: Fields) -> str:
    """What was typed. A form that is shown again is made from the present state."""
    return given[each.name] if given["sent"] and each.kind != "hidden" else each.value


def for_owners(
    section: str, answer: Callable[[Visit], Awaitable[Reply]]
) -> Callable[[Visit], Awaitable[Reply]]:
    async def answered(visit: Visit) -> Reply:
        if visit.visitor.caller.is_owner:
            return await answer(visit)
        message = visit.text("only_the_owner")
        return pages.page(visit, "error.html", section=section, status=403, message=message)

    return answered
