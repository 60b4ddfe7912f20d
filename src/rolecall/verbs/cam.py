"""Tencent Cloud `cam` 2019-01-16 (contract: `rolecall.contracts.tencent.cam`): the verbs of its parts, joined."""

from __future__ import annotations

from rolecall.verbs import Verbs, cam_groups, cam_policies, cam_roles, cam_users

VERBS: Verbs = {**cam_users.VERBS, **cam_groups.VERBS, **cam_policies.VERBS, **cam_roles.VERBS}
