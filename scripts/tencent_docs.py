"""Writes the pages of the Tencent contracts whose errors are preferences (`contracts/tencent/error_preferences`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from docs_tables import fields_table, line, row, shapes

from rolecall.contracts.model import Action, Contract, Field, ListOf
from rolecall.domain.reasons import Reason

Key = Reason | tuple[Reason, str]

_DENIED = "AuthFailure.UnauthorizedOperation"


@dataclass(frozen=True)
class Page:
    """`says` is a sentence for each action; `behind` what may refuse it beyond the rules of its fields."""

    head: str
    contract: Contract
    says: Mapping[str, str]
    behind: Mapping[str, Sequence[Key]]

    def text(self) -> str:
        """The whole page, in Markdown."""
        actions = tuple(self.contract.actions.values())
        parts = [self.head, "## Actions\n", *self._contents(actions), ""]
        for action in actions:
            parts += self._section(action)
        found = {shape.name: shape for action in actions for shape in shapes(action.params)}
        if found:
            parts += ["## Structures\n"]
        for shape in found.values():
            parts += [f"### {shape.name}\n", *fields_table(shape.fields), ""]
        parts += ["## Every reason and its codes\n", *_reasons(actions), ""]
        return "\n".join(parts)

    def _contents(self, actions: Sequence[Action]) -> Iterator[str]:
        yield from row("action", "what it does")
        for action in actions:
            yield line(f"[{action.name}](#{action.name.lower()})", self.says[action.name])

    def _section(self, action: Action) -> Iterator[str]:
        yield f"## {action.name}\n"
        yield f"{self.says[action.name]}\n"
        yield f"Source: {action.source}. {self._permission(action)}\n"
        if action.params:
            yield from fields_table(action.params)
            yield ""
        answer = ", ".join(f"`{name}`" for name in (*action.output, "RequestId"))
        yield f"Answer: {answer}.\n"
        yield from self._errors(action)

    def _permission(self, action: Action) -> str:
        if action.free or action.public:
            return "Permitted to every caller."
        resources = ", ".join(f"`{name.removeprefix('?')}`" for name in action.resources)
        service = self.contract.policy_service or self.contract.service
        return f"In policies: `{service}:{action.name}` on {resources}."

    def _errors(self, action: Action) -> Iterator[str]:
        """The action's codes by the reasons that lead to them, then the vendor's codes that nothing leads to."""
        found: dict[str, list[str]] = {}
        if _DENIED in action.codes and not action.free:
            found[_DENIED] = [Reason.NOT_PERMITTED.value]
        given = {*self.behind.get(action.name, ()), *rule_reasons(action.params)}
        if any(isinstance(field.type, ListOf) and field.type.at_most for field in action.params):
            given.add(Reason.PARAMETER_RANGE)
        for key in sorted(given, key=_label):
            if key in action.errors:
                found.setdefault(action.errors[key].code, []).append(_label(key))
        if found:
            yield from row("code", "reason")
            yield from (line(f"`{code}`", ", ".join(why)) for code, why in sorted(found.items()))
            yield ""
        unused = ", ".join(f"`{code}`" for code in sorted(action.codes - found.keys()))
        if unused:
            yield f"The vendor also lists codes that no reason of this action leads to: {unused}.\n"


def _label(key: Key) -> str:
    return key.value if isinstance(key, Reason) else f"{key[0].value} ({key[1]})"


def _reasons(actions: Sequence[Action]) -> Iterator[str]:
    """The codes of each reason in all actions. An action answers the first code that it lists."""
    codes: dict[str, set[str]] = {}
    for action in actions:
        for key, error in action.errors.items():
            codes.setdefault(_label(key), set()).add(error.code)
    yield from row("reason", "codes")
    for reason, found in sorted(codes.items()):
        yield line(reason, ", ".join(f"`{code}`" for code in sorted(found)))


def rule_reasons(fields: Sequence[Field]) -> Iterator[Reason]:
    yield from (rule.reason for field in fields for rule in field.rules)
    yield from (
        reason for shape in shapes(fields) for field in shape.fields for reason in rule_reasons((field,))
    )
