"""Passwords that Rolecall makes: every dialect takes them, so that `rolecall demo` and an operator can use them."""

from __future__ import annotations

import pytest

from rolecall.contracts.aliyun.petadata import rules as petadata
from rolecall.contracts.model import Rule
from rolecall.contracts.openstack.databases import rules as databases
from rolecall.contracts.tencent.postgres import rules as postgres
from rolecall.domain.accounts import credentials
from rolecall.domain.accounts.credentials import new_managed_password

RULES = {
    "tencent postgres": postgres.PASSWORD,
    "petadata, new": petadata.NEW_PASSWORD,
    "petadata, changed": petadata.CHANGED_PASSWORD,
    "openstack": databases.PASSWORD,
}


@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
def test_a_new_password_satisfies_every_dialect_whatever_is_drawn(rules: tuple[Rule, ...]) -> None:
    """The symbols at each end, where some dialects refuse what they accept inside."""
    symbols = credentials._MANAGED_PASSWORD_SYMBOLS
    drawn = [f"{symbol}{symbols}aZ0{symbol}" for symbol in symbols]
    for password in (*drawn, new_managed_password().reveal()):
        assert all(rule.holds(password) for rule in rules), password
