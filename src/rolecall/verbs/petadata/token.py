"""Client tokens of `petadata`: a promise that calls with the same token are one call.

What is compared are the action's own parameters, after defaults: a retry is signed anew, so the nonce, the time and
the signature differ (ECS API manual, "How to ensure idempotence").
"""

from __future__ import annotations

import hashlib
import json

from rolecall.domain.messages import ClientToken
from rolecall.values import Secret
from rolecall.verbs.params import Checked, text

_NAMES = ("ClientToken", "Token")


def client_token(checked: Checked) -> ClientToken | None:
    """The token that was sent, with a digest of everything else; None without one."""
    sent = next((text(checked.params, name) for name in _NAMES if name in checked.params), "")
    if not sent:
        return None
    others = {name: value for name, value in checked.params.items() if name not in _NAMES}
    canonical = json.dumps([checked.action, others], sort_keys=True, default=_hidden)
    return ClientToken(sent, hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest())


def _hidden(value: object) -> str:
    """A password, as its hash: the text that is hashed in the end never holds it."""
    if not isinstance(value, Secret):
        raise TypeError(f"no parameter is a {type(value).__name__}")
    return hashlib.sha256(value.reveal().encode("utf-8", "surrogatepass")).hexdigest()
