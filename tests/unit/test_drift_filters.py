"""The filters of `rolecall account check`: their values are those that rows have, and no others are accepted."""

from __future__ import annotations

from typing import get_args

import pytest
from typer.testing import CliRunner

from rolecall.cli import account, account_drift
from rolecall.domain.accounts.drift import RIGHTS, DriftStanding
from rolecall.domain.engine.states import FIELDS, GRANTS, MEMBERSHIPS


def test_the_values_of_filters_are_those_of_rows() -> None:
    assert set(get_args(account_drift.Standing)) == set(DriftStanding) - {DriftStanding.IN_SYNC}
    assert get_args(account_drift.Field) == (*FIELDS, MEMBERSHIPS, GRANTS, RIGHTS)


@pytest.mark.parametrize(
    ("app", "words"),
    [
        (account_drift.app, ["check", "--standing", "driftd"]),
        (account_drift.app, ["check", "--field", "pasword"]),
        (account.app, ["list", "--standing", "foriegn"]),
    ],
)
def test_another_value_is_refused(app: object, words: list[str]) -> None:
    """Exit status 0 and no rows would say that no account has drifted."""
    done = CliRunner().invoke(app, words)  # type: ignore[arg-type] - typer's own
    assert done.exit_code == 2, done.output
    assert words[-1] in done.output
