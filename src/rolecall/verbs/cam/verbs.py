"""Tencent Cloud `cam` 2019-01-16 (contract: `contracts.tencent.cam.contract`): the verbs of its parts, joined."""

from __future__ import annotations

from rolecall.verbs import Verbs
from rolecall.verbs.cam import groups as cam_groups
from rolecall.verbs.cam import policies as cam_policies
from rolecall.verbs.cam import roles as cam_roles
from rolecall.verbs.cam import users as cam_users

VERBS: Verbs = {**cam_users.VERBS, **cam_groups.VERBS, **cam_policies.VERBS, **cam_roles.VERBS}
