"""The request to the policies of a caller: the operation of a call, and the resources that its parameters name.

It is made of checked parameters, so that no other spelling of a value evades a policy. A hole that no parameter fills
stands for everything, ``*``; ``{A|B}`` is filled by A if it was sent, else by B. ``{A.service}`` and
``{A.content}`` are segments of a resource that A spells, and ``{A.owned}`` is the whole of it with the caller's own
account and without a region: the caller does not choose these. ``{A/}`` is A and a slash, or nothing if A was not
sent: a resource without such a segment is named without it.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

from rolecall.contracts.model import Action, Contract
from rolecall.domain.policy.requests import PolicyRequest, call_context
from rolecall.values import Checked

_HOLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.|]*/?)\}")
_NO_REGION = re.compile(r"[^A-Za-z0-9_-]")
_MOST_RESOURCES = 200
"""The most resources of a call that are asked for one by one; a longer list asks for everything of its kind."""


_SEGMENTS: Mapping[str, int] = {"service": 2, "content": 5}


class _Template(NamedTuple):
    """A resource of an action, read once. Between its `texts` are the holes; `names` are the different ones."""

    is_optional: bool
    texts: tuple[str, ...]
    holes: tuple[str, ...]
    names: tuple[str, ...]


@cache
def _template(text: str) -> _Template:
    """Of the contracts' own resources, of which there are few."""
    parts = _HOLE.split(text.removeprefix("?"))
    holes = tuple(parts[1::2])
    return _Template(text.startswith("?"), tuple(parts[::2]), holes, tuple(dict.fromkeys(holes)))


def policy_request(checked: Checked[object], contract: Contract, action: Action) -> PolicyRequest:
    """The policy request of a call whose caller is proven."""
    call = checked.call
    request = call.envelope.request
    resources = itertools.chain.from_iterable(_asked(template, checked) for template in action.resources)
    return PolicyRequest(
        f"{contract.policy_service or contract.service}:{call.action}",
        tuple(dict.fromkeys(resources)) or ("*",),
        call_context(
            checked.caller,
            now=request.received,
            client=request.client,
            secure=request.secure,
            region=call.region if contract.region_is_ours or action.regions else None,
        ),
    )


def _asked(template: str, checked: Checked[object]) -> Iterator[str]:
    """The caller chooses the region in a header: it must not reach into the segments behind it."""
    caller = checked.caller
    known = {
        "region": _NO_REGION.sub("_", checked.call.region),
        "owner": str(caller.owner_number),
        "caller": str(caller.principal),
    }
    wanted = _template(template)
    choices = [_choices(hole, known, checked) for hole in wanted.names]
    if wanted.is_optional and not all(choices):
        return
    # Names that multiply (each key by each resource) could make a request cost more than its own size.
    if math.prod(len(choice) or 1 for choice in choices) > _MOST_RESOURCES:
        choices = [choice if len(choice) == 1 else ["*"] for choice in choices]
    for chosen in itertools.product(*(choice or ["*"] for choice in choices)):
        values = dict(zip(wanted.names, chosen, strict=True))
        filled = [wanted.texts[0]]
        for hole, text in zip(wanted.holes, wanted.texts[1:], strict=True):
            filled += values[hole], text
        yield "".join(filled)


def _choices(hole: str, known: Mapping[str, str], checked: Checked[object]) -> list[str]:
    """The values of a hole; empty if none was sent, except for a hole that is left out with its slash."""
    if hole.endswith("/"):
        return [f"{value}/" for value in _choices(hole[:-1], known, checked)] or [""]
    for name in hole.split("|"):
        values = [known[name]] if name in known else list(_values(checked.params, name, known["owner"]))
        if values:
            return values
    return []


def _values(params: object, path: str, owner: str) -> Iterator[str]:
    """The texts that a parameter's path leads to; lists are walked through."""
    if isinstance(params, list):
        for item in params:
            yield from _values(item, path, owner)
        return
    if not path:
        if isinstance(params, str | int) and not isinstance(params, bool) and params != "":
            yield str(params)
        return
    if isinstance(params, str) and path in _SEGMENTS and params.count(":") >= _SEGMENTS[path]:
        yield params.split(":", 5)[_SEGMENTS[path]]
        return
    if isinstance(params, str) and path == "owned" and params.count(":") >= _SEGMENTS["content"]:
        _, _, service, _, _, content = params.split(":", 5)
        yield f"qcs::{service}::uin/{owner}:{content}"
        return
    name, _, rest = path.partition(".")
    value = getattr(params, name, None)
    if value is not None:
        yield from _values(value, rest, owner)
