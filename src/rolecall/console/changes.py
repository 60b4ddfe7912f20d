"""Changes by forms in two steps: inputs first; then what the change will do, its secrets, and a button to confirm it.

Secrets are asked for in the second step, so that no page repeats them. A refusal is shown beside the input at fault.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from rolecall.console import pages
from rolecall.console.actions import ActionName, ActionRefused, Actions
from rolecall.console.explorer.addresses import address_of
from rolecall.console.sign_in import SECRET
from rolecall.console.visits import Page, Visit
from rolecall.domain.reasons import Reason
from rolecall.values import Reply

Params = Mapping[str, object]
Secrets = Mapping[str, str]
_NONE: Secrets = MappingProxyType({})

_STAND_IN = "Stands_in_1"
"""For a required secret while the other inputs are checked: without it, its absence would be the only finding."""


@dataclass(frozen=True, slots=True)
class Input:
    """An input of a form. `label` and `hint` are keys of texts.

    `kind`: ``text``, ``area``, ``code``, ``select``, ``box``, ``secret``, ``file``, ``hidden`` for the state that the
    form was made from, or ``given`` for what the link to the page says: without other inputs, the first step is left
    out. `options` are a select's values, each with the key of its text; without a key the value itself is shown.
    `param` is the parameter of the action that the input becomes, whose refusals are shown beside it.
    """

    name: str
    label: str
    kind: str = "text"
    param: str = ""
    hint: str = ""
    required: bool = False
    options: Sequence[tuple[str, str]] = ()
    value: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A part of an answer that is shown once, such as a new key. `label` is the key of a text."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Change:
    """A change that one action makes.

    `params` makes the action's parameters of a visit and of the secrets that were typed, by the names of their inputs;
    `effects` are sentences, translated, of what it will do.
    `inputs` may depend on the visit. `back` is the page to return to; `result` is what of the answer is shown once.
    `known` reads what belongs to what the address names, which is added to the variables of the address: a link must
    not name one thing in its path and another in its query. It raises `ActionRefused`.
    """

    pattern: str
    section: str
    title: str
    action: ActionName
    params: Callable[[Visit, Secrets], Params]
    effects: Callable[[Visit], Sequence[str]]
    back: Callable[[Visit], str]
    inputs: Callable[[Visit], Sequence[Input]] = lambda _: ()
    secrets: Sequence[Input] = ()
    danger: bool = False
    region: Callable[[Visit], str] = lambda _: ""
    result: Callable[[Visit, Mapping[str, object]], Sequence[Shown]] | None = None
    known: Callable[[Actions, Visit], Awaitable[Mapping[str, str]]] | None = None


class ChangePages:
    """The pages of changes."""

    def __init__(self, actions: Actions, changes: Sequence[Change]) -> None:
        self._actions = actions
        self.pages = [self._page(change) for change in changes]

    def _page(self, change: Change) -> Page:
        async def show(visit: Visit) -> Reply:
            params, region = change.params(visit, _NONE), change.region(visit)
            if not await self._actions.permits(visit, change.action, params, region):
                message = visit.text("not_permitted_action", action=change.action)
                return pages.page(visit, "error.html", section=change.section, status=403, message=message)
            missing = [i for i in change.inputs(visit) if i.kind != "given" or not visit.query[i.name]]
            return self._form(visit, change) if missing else self._confirmation(visit, change)

        async def submit(visit: Visit) -> Reply:
            if visit.posted["confirm"]:
                return await self._carry_out(visit, change)
            asked = {each.param for each in change.secrets}
            later = {each.name: _STAND_IN for each in change.secrets if each.required}
            params, region = change.params(visit, later), change.region(visit)
            refused = self._actions.check(visit, change.action, params, region)
            if refused is not None and refused.field not in asked:
                return self._form(visit, change, refused)
            return self._confirmation(visit, change)

        return Page(change.pattern, self._informed(change, show), self._informed(change, submit))

    def _informed(
        self, change: Change, answer: Callable[[Visit], Awaitable[Reply]]
    ) -> Callable[[Visit], Awaitable[Reply]]:
        known = change.known
        if known is None:
            return answer

        async def informed(visit: Visit) -> Reply:
            try:
                facts = await known(self._actions, visit)
            except ActionRefused as refused:
                status = 403 if refused.reason is Reason.NOT_PERMITTED else 404
                message = _sentence(refused)
                return pages.page(visit, "error.html", section=change.section, status=status, message=message)
            return await answer(replace(visit, path={**visit.path, **facts}))

        return informed

    async def _carry_out(self, visit: Visit, change: Change) -> Reply:
        params = change.params(visit, _secrets(visit, change))
        try:
            answer = await self._actions.call(visit, change.action, params, change.region(visit))
        except ActionRefused as refused:
            if refused.field and refused.field in {each.param for each in change.inputs(visit)}:
                return self._form(visit, change, refused)
            return self._confirmation(visit, change, refused)
        if change.result is not None and (shown := change.result(visit, answer)):
            back = change.back(visit)
            return pages.page(
                visit, "result.html", section=change.section, title_key=change.title, shown=shown, back=back
            )
        back = change.back(visit)
        return pages.redirect(f"{back}{'&' if '?' in back else '?'}done=1")

    def _form(self, visit: Visit, change: Change, refused: ActionRefused | None = None) -> Reply:
        inputs = change.inputs(visit)
        given = visit.posted if visit.posted["sent"] else visit.query
        values = {
            each.name: given[each.name] or ("" if visit.posted["sent"] else each.value) for each in inputs
        }
        return self._step(visit, change, "form.html", inputs, refused, values=values)

    def _confirmation(self, visit: Visit, change: Change, refused: ActionRefused | None = None) -> Reply:
        given = visit.posted if visit.posted["sent"] else visit.query
        names = [each.name for each in change.inputs(visit)]
        kept = [("sent", "1"), *((name, given[name]) for name in names if given[name])]
        effects = change.effects(visit)
        return self._step(visit, change, "confirm.html", change.secrets, refused, kept=kept, effects=effects)

    def _step(
        self,
        visit: Visit,
        change: Change,
        template: str,
        inputs: Sequence[Input],
        refused: ActionRefused | None,
        **values: object,
    ) -> Reply:
        fault = "" if refused is None else _sentence(refused)
        at_fault = next((i.name for i in inputs if refused is not None and i.param == refused.field), "")
        return pages.page(
            visit,
            template,
            section=change.section,
            status=200 if refused is None else 422,
            message="" if at_fault else fault,
            at_fault=at_fault,
            fault=fault,
            inputs=inputs,
            title_key=change.title,
            danger=change.danger,
            back=change.back(visit),
            action_name=change.action,
            explorer_at=address_of(
                replace(change.action, version=self._actions.contract(change.action).version),
                {**change.params(visit, _NONE), "region": change.region(visit)},
            ),
            address=visit.request.path,
            **values,
        )


def _secrets(visit: Visit, change: Change) -> Secrets:
    """The secrets that were typed, by the names of their inputs; an empty one is absent."""
    typed = {each.name: visit.posted[f"{SECRET}{each.name}"] for each in change.secrets}
    return {name: text for name, text in typed.items() if text}


def _sentence(refused: ActionRefused) -> str:
    return f"{refused.message} ({refused.code})" if refused.message else refused.code
