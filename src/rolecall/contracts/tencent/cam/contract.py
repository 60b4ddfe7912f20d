"""The contract of Tencent Cloud `cam` 2019-01-16: sub-users, their keys, their groups, policies, roles."""

from __future__ import annotations

from rolecall.contracts.model import Contract
from rolecall.contracts.tencent.cam import groups as cam_groups
from rolecall.contracts.tencent.cam import policies as cam_policies
from rolecall.contracts.tencent.cam import roles as cam_roles
from rolecall.contracts.tencent.cam import users as cam_users

_ACTIONS = (*cam_users.ACTIONS, *cam_groups.ACTIONS, *cam_policies.ACTIONS, *cam_roles.ACTIONS)

CONTRACT = Contract(
    dialect="tencent",
    service="cam",
    version="2019-01-16",
    actions={action.name: action for action in _ACTIONS},
    errors={},
)
