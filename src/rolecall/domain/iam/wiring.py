"""Everything about sub-users in one piece: what `assembly` puts together, and what the console signs in with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rolecall.domain.iam.access_keys import AccessKeys, PrincipalKeyRepository
from rolecall.domain.iam.groups import GroupRepository, Groups
from rolecall.domain.iam.key_uses import KeyUseRepository, KeyUses
from rolecall.domain.iam.password_rules import RuledPasswords
from rolecall.domain.iam.sign_in import SignIn, SubUserSignInRepository
from rolecall.domain.iam.sub_users import Quotas, SubUserRepository, SubUsers
from rolecall.domain.iam.tags import ProjectRepository, Projects, TagRepository, Tags
from rolecall.domain.messages import Handlers
from rolecall.domain.policy.requests import Permissions
from rolecall.domain.secrets.passwords import Passwords
from rolecall.domain.secrets.sealing import Sealer
from rolecall.values import Secret


@dataclass(frozen=True, slots=True)
class Books:
    """Where everything about sub-users is kept."""

    sub_users: SubUserRepository
    keys: PrincipalKeyRepository
    uses: KeyUseRepository
    groups: GroupRepository
    tags: TagRepository
    projects: ProjectRepository
    sign_ins: SubUserSignInRepository


class PeopleRoom:
    """`key` makes what sub-users' tokens are sealed with; `uses` is to be told of keys that were proven."""

    def __init__(
        self,
        books: Books,
        passwords: Passwords,
        sealer: Sealer,
        permissions: Permissions,
        quotas: Quotas,
        key: Callable[[], Secret],
    ) -> None:
        ruled = RuledPasswords(books.sub_users, passwords)
        self.uses = KeyUses(books.uses)
        self.sign_in = SignIn(books.sign_ins, passwords, ruled, key)
        self.handlers: Handlers = (
            *SubUsers(books.sub_users, ruled, sealer, permissions, quotas).handlers,
            *AccessKeys(books.keys, sealer, self.uses).handlers,
            *Groups(books.groups, permissions).handlers,
            *Tags(books.tags).handlers,
            *Projects(books.projects).handlers,
        )
