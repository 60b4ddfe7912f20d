"""Details of operations: what is written is read back, and so is what earlier releases wrote."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import msgspec
import pytest
from msgspec.structs import replace

from rolecall.domain.engine import (
    Access,
    AccountKind,
    DatabaseGrant,
    DatabaseObject,
    ObjectType,
    PrivilegeChange,
)
from rolecall.domain.engine.roles import DefaultPrivileges, MembershipChange
from rolecall.domain.operations import details
from rolecall.domain.operations.details import Detail
from rolecall.domain.operations.model import Change, Intent

GRANT = DatabaseGrant("shop", Access.READ_ONLY)
CHANGE = PrivilegeChange(DatabaseObject(ObjectType.TABLE, "t", "shop", "public"), ("SELECT",), grant=True)
MEMBERSHIP = MembershipChange("crew", "16391", True, inherits=False, may_become=True)
EVERY_DETAIL: list[Detail] = [
    details.CreateAccount(
        remark="r", kind=AccountKind.SUPER, managed=True, grants=(GRANT,), allow_missing=True
    ),
    details.ChangeRemark(remark="r"),
    details.MoveAccount(new_name="bob", new_host="%", password_changed=True),
    details.ChangePrivileges(changes=(CHANGE,), kind=AccountKind.NORMAL, memberships=(MEMBERSHIP,)),
    details.ChangeLimit(connection_limit=3),
    details.ChangeExpiry(valid_until=datetime(2027, 1, 31, 12, tzinfo=UTC)),
    details.ChangeExpiry(valid_until=None),
    details.ChangeMembership(change=MEMBERSHIP),
    details.ChangeDefaults(
        defaults=DefaultPrivileges("shop", "ada", "bob", ObjectType.TABLE, ("SELECT",), "s"),
        owned_by="16390",
        grant=True,
    ),
    details.ChangePublic(privileges=("CONNECT",), grant=False),
    details.ChangeGrants(grant=(GRANT,), revoke=("old",), allow_missing=True),
    details.CreateDatabase(owner="ada", encoding="UTF8", collate="C"),
    details.ChangeDatabaseOwner(owner="bob", former="ada", owned_by="16390"),
    details.CreateInstance(engine="postgresql"),
]


@pytest.mark.parametrize("detail", EVERY_DETAIL, ids=lambda detail: type(detail).__name__)
def test_a_detail_is_read_back_from_its_json_beside_the_place_of_its_account(detail: Detail) -> None:
    kept = json.loads(json.dumps({"name": "ada", "host": "%", **detail.encode()}))
    intent = Intent(Change.ACCOUNT_CREATE, "ada@%", None, kept)
    assert type(detail).of(intent) == detail


def test_what_earlier_releases_wrote_is_read() -> None:
    intent = Intent(Change.ACCOUNT_CREATE, "ada", None, {"remark": "", "grants": []})
    assert details.CreateAccount.of(intent) == details.CreateAccount(remark="")
    owner = replace(intent, detail={"owner": "bob", "from": "ada"})
    assert details.ChangeDatabaseOwner.of(owner).former == "ada"
    with pytest.raises(msgspec.ValidationError):
        details.ChangeGrants.of(intent)
