"""Composes sub-users, groups, access keys, roles, policies and tags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from rolecall.domain.access.keys import KeyRepository
from rolecall.domain.iam.access_keys import PrincipalKeyRepository, PrincipalKeys
from rolecall.domain.iam.groups import GroupRepository, Groups
from rolecall.domain.iam.key_uses import KeyUseRepository, KeyUses
from rolecall.domain.iam.password_rules import RuledPasswords
from rolecall.domain.iam.policies import Policies, PolicyQuotas, PolicyRepository
from rolecall.domain.iam.roles import RoleRepository, Roles
from rolecall.domain.iam.sessions import SessionCredentials
from rolecall.domain.iam.sign_in import SubUserSignIn, SubUserSignInRepository
from rolecall.domain.iam.sub_users import Quotas, SubUserRepository, SubUsers
from rolecall.domain.iam.tags import ProjectRepository, Projects, TagRepository, Tags
from rolecall.domain.messages import Handlers
from rolecall.domain.policy.presets import Presets
from rolecall.domain.policy.requests import Permissions
from rolecall.domain.secrets.passwords import Passwords
from rolecall.domain.secrets.sealing import Sealer
from rolecall.values import Secret


class _Keys(PrincipalKeyRepository, KeyUseRepository, Protocol):
    pass


class _Tags(TagRepository, ProjectRepository, Protocol):
    pass


class Repositories(Protocol):
    @property
    def sub_users(self) -> SubUserRepository: ...
    @property
    def keys(self) -> KeyRepository: ...
    @property
    def principal_keys(self) -> _Keys: ...
    @property
    def groups(self) -> GroupRepository: ...
    @property
    def tags(self) -> _Tags: ...
    @property
    def sign_ins(self) -> SubUserSignInRepository: ...
    @property
    def roles(self) -> RoleRepository: ...
    @property
    def policies(self) -> PolicyRepository: ...


@dataclass(frozen=True, slots=True)
class Iam:
    """`uses` is to be notified of keys that were proven."""

    sessions: SessionCredentials
    uses: KeyUses
    sign_in: SubUserSignIn
    handlers: Handlers


def build(
    repositories: Repositories,
    passwords: Passwords,
    sealer: Sealer,
    permissions: Permissions,
    presets: Presets,
    quotas: Quotas,
    token_key: Secret,
) -> Iam:
    """`token_key` derives the keys that sub-users' tokens are sealed with; it is the same on every replica."""
    ruled = RuledPasswords(repositories.sub_users, passwords)
    uses = KeyUses(repositories.principal_keys)
    tags = Tags(repositories.tags)
    sessions = SessionCredentials(sealer, repositories.keys, repositories.roles)
    return Iam(
        sessions,
        uses,
        SubUserSignIn(repositories.sign_ins, passwords, ruled, token_key),
        (
            *SubUsers(repositories.sub_users, ruled, sealer, permissions, quotas).handlers,
            *PrincipalKeys(repositories.principal_keys, sealer, uses).handlers,
            *Groups(repositories.groups, permissions).handlers,
            *tags.handlers,
            *Projects(repositories.tags).handlers,
            *Policies(repositories.policies, presets, PolicyQuotas()).handlers,
            *Roles(repositories.roles, sessions, tags).handlers,
        ),
    )
