"""The pytest plugin, by the example of docs/testing.md, and faults as their command line adds them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import PATIENCE, Rolecall

from rolecall.cli.errors import CommandError
from rolecall.cli.fault import _fault
from rolecall.contracts.codes import reasons_by_code
from rolecall.services import COMMON_ROWS, SERVICES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "testing.md"


OTHER_DIALECTS = """
import pytest
from rolecall.cli import demo_calls
from rolecall.cli.errors import CommandError


def test_faults_are_answered_in_each_dialect(rolecall, rolecall_name):
    if "openstack" not in rolecall.ready:
        pytest.skip("no MariaDB on this system")
    rolecall.fault("petadata", "CreateAccount", "InternalError")
    account = {"AccountName": "appuser", "AccountPassword": "Correct-Horse-9"}
    with pytest.raises(CommandError, match="InternalError"):
        demo_calls.aliyun(rolecall.ready, "CreateAccount", {"InstanceId": rolecall.mysql_instance, **account})
    rolecall.fault("database", "CreateUsers", "overLimit")
    users = {"users": [{"name": rolecall_name("o"), "password": "Correct-Horse-9"}]}
    with pytest.raises(CommandError, match="overLimit"):
        demo_calls.openstack(rolecall.ready, "users", users)
    assert "injected" in rolecall.run("audit", "list", "--outcome", "injected")
    assert rolecall.environment()["TENCENTCLOUD_SECRET_ID"] == rolecall.secret_id
"""


def without_image() -> str:
    """Why no container can be run here; empty if it can."""
    if shutil.which("docker") is None or subprocess.run(["docker", "info"], capture_output=True).returncode:
        return "no Docker engine runs here"
    if subprocess.run(["docker", "image", "inspect", "rolecall"], capture_output=True).returncode:
        return "there is no image `rolecall`: make image"
    return ""


@pytest.mark.parametrize("image", ["", "rolecall"], ids=["process", "container"])
def test_the_example_of_the_page_passes(tmp_path: Path, image: str) -> None:
    if image and (missing := without_image()):
        pytest.skip(missing)
    found = re.search(r'```python title="(test_\w+\.py)"\n(.*?)```', PAGE.read_text("utf-8"), re.DOTALL)
    assert found
    (tmp_path / found[1]).write_text(found[2], "utf-8")
    (tmp_path / "test_a_dialects.py").write_text(OTHER_DIALECTS, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:detangle",
         "-p", "no:asyncio", "-o", f"rolecall_image={image}", "."],
        cwd=tmp_path, capture_output=True, text=True, timeout=3 * PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout or "4 passed, 1 skipped" in done.stdout


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
