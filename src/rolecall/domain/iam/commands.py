"""Commands about sub-users, their keys, their groups, and the rules of their passwords.

All are about resources of the caller's owner; None keeps the present value.
"""

from __future__ import annotations

from dataclasses import dataclass

from rolecall.domain.access.keys import AccessKey
from rolecall.domain.iam.model import SubUser
from rolecall.domain.iam.views import AddedSubUser, Census, Group, GroupView, KeyShown, KeyUse, RulesView
from rolecall.domain.messages import Command, Page
from rolecall.domain.policy.requests import PolicyRequest
from rolecall.values import Secret


@dataclass(frozen=True, slots=True)
class SubUserRef:
    """A sub-user by its number, its shorter id, or both, which must then name the same."""

    number: int | None = None
    id: int | None = None


@dataclass(frozen=True, slots=True)
class AddSubUser(Command[AddedSubUser]):
    """Without `console_login` the password is ignored; with it and without one, one is made.

    SUB_USER_NAME_MALFORMED, SUB_USER_TAKEN, SUB_USER_QUOTA, SUB_USER_RATE, PASSWORD_BREAKS_RULES, HASHING_BUSY.
    """

    name: str
    remark: str = ""
    console_login: bool = False
    mint_key: bool = False
    password: Secret | None = None
    must_reset_password: bool = False
    phone: str = ""
    country_code: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class ShowSubUser(Command[SubUser]):
    """SUB_USER_MISSING."""

    name: str


@dataclass(frozen=True, slots=True)
class ListSubUsers(Command[tuple[SubUser, ...]]):
    """All of them, the newest first."""


@dataclass(frozen=True, slots=True)
class PageSubUsers(Command[tuple[SubUser, ...]]):
    """At most `limit`, in the order of their numbers, beginning after the number `after`."""

    after: int
    limit: int


@dataclass(frozen=True, slots=True)
class FindSubUsers(Command[tuple[SubUser, ...]]):
    """The sub-users with these numbers, without those that do not exist."""

    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FindSubUser(Command[SubUser]):
    """SUB_USER_MISSING, SUB_USER_UNNAMED."""

    ref: SubUserRef


@dataclass(frozen=True, slots=True)
class ChangeSubUser(Command[None]):
    """SUB_USER_MISSING, PASSWORD_BREAKS_RULES, HASHING_BUSY. A password is ignored where there is no console login."""

    name: str
    remark: str | None = None
    console_login: bool | None = None
    password: Secret | None = None
    must_reset_password: bool | None = None
    phone: str | None = None
    country_code: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class DeleteSubUser(Command[None]):
    """Without `keys_too`, a sub-user with keys is kept: SUB_USER_HAS_KEYS. It is what the caller must be permitted
    before keys are deleted (SUB_USER_KEYS_KEPT). `tagged` is what its tags are kept under. SUB_USER_MISSING.
    """

    name: str
    keys_too: PolicyRequest | None = None
    tagged: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class CountPeople(Command[Census]):
    pass


@dataclass(frozen=True, slots=True)
class CreateKey(Command[KeyShown]):
    """`principal` None stands for the caller.

    SUB_USER_MISSING, OWNER_PROTECTED, KEY_QUOTA.
    """

    principal: int | None
    description: str = ""


@dataclass(frozen=True, slots=True)
class ListKeys(Command[tuple[AccessKey, ...]]):
    """The oldest first. SUB_USER_MISSING, OWNER_PROTECTED."""

    principal: int | None


@dataclass(frozen=True, slots=True)
class ChangeKey(Command[None]):
    """SUB_USER_MISSING, OWNER_PROTECTED, KEY_MISSING, KEY_FOREIGN."""

    principal: int | None
    key_id: str
    active: bool


@dataclass(frozen=True, slots=True)
class DeleteKey(Command[None]):
    """SUB_USER_MISSING, OWNER_PROTECTED, KEY_MISSING, KEY_FOREIGN."""

    principal: int | None
    key_id: str


@dataclass(frozen=True, slots=True)
class ShowKeyUses(Command[tuple[KeyUse, ...]]):
    """One for each id that is a key of the owner."""

    key_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShowPasswordRules(Command[RulesView]):
    """The rules that hold now."""


@dataclass(frozen=True, slots=True)
class ChangePasswordRules(Command[None]):
    """They hold for passwords set from now on. `must_contain` holds names of classes (`rules.CLASSES`)."""

    minimum_length: int | None = None
    must_contain: frozenset[str] | None = None
    change_every_days: int | None = None
    reuse_limit: int | None = None
    retry_limit: int | None = None
    expired_is_locked: bool | None = None


@dataclass(frozen=True, slots=True)
class AddGroup(Command[int]):
    """Its id. GROUP_TAKEN, GROUP_QUOTA."""

    name: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class ShowGroup(Command[GroupView]):
    """GROUP_MISSING."""

    group: int


@dataclass(frozen=True, slots=True)
class PageGroups(Command[Page[Group]]):
    """The newest first; `name_contains` in any case of letters."""

    offset: int
    limit: int
    name_contains: str = ""


@dataclass(frozen=True, slots=True)
class ChangeGroup(Command[None]):
    """GROUP_MISSING, GROUP_TAKEN."""

    group: int
    name: str | None = None
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class DeleteGroup(Command[None]):
    """GROUP_MISSING. Its members stay."""

    group: int


@dataclass(frozen=True, slots=True)
class Membership:
    group: int
    sub_user: SubUserRef


@dataclass(frozen=True, slots=True)
class JoinGroups(Command[None]):
    """All or none; existing members stay members. GROUP_MISSING, SUB_USER_MISSING, GROUP_FULL, MEMBERSHIP_QUOTA.

    `unnumbered` is to be permitted for each member that is not named by its number; its resources are what stands
    before the number.
    """

    memberships: tuple[Membership, ...]
    unnumbered: PolicyRequest | None = None


@dataclass(frozen=True, slots=True)
class LeaveGroups(Command[None]):
    """All or none; those who are not members are skipped. `unnumbered` as above. GROUP_MISSING, SUB_USER_MISSING."""

    memberships: tuple[Membership, ...]
    unnumbered: PolicyRequest | None = None


@dataclass(frozen=True, slots=True)
class PageMembers(Command[Page[SubUser]]):
    """In the order they were added. GROUP_MISSING."""

    group: int
    offset: int
    limit: int


@dataclass(frozen=True, slots=True)
class PageGroupsOf(Command[Page[Group]]):
    """SUB_USER_MISSING."""

    sub_user: SubUserRef
    offset: int
    limit: int
