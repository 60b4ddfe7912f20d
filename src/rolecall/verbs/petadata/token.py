"""Client tokens of `petadata`: a promise that calls with the same token are one call.

What is compared are the action's own parameters, after defaults: a retry is signed again, so the nonce, the time and
the signature differ (ECS API manual, "How to ensure idempotence").
"""

from __future__ import annotations

import hashlib
import json

from rolecall.contracts.aliyun.petadata import parameters
from rolecall.domain.messages import ClientToken
from rolecall.values import Checked, Secret


def client_token(
    checked: Checked[parameters.CreateAccount | parameters.CreateInstance | parameters.DeleteInstance],
) -> ClientToken | None:
    """The token that was sent, with a digest of everything else; None without one."""
    sent = checked.params.ClientToken
    if not sent:
        return None
    others = {
        name: value
        for name, value in vars(checked.params).items()
        if value is not None and name != "ClientToken"
    }
    canonical = json.dumps([checked.action, others], sort_keys=True, default=_hidden)
    return ClientToken(sent, hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest())


def _hidden(value: object) -> str:
    """The hash of a password, so that the text to be hashed does not hold it."""
    if not isinstance(value, Secret):
        raise TypeError(f"no parameter is a {type(value).__name__}")
    return hashlib.sha256(value.reveal().encode("utf-8", "surrogatepass")).hexdigest()
