"""The pytest plugin, by the example of docs/testing.md, and faults as their command line adds them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import Rolecall
from tests.program.testers import passes_example

from rolecall.cli.errors import CommandError
from rolecall.cli.fault import _fault
from rolecall.contracts.codes import reasons_by_code
from rolecall.services import COMMON_ROWS, SERVICES


def without_image() -> str:
    """Why no container can be run here; empty if it can."""
    if shutil.which("docker") is None or subprocess.run(["docker", "info"], capture_output=True).returncode:
        return "no Docker engine runs here"
    if subprocess.run(["docker", "image", "inspect", "rolecall"], capture_output=True).returncode:
        return "there is no image `rolecall`: make image"
    return ""


def test_the_example_of_the_page_passes_in_a_container(tmp_path: Path) -> None:
    """As a process it runs in `tests/packages/test_installed.py`."""
    if missing := without_image():
        pytest.skip(missing)
    passes_example(Path(sys.executable), tmp_path, dict(os.environ), "-o", "rolecall_image=rolecall")


@pytest.mark.parametrize(
    "served", SERVICES, ids=lambda served: f"{served.contract.service}-{served.contract.version}"
)
def test_every_code_of_every_action_has_a_reason_that_answers_it(served) -> None:  # type: ignore[no-untyped-def]
    contract = served.contract
    for action in contract.actions:
        known = reasons_by_code(contract, action, COMMON_ROWS[contract.dialect])
        assert known
        for code, (reason, field) in known.items():
            row = contract.row(action, reason, field) or COMMON_ROWS[contract.dialect].get((reason, field))
            assert (row or COMMON_ROWS[contract.dialect][reason]).code == code


@pytest.mark.parametrize(
    ("service", "action", "code", "told"),
    [
        ("postgresql", "CreateAccount", "InternalError", "the services are"),
        ("postgres", "MakeAccount", "InternalError", "no action"),
        ("postgres", "CreateAccount", "NoSuchCode", "InternalError"),
    ],
)
def test_what_no_contract_lists_is_refused(service: str, action: str, code: str, told: str) -> None:
    with pytest.raises(CommandError, match=told):
        _fault(service, action, code, after=False, count=1)


def test_a_server_whose_operator_allows_none_ignores_faults(rolecall: Rolecall) -> None:
    arguments = ["--service", "postgres", "--action", "DescribeRegions", "--code", "InternalError", "--json"]
    [added] = json.loads(rolecall.cli("fault", "add", *arguments).stdout)
    try:
        assert "Error" not in rolecall.call("DescribeRegions")
        [listed] = json.loads(rolecall.cli("fault", "list", "--filter", "DescribeRegions", "--json").stdout)
        assert listed["remaining"] == 1
    finally:
        assert rolecall.cli("fault", "clear", str(added["id"])).stdout == "1 removed\n"
    refused = rolecall.cli("fault", "clear", str(added["id"]), check=False)
    assert refused.returncode == 1
    assert "there is no fault" in refused.stderr
