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
Written by `scripts/contract_docs.py` from `src/rolecall/contracts/tencent/`; do not edit. A test fails if it is stale.

Envelope, signatures, the errors of every action and the order of the checks are those of
[tencent-postgres.md](tencent-postgres.md). Rates: 20 calls a second per action and calling uin. No region is asked for.
What the vendor leaves open is in [choices.md](choices.md), what is not there in [limits.md](limits.md)."""

CAM_HEAD = f"""\
# Tencent Cloud CAM, version 2019-01-16

{_WRITTEN}

In policies a sub-user is `qcs::cam::uin/ROOT:uin/UIN`, a group `groupid/ID`, a policy `policyid/ID`, a role `role/ID`
or `roleName/NAME`. Actions that name a sub-user by its name ask for `qcs::cam::uin/ROOT:name/NAME`; where no TargetUin
is sent, the caller itself is meant. A resource whose parameter is absent is not asked for, or is everything (`*`).
"""
TAG_HEAD = f"""\
# Tencent Cloud tags, version 2018-08-13

{_WRITTEN}

The whole service: tags on resources of any service, the pairs of key and value that they are made of, and projects.
Nothing in Rolecall depends on them. The tags of a sub-user, a role or a policy go with it, and the tags of roles and
policies are the same in `cam` and here (`role/<RoleId>`, `policy/<PolicyId>`, `uin/<Uin>`). The region of a resource
counts for nothing. `CreateUin` asks who created a pair; it is ignored where it asks who created a resource.
"""
STS_HEAD = f"""\
# Tencent Cloud STS, version 2018-08-13

{_WRITTEN}
"""

CAM_SAYS: Mapping[str, str] = {
    "AddUser": "Create a sub-user, with a password if it may sign in at the console, and a key if it is to call.",
    "GetUser": "Show a sub-user.",
    "ListUsers": "List all sub-users, the newest first.",
    "ListAccounts": "List the root account and its sub-users, page by page.",
    "UpdateUser": "Change what is sent of a sub-user; the rest stays.",
    "DeleteUser": "Delete a sub-user. With `Force` its keys go first, which takes `cam:DeleteApiKey`.",
    "DescribeSubAccounts": "Show those of the uins that are sub-users.",
    "GetUserAppId": "Show the caller.",
    "ListCollaborators": "Say that there are no collaborators.",
    "GetAccountSummary": "Count sub-users, groups, memberships, policies and roles.",
    "CreateAccessKey": "Create a key. Its secret is shown now and never again; two a principal.",
    "ListAccessKeys": "List a principal's keys, without secrets.",
    "UpdateAccessKey": "Disable or enable a key, at its next call on every replica.",
    "DeleteAccessKey": "Delete a key.",
    "GetSecurityLastUsed": "Show when keys were last used; replicas write it within seconds.",
    "GetPasswordRules": "Show the rules for passwords.",
    "UpdatePasswordRules": "Change what is sent of the rules, for passwords set from now on.",
    "DescribeSafeAuthFlagColl": "Say that no second factor is required: there is none.",
    "CreateGroup": "Create a group of sub-users.",
    "GetGroup": "Show a group and its members.",
    "ListGroups": "List groups, the newest first.",
    "UpdateGroup": "Change a group's name or remark.",
    "DeleteGroup": "Delete a group; its members stay.",
    "AddUserToGroup": "Put sub-users into groups, all or none.",
    "RemoveUserFromGroup": "Take sub-users out of groups, all or none.",
    "ListUsersForGroup": "List the members of a group.",
    "ListGroupsForUser": "List the groups that a sub-user is in.",
    "CreatePolicy": "Create a policy.",
    "GetPolicy": "Show a policy, a preset one too.",
    "ListPolicies": "List policies: one's own, the newest first, then the preset ones.",
    "UpdatePolicy": "Change a policy; it holds from the next call on.",
    "DeletePolicy": "Delete policies with their attachments, all or none.",
    "AttachUserPolicy": "Attach a policy to a sub-user.",
    "DetachUserPolicy": "Detach a policy from a sub-user.",
    "AttachGroupPolicy": "Attach a policy to a group.",
    "DetachGroupPolicy": "Detach a policy from a group.",
    "ListAttachedUserPolicies": "List what is attached to a sub-user itself.",
    "ListAttachedUserAllPolicies": "List what is attached to a sub-user, itself or by its groups.",
    "ListAttachedGroupPolicies": "List what is attached to a group.",
    "ListEntitiesForPolicy": "List what a policy is attached to.",
    "CreateRole": "Create a role, for the principals that its trust document names.",
    "GetRole": "Show a role.",
    "DeleteRole": "Delete a role; its sessions are refused at the next call.",
    "DescribeRoleList": "List roles.",
    "UpdateAssumeRolePolicy": "Change which principals may assume a role.",
    "UpdateRoleDescription": "Change a role's description.",
    "UpdateRoleConsoleLogin": "Change whether a role may sign in at the console: a note, there is no such sign-in.",
    "UpdateRoleSessionDuration": "Change how long a session of a role may last.",
    "TagRole": "Put tags on a role; those of the same keys change.",
    "UntagRole": "Take tags off a role.",
    "AttachRolePolicy": "Attach a policy to a role.",
    "DetachRolePolicy": "Detach a policy from a role.",
    "ListAttachedRolePolicies": "List what is attached to a role.",
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

# What the domain may say beyond the rules of the fields (docstrings of `domain/people/*commands.py`).
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
    "DeleteTag": "Delete a pair that is on no resource.",
    "DeleteTags": "Delete several pairs, all or none.",
    "DescribeTags": "List pairs, and whether each can be deleted.",
    "DescribeTagsSeq": "List pairs; the offset is a multiple of the limit.",
    "GetTags": "List pairs, page by page with a token.",
    "DescribeTagKeys": "List keys.",
    "GetTagKeys": "List keys, page by page with a token.",
    "DescribeTagValues": "List the values of keys.",
    "DescribeTagValuesSeq": "List the values of keys; the offset is a multiple of the limit.",
    "GetTagValues": "List the values of keys, page by page with a token.",
    "AddResourceTag": "Put a tag on a resource that has none of its key.",
    "UpdateResourceTagValue": "Change the value of a resource's tag.",
    "DeleteResourceTag": "Take a tag off a resource.",
    "ModifyResourceTags": "Put tags on a resource, and take tags off, all or none.",
    "AttachResourcesTag": "Put a tag on resources of one kind that have none of its key, all or none.",
    "ModifyResourcesTagValue": "Change the value of a tag of resources of one kind, all or none.",
    "DetachResourcesTag": "Take a tag off resources of one kind, all or none.",
    "TagResources": "Put tags on resources. Those that fail are listed; the others have the tags.",
    "UnTagResources": "Take tags off resources. Those that fail are listed.",
    "GetResources": "List resources with their tags, by name or by tags, page by page with a token.",
    "DescribeResourceTags": "List tags on resources.",
    "DescribeResourceTagsByResourceIds": "List the tags of resources of one kind.",
    "DescribeResourceTagsByResourceIdsSeq": "List their tags; the offset is a multiple of the limit.",
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
    "AssumeRole": "Assume a role: temporary credentials with the role's permissions.",
    "GetFederationToken": "Temporary credentials with the caller's permissions, narrowed by a policy.",
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
