"""What a call asks of the caller's policies: its operation, and the resources its parameters name.

It is asked of parameters that kept the contract: typed, so that no spelling of a value slips past a policy. A hole that
no parameter fills names everything, ``*``.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from rolecall.contracts.model import Action, Contract
from rolecall.domain.people.permissions import Ask
from rolecall.values import Checked

_HOLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.]*)\}")
_MOST_RESOURCES = 200
"""Resources of one call that are asked one by one; a longer list asks for everything."""


def ask_of(checked: Checked, contract: Contract, action: Action) -> Ask:
    """The ask of a call whose caller was proven."""
    call = checked.call
    request = call.envelope.request
    resources = tuple(itertools.chain.from_iterable(_filled(one, checked) for one in action.resources))
    return Ask(
        f"{contract.policy_service or contract.service}:{call.action}",
        ("*",) if len(resources) > _MOST_RESOURCES else tuple(dict.fromkeys(resources)),
        {
            "qcs:ip": request.client,
            "qcs:current_time": datetime.fromtimestamp(request.received, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "qcs:secure_transport": "true" if request.secure else "false",
            "qcs:region": call.region,
        },
    )


def _filled(template: str, checked: Checked) -> Iterator[str]:
    caller = checked.caller
    known = {
        "region": checked.call.region,
        "owner": str(caller.owner_number),
        "caller": str(caller.principal),
    }
    holes = list(dict.fromkeys(_HOLE.findall(template)))
    choices = [
        [known[hole]] if hole in known else list(_values(checked.params, hole)) or ["*"] for hole in holes
    ]
    for chosen in itertools.islice(itertools.product(*choices), _MOST_RESOURCES + 1):
        values = dict(zip(holes, chosen, strict=True))
        yield _HOLE.sub(lambda hole: values[hole[1]], template)  # noqa: B023 - used within the turn


def _values(params: object, path: str) -> Iterator[str]:
    """The texts that a parameter's path leads to; lists are walked through."""
    if isinstance(params, list):
        for item in params:
            yield from _values(item, path)
        return
    if not path:
        if isinstance(params, str | int) and not isinstance(params, bool):
            yield str(params)
        return
    name, _, rest = path.partition(".")
    if isinstance(params, Mapping) and name in params:
        yield from _values(params[name], rest)
