"""Write docs/tencent-cam.md, -tag.md and -sts.md from the contracts: python scripts/cam_docs.py [--check]"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from docs_tables import Pages, write
from tencent_docs import Key, Page

from rolecall.contracts.tencent.cam import contract as cam
from rolecall.contracts.tencent.sts import contract as sts
from rolecall.contracts.tencent.tag import contract as tag
from rolecall.contracts.tencent.tag.errors import PREFERENCES as TAG_PREFERENCES
from rolecall.domain.reasons import Reason

_WRITTEN = """\
This page is a reference for developers of clients: the actions of the service, their parameters, rules, answers and
error codes. Written by `scripts/contract_docs.py` from `src/rolecall/contracts/tencent/`; do not edit. A test fails if
it is stale.

Envelope, signatures, the errors of every action and the order of the checks are those of
[tencent-postgres.md](tencent-postgres.md). Rates: 20 calls a second per action and calling uin. No region is required.
Where the vendor is silent, [choices.md](choices.md) records Rolecall's behaviour; [limits.md](limits.md) lists what is
missing."""

CAM_HEAD = f"""\
# Tencent Cloud CAM, version 2019-01-16

{_WRITTEN}

In policies a sub-user is `qcs::cam::uin/ROOT:uin/UIN`, a group `groupid/ID`, a policy `policyid/ID`, a role `role/ID`
or `roleName/NAME`: [policies.md](policies.md#services-actions-resources). Actions that name a sub-user by its name ask
for `qcs::cam::uin/ROOT:name/NAME`. If no TargetUin is sent, the action applies to the caller itself. A resource whose
parameter is absent is not asked for, or is everything (`*`).
"""
TAG_HEAD = f"""\
# Tencent Cloud tags, version 2018-08-13

{_WRITTEN}

Rolecall serves the whole service: tags on resources of any service, pairs of key and value, and projects. Nothing in
Rolecall depends on them.

- The tags of a sub-user, a role or a policy are deleted with it. The tags of roles and policies are the same in `cam`
  and here (`role/<RoleId>`, `policy/<PolicyId>`, `uin/<Uin>`).
- The region of a resource is ignored.
- `CreateUin` selects pairs by their creator. It is ignored where it would select resources by their creator.
"""
STS_HEAD = f"""\
# Tencent Cloud STS, version 2018-08-13

{_WRITTEN}
"""

CAM_SAYS: Mapping[str, str] = {
    "AddUser": "Create a sub-user, optionally with a password for the console and with an access key.",
    "GetUser": "Show a sub-user.",
    "ListUsers": "List all sub-users, the newest first.",
    "ListAccounts": "List the root account and its sub-users, page by page.",
    "UpdateUser": "Change the given properties of a sub-user.",
    "DeleteUser": "Delete a sub-user. `Force` also deletes its keys, which needs `cam:DeleteApiKey`.",
    "DescribeSubAccounts": "Show the sub-users among the given uins.",
    "GetUserAppId": "Show the caller.",
    "ListCollaborators": "List collaborators: there are none.",
    "GetAccountSummary": "Count sub-users, groups, memberships, policies and roles.",
    "CreateAccessKey": "Create a key, at most two per principal. Its secret is shown once.",
    "ListAccessKeys": "List a principal's keys, without secrets.",
    "UpdateAccessKey": "Disable or enable a key on every replica, from its next call on.",
    "DeleteAccessKey": "Delete a key.",
    "GetSecurityLastUsed": "Show when keys were last used. Replicas write it every ten seconds.",
    "GetPasswordRules": "Show the rules for passwords.",
    "UpdatePasswordRules": "Change the given rules, for passwords that are set from now on.",
    "DescribeSafeAuthFlagColl": "Show whether a second factor is required: there is none.",
    "CreateGroup": "Create a group of sub-users.",
    "GetGroup": "Show a group and its members.",
    "ListGroups": "List groups, the newest first.",
    "UpdateGroup": "Change a group's name or remark.",
    "DeleteGroup": "Delete a group; its members stay.",
    "AddUserToGroup": "Add sub-users to groups, all or none.",
    "RemoveUserFromGroup": "Remove sub-users from groups, all or none.",
    "ListUsersForGroup": "List the members of a group.",
    "ListGroupsForUser": "List the groups of a sub-user.",
    "CreatePolicy": "Create a policy.",
    "GetPolicy": "Show a policy, also a preset.",
    "ListPolicies": "List policies: the owner's, the newest first, then the presets.",
    "UpdatePolicy": "Change a policy; the change applies from the next call on.",
    "DeletePolicy": "Delete policies with their attachments, all or none.",
    "AttachUserPolicy": "Attach a policy to a sub-user.",
    "DetachUserPolicy": "Detach a policy from a sub-user.",
    "AttachGroupPolicy": "Attach a policy to a group.",
    "DetachGroupPolicy": "Detach a policy from a group.",
    "ListAttachedUserPolicies": "List the policies attached to a sub-user itself.",
    "ListAttachedUserAllPolicies": "List the policies attached to a sub-user or to its groups.",
    "ListAttachedGroupPolicies": "List the policies attached to a group.",
    "ListEntitiesForPolicy": "List the sub-users, groups and roles that a policy is attached to.",
    "CreateRole": "Create a role, which the principals of its trust document may assume.",
    "GetRole": "Show a role.",
    "DeleteRole": "Delete a role; its sessions are refused at the next call.",
    "DescribeRoleList": "List roles.",
    "UpdateAssumeRolePolicy": "Change which principals may assume a role.",
    "UpdateRoleDescription": "Change a role's description.",
    "UpdateRoleConsoleLogin": "Change whether a role may sign in at the console, which has no effect.",
    "UpdateRoleSessionDuration": "Change how long a session of a role may last.",
    "TagRole": "Put tags on a role; existing tags with the same keys change.",
    "UntagRole": "Remove tags from a role.",
    "AttachRolePolicy": "Attach a policy to a role.",
    "DetachRolePolicy": "Detach a policy from a role.",
    "ListAttachedRolePolicies": "List the policies attached to a role.",
    "BuildDataFlowAuthToken": "Show the current password of a database account whose password Rolecall manages.",
}

_USER = (Reason.SUB_USER_MISSING,)
_NEW_PASSWORD = (Reason.PASSWORD_BREAKS_RULES, Reason.HASHING_BUSY)
_WHOSE = (Reason.SUB_USER_MISSING, Reason.OWNER_PROTECTED)
_KEY = (*_WHOSE, Reason.KEY_MISSING, Reason.KEY_FOREIGN)
_GROUP = (Reason.GROUP_MISSING,)
_WHO = (Reason.SUB_USER_MISSING, Reason.SUB_USER_UNNAMED)
_DOCUMENT = (
    Reason.POLICY_MALFORMED, Reason.POLICY_TOO_LONG, Reason.POLICY_VERSION, Reason.POLICY_STATEMENT,
    Reason.POLICY_EFFECT, Reason.POLICY_ACTION, Reason.POLICY_RESOURCE, Reason.POLICY_CONDITION,
    Reason.POLICY_PRINCIPAL,
)  # fmt: skip
_POLICY = (Reason.POLICY_MISSING,)
_ROLE = (Reason.ROLE_MISSING,)

# How the domain may refuse beyond the rules of the fields (docstrings of `domain/iam/*commands.py`).
CAM_BEHIND: Mapping[str, Sequence[Key]] = {
    "AddUser": (*_NEW_PASSWORD, Reason.SUB_USER_TAKEN, Reason.SUB_USER_QUOTA, Reason.SUB_USER_RATE),
    "GetUser": _USER,
    "UpdateUser": (*_USER, *_NEW_PASSWORD),
    "DeleteUser": (*_USER, Reason.SUB_USER_HAS_KEYS, Reason.SUB_USER_KEYS_KEPT),
    "CreateAccessKey": (*_WHOSE, Reason.KEY_QUOTA),
    "ListAccessKeys": _WHOSE,
    "UpdateAccessKey": _KEY,
    "DeleteAccessKey": _KEY,
    "DescribeSafeAuthFlagColl": _USER,
    "CreateGroup": (Reason.GROUP_TAKEN, Reason.GROUP_QUOTA),
    "GetGroup": _GROUP,
    "UpdateGroup": (*_GROUP, Reason.GROUP_TAKEN),
    "DeleteGroup": _GROUP,
    "AddUserToGroup": (*_GROUP, *_WHO, Reason.GROUP_FULL, Reason.MEMBERSHIP_QUOTA),
    "RemoveUserFromGroup": (*_GROUP, *_WHO),
    "ListUsersForGroup": _GROUP,
    "ListGroupsForUser": _WHO,
    "CreatePolicy": (*_DOCUMENT, Reason.POLICY_TAKEN, Reason.POLICY_QUOTA),
    "GetPolicy": _POLICY,
    "UpdatePolicy": (*_POLICY, *_DOCUMENT, Reason.POLICY_PRESET, Reason.POLICY_TAKEN),
    "DeletePolicy": (*_POLICY, Reason.POLICY_PRESET),
    "AttachUserPolicy": (*_POLICY, *_USER, Reason.ATTACHMENT_QUOTA),
    "DetachUserPolicy": (*_POLICY, *_USER),
    "AttachGroupPolicy": (*_POLICY, *_GROUP, Reason.ATTACHMENT_QUOTA),
    "DetachGroupPolicy": (*_POLICY, *_GROUP),
    "ListAttachedUserPolicies": _USER,
    "ListAttachedUserAllPolicies": _USER,
    "ListAttachedGroupPolicies": _GROUP,
    "ListEntitiesForPolicy": _POLICY,
    "CreateRole": (*_DOCUMENT, Reason.ROLE_TAKEN, Reason.ROLE_QUOTA),
    "GetRole": _ROLE,
    "DeleteRole": _ROLE,
    "UpdateAssumeRolePolicy": (*_ROLE, *_DOCUMENT),
    "UpdateRoleDescription": _ROLE,
    "UpdateRoleConsoleLogin": _ROLE,
    "UpdateRoleSessionDuration": _ROLE,
    "TagRole": (*_ROLE, Reason.TAG_QUOTA),
    "UntagRole": _ROLE,
    "AttachRolePolicy": (*_POLICY, *_ROLE, Reason.ATTACHMENT_QUOTA),
    "DetachRolePolicy": (*_POLICY, *_ROLE),
    "ListAttachedRolePolicies": _ROLE,
    "BuildDataFlowAuthToken": (
        Reason.INSTANCE_MISSING, Reason.INSTANCE_FORBIDDEN, Reason.ACCOUNT_MISSING, Reason.PASSWORD_NOT_MANAGED,
        Reason.PASSWORD_UNDECIPHERABLE,
    ),
}  # fmt: skip

TAG_SAYS: Mapping[str, str] = {
    "CreateTag": "Create a pair of key and value.",
    "CreateTags": "Create several pairs, all or none.",
    "DeleteTag": "Delete a pair that no resource has.",
    "DeleteTags": "Delete several pairs, all or none.",
    "DescribeTags": "List pairs, and whether each can be deleted.",
    "DescribeTagsSeq": "List pairs; the offset is a multiple of the limit.",
    "GetTags": "List pairs, page by page with a token.",
    "DescribeTagKeys": "List keys.",
    "GetTagKeys": "List keys, page by page with a token.",
    "DescribeTagValues": "List the values of keys.",
    "DescribeTagValuesSeq": "List the values of keys; the offset is a multiple of the limit.",
    "GetTagValues": "List the values of keys, page by page with a token.",
    "AddResourceTag": "Put a tag on a resource that has no tag with its key.",
    "UpdateResourceTagValue": "Change the value of a resource's tag.",
    "DeleteResourceTag": "Remove a tag from a resource.",
    "ModifyResourceTags": "Put tags on a resource and remove tags, all or none.",
    "AttachResourcesTag": "Put a tag on resources of one kind that have no tag with its key, all or none.",
    "ModifyResourcesTagValue": "Change the value of a tag of resources of one kind, all or none.",
    "DetachResourcesTag": "Remove a tag from resources of one kind, all or none.",
    "TagResources": "Put tags on resources. Resources that fail are listed; the others have the tags.",
    "UnTagResources": "Remove tags from resources. Resources that fail are listed.",
    "GetResources": "List resources with their tags, by name or by tags, page by page with a token.",
    "DescribeResourceTags": "List tags on resources.",
    "DescribeResourceTagsByResourceIds": "List the tags of resources of one kind.",
    "DescribeResourceTagsByResourceIdsSeq": "List tags of resources of a kind; the offset is a multiple of the limit.",
    "DescribeResourceTagsByTagKeys": "List the tags of some keys on resources of one kind.",
    "DescribeResourcesByTags": "List resources that have a tag for every filter.",
    "DescribeResourcesByTagsUnion": "List resources that have a tag for one of the filters.",
    "AddProject": "Create a project.",
    "UpdateProject": "Change or hide a project.",
    "DescribeProjects": "List projects.",
}
_PUT_TAG = (
    Reason.TAG_QUOTA, Reason.TAG_KEY_QUOTA, Reason.TAG_VALUE_QUOTA,
    *(key for key in TAG_PREFERENCES if isinstance(key, tuple) and key[1] in ("TagKey", "TagValue")),
)  # fmt: skip
_TAKE_TAG = tuple(key for key in TAG_PREFERENCES if isinstance(key, tuple) and key[1] == "TagKey")
_TAGGED = ((Reason.PARAMETER_VALUE, "Resource"),)
_OFFSETS = ((Reason.PARAMETER_VALUE, "Offset"),)
_TOKENS = ((Reason.PARAMETER_VALUE, "PaginationToken"),)
TAG_BEHIND: Mapping[str, Sequence[Key]] = {
    "CreateTag": (*_PUT_TAG[1:], Reason.TAG_TAKEN),
    "CreateTags": (*_PUT_TAG[1:], (Reason.PARAMETER_VALUE, "Tags"), Reason.TAG_TAKEN),
    "DeleteTag": (*_PUT_TAG[3:], Reason.TAG_MISSING, Reason.TAG_IN_USE),
    "DeleteTags": (*_PUT_TAG[3:], Reason.TAG_MISSING, Reason.TAG_IN_USE),
    "DescribeTagsSeq": _OFFSETS,
    "DescribeTagValuesSeq": _OFFSETS,
    "DescribeResourceTagsByResourceIdsSeq": _OFFSETS,
    "GetTags": _TOKENS,
    "GetTagKeys": _TOKENS,
    "GetTagValues": _TOKENS,
    "GetResources": (*_TOKENS, (Reason.PARAMETER_VALUE, "ResourceList")),
    "AddResourceTag": (*_TAGGED, *_PUT_TAG, Reason.TAG_ATTACHED),
    "UpdateResourceTagValue": (*_TAGGED, *_PUT_TAG, Reason.TAG_UNATTACHED),
    "DeleteResourceTag": (*_TAGGED, *_TAKE_TAG, Reason.TAG_UNATTACHED),
    "ModifyResourceTags": (
        *_TAGGED,
        *_PUT_TAG,
        (Reason.PARAMETER_VALUE, "ReplaceTags"),
        (Reason.PARAMETER_VALUE, "DeleteTags"),
    ),
    "AttachResourcesTag": (*_PUT_TAG, Reason.TAG_ATTACHED),
    "ModifyResourcesTagValue": (*_PUT_TAG, Reason.TAG_UNATTACHED),
    "DetachResourcesTag": (*_TAKE_TAG, Reason.TAG_UNATTACHED),
    "TagResources": (
        *_PUT_TAG[3:],
        (Reason.PARAMETER_VALUE, "ResourceList"),
        (Reason.PARAMETER_VALUE, "Tags"),
    ),
    "UnTagResources": (
        *_TAKE_TAG,
        (Reason.PARAMETER_VALUE, "ResourceList"),
        (Reason.PARAMETER_VALUE, "TagKeys"),
    ),
    "DescribeResourceTagsByTagKeys": (*_TAKE_TAG, (Reason.PARAMETER_VALUE, "TagKeys")),
    "AddProject": (Reason.PROJECT_TAKEN, Reason.PROJECT_QUOTA),
    "UpdateProject": (Reason.PROJECT_TAKEN, Reason.PROJECT_MISSING),
}

STS_SAYS: Mapping[str, str] = {
    "AssumeRole": "Issue temporary credentials with the permissions of a role.",
    "GetFederationToken": "Issue temporary credentials with the caller's permissions, narrowed by a policy.",
    "GetCallerIdentity": "Show the caller.",
    "QueryApiKey": "List a principal's keys.",
}
STS_BEHIND: Mapping[str, Sequence[Key]] = {
    "AssumeRole": (*_ROLE, *_DOCUMENT, Reason.ROLE_UNTRUSTING, Reason.SESSION_TOO_LONG),
    "GetFederationToken": (*_DOCUMENT, Reason.SESSION_NESTED, Reason.SESSION_TOO_LONG),
    "QueryApiKey": _WHOSE,
}

PAGES: Pages = {
    "tencent-cam.md": Page(CAM_HEAD, cam.CONTRACT, CAM_SAYS, CAM_BEHIND).text,
    "tencent-tag.md": Page(TAG_HEAD, tag.CONTRACT, TAG_SAYS, TAG_BEHIND).text,
    "tencent-sts.md": Page(STS_HEAD, sts.CONTRACT, STS_SAYS, STS_BEHIND).text,
}

if __name__ == "__main__":
    sys.exit(write(PAGES, __doc__))
