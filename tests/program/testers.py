"""The example of docs/testing.md, run as testers run it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.waiting import PATIENCE

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


def passes_example(python: Path, directory: Path, environment: Mapping[str, str], *options: str) -> None:
    """Run it with the fixtures of the package that `python` has."""
    found = re.search(r'```python title="(test_\w+\.py)"\n(.*?)```', PAGE.read_text("utf-8"), re.DOTALL)
    assert found
    (directory / found[1]).write_text(found[2], "utf-8")
    (directory / "test_a_dialects.py").write_text(OTHER_DIALECTS, "utf-8")
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:detangle", "-p",
         "no:asyncio", *options, "."],
        cwd=directory, env=environment, capture_output=True, text=True, timeout=3 * PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout or "4 passed, 1 skipped" in done.stdout
