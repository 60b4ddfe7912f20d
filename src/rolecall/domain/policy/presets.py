"""Preset policies: declared by Rolecall, the same for every owner, never stored or changed."""

from __future__ import annotations

from collections.abc import Sequence

from rolecall.domain.policy.language import accept, parse_policy
from rolecall.domain.policy.model import Policy

FIRST_STORED = 10_000_001
"""Policies of owners have ids from here on (`policy_ids`, 0005_people.sql); those of presets are below."""


class Presets:
    """The composition root chooses the presets: their names are the vendors'."""

    def __init__(self, policies: Sequence[Policy] = ()) -> None:
        self.all = tuple(sorted(policies, key=lambda policy: policy.id))
        self._by_id = {policy.id: policy for policy in policies}
        self._by_name = {policy.name: policy for policy in policies}
        for policy in policies:
            accept(parse_policy(policy.document))
            if policy.id >= FIRST_STORED:
                raise ValueError(f"the preset policy {policy.name} has an id of an owner's")
        if len(self._by_id) != len(policies) or len(self._by_name) != len(policies):
            raise ValueError("two preset policies share an id or a name")

    def by_id(self, policy_id: int) -> Policy | None:
        return self._by_id.get(policy_id)

    def by_name(self, name: str) -> Policy | None:
        return self._by_name.get(name)
