"""What is read about the names and numbers in the address of a change, before it is shown."""

from __future__ import annotations

from collections.abc import Mapping

from rolecall.console.actions import ActionRefused, Actions
from rolecall.console.people.addresses import cam, number
from rolecall.console.visits import Visit


def given(visit: Visit, name: str) -> str:
    """A field of the form, or of the link that led to it."""
    return visit.posted[name] or visit.query[name]


async def _its_number(actions: Actions, visit: Visit) -> Mapping[str, str]:
    """The number of the sub-user in the address."""
    found = await actions.call(visit, cam("GetUser"), {"Name": visit.path["user"]})
    return {"uin": str(found["Uin"])}


async def _names(actions: Actions, visit: Visit) -> Mapping[str, str]:
    """The names of the policy and the group in the address or the form, as far as the visitor may look them up."""
    facts = {}
    for kind, action, param, name in (
        ("policy", "GetPolicy", "PolicyId", "PolicyName"),
        ("group", "GetGroup", "GroupId", "GroupName"),
    ):
        text = visit.path.get(kind) or given(visit, kind)
        params = {param: number(text)}
        facts[f"{kind}_name"] = text
        if params[param] and await actions.permits(visit, cam(action), params):
            answer = await actions.try_call(visit, cam(action), params)
            if not isinstance(answer, ActionRefused):
                facts[f"{kind}_name"] = str(answer[name])
    return facts


async def _number_and_names(actions: Actions, visit: Visit) -> Mapping[str, str]:
    return {**await _its_number(actions, visit), **await _names(actions, visit)}


KNOWN = {
    (False, False): None,
    (True, False): _its_number,
    (False, True): _names,
    (True, True): _number_and_names,
}
"""By whether the number of the sub-user is needed, and the names of a policy and a group."""
