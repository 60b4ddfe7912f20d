"""The unmodified tccli, as a person or a script runs it, against a running Rolecall."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

TCCLI = Path(sys.executable).with_name("tccli")
PASSWORD = "Test_password1"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def tccli(rolecall: Any, tmp_path: Path) -> Run:
    """`tccli postgres ...` with the key in the environment; plain HTTP is had by an endpoint with a scheme."""
    variables = {
        **os.environ,
        "HOME": str(tmp_path),
        "TENCENTCLOUD_SECRET_ID": rolecall.tencent["secret_id"],
        "TENCENTCLOUD_SECRET_KEY": rolecall.tencent["secret_key"],
        "TENCENTCLOUD_REGION": rolecall.tencent["region"],
    }

    def run(*arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
        command = [TCCLI, "postgres", *arguments, "--endpoint", rolecall.endpoint]
        return subprocess.run(command, env=variables | changed, capture_output=True, text=True, timeout=120)

    return run


def refusal(done: subprocess.CompletedProcess[str]) -> tuple[str, str]:
    """Code and request id of `[TencentCloudSDKException] code:.. message:.. requestId:..` on standard error."""
    assert done.returncode == 255
    assert done.stdout == ""
    code = done.stderr.partition("code:")[2].split(" ", 1)[0]
    return code, done.stderr.rpartition("requestId:")[2].strip()


def test_every_action_of_tccli_does_on_the_engine_what_it_says(
    tccli_call: Callable[..., Mapping[str, Any]], live: Callable[..., None]
) -> None:
    live(partial(tccli_call, "postgres"), listed=("table", "function"))


def test_accounts_are_made_and_removed_by_options_on_the_command_line(
    tccli: Run, rolecall: Any, engine: Any, name: Any
) -> None:
    user = name()
    of = ("--DBInstanceId", rolecall.instance_id, "--UserName", user)
    made = tccli("CreateAccount", *of, "--Type", "normal", "--Password", PASSWORD, "--OpenCam", "False")
    assert made.returncode == 0, made.stderr
    assert engine.can_log_in(user, PASSWORD)

    account = json.dumps({"ObjectType": "account", "ObjectName": user})
    asked = tccli("DescribeAccountPrivileges", *of, "--DatabaseObjectSet", f"[{account}]")
    assert json.loads(asked.stdout)["PrivilegeSet"][0]["PrivilegeSet"] == ["normal"]

    assert tccli("DeleteAccount", *of).returncode == 0
    assert engine.role(user) is None


def test_a_refused_call_ends_with_status_255_and_the_code_on_standard_error(
    tccli: Run, rolecall: Any, engine: Any, name: Any
) -> None:
    user = name()
    of = ("--DBInstanceId", rolecall.instance_id, "--UserName", user, "--Type", "normal")
    code, request_id = refusal(tccli("CreateAccount", *of, "--Password", "short", "--language", "en-US"))
    assert code == "InvalidParameterValue.InvalidPasswordLengthError"
    assert len(request_id) == 36
    assert engine.role(user) is None


def test_a_wrong_key_ends_with_status_255_and_the_code_on_standard_error(tccli: Run) -> None:
    code, _ = refusal(tccli("DescribeRegions", TENCENTCLOUD_SECRET_KEY="x" * 32))
    assert code == "AuthFailure.SignatureFailure"
