"""Hand-made accounts that lead to the server itself are listed, and every change of them is refused (A1)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from tests.conftest import Rolecall

PASSWORD = "Test_password1"


@pytest.fixture
def operator(rolecall: Rolecall, name: Callable[[str], str]) -> Iterator[str]:
    made = name("ops")
    rolecall.sql(f"create role {made} login in role pg_execute_server_program")
    yield made
    rolecall.sql(f"drop role {made}")


def test_an_operators_account_is_listed_and_cannot_be_taken_over(rolecall: Rolecall, operator: str) -> None:
    instance = rolecall.instance_id
    assert operator in rolecall.accounts()
    where = {"DBInstanceId": instance, "UserName": operator}
    for action, more in (
        ("ResetAccountPassword", {"Password": PASSWORD}),
        ("LockAccount", {}),
        ("ModifyAccountRemark", {"Remark": "mine"}),
        ("OpenAccountCAM", {}),
        ("DeleteAccount", {}),
    ):
        response = rolecall.call(action, where | more)
        assert "belongs to the system" in response["Error"]["Message"], action
    assert not rolecall.can_log_in(operator, PASSWORD)
    rows = json.loads(rolecall.cli("account", "list", "--json").stdout)
    mine = [row for row in rows if row["name"] == operator and row["instance"] == instance]
    assert [row["standing"] for row in mine] == ["protected"]
