"""A user as a row of a file that an import reads (`domain.directories.rows`)."""

from __future__ import annotations

from collections.abc import Collection

from rolecall.domain.directories.model import VERIFIED_EMAIL, User, UserStatus
from rolecall.domain.directories.views import UserView


def row_of(view: UserView, profile: Collection[str], *, with_hash: bool) -> dict[str, object]:
    """The columns that have a value; `profile` are the keys of a profile that an import reads.

    Not in it: ids, the types of custom attributes, links between users, and what sign-ins have left.
    """
    user = view.user
    row: dict[str, object] = {
        "user_name": user.name,
        "phone": user.phone,
        "email": user.email,
        "email_verified": user.email is not None and user.profile.get(VERIFIED_EMAIL) == user.email,
        "password_hash": user.password_hash if with_hash else None,
        "must_reset": user.must_reset,
        "status": None if user.status is UserStatus.NORMAL else user.status.value,
        "groups": list(view.group_names),
        "nickname": user.nickname,
        "address": user.address,
        "birthdate": user.birthdate,
        "created_at": user.created_at.isoformat(),
        **{f"indexed_{number}": text for number, text in enumerate(user.indexed, 1)},
        **_profile(user, profile),
        **{f"custom.{attribute.name}": attribute.value for attribute in user.custom},
    }
    return {column: value for column, value in row.items() if value not in (None, "", False, [])}


def _profile(user: User, profile: Collection[str]) -> dict[str, object]:
    return {f"profile.{key}": value for key, value in user.profile.items() if key in profile}
