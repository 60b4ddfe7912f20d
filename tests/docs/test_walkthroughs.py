"""The README and the tutorial: their commands run as they stand, and print what the pages show."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text("utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def run(rolecall: Any, text: str, directory: Path) -> str:
    """The output of a page's commands in one shell. `rolecall env` finds this Rolecall by ROLECALL_DATA."""
    done = subprocess.run(
        ["sh"],
        input="\n".join(blocks(text, "sh")),
        cwd=directory,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(directory),
            "ROLECALL_DATA": str(rolecall.data),
            "NO_PROXY": "127.0.0.1",
            "COLUMNS": "200",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    return done.stdout


def plain(text: str) -> str:
    """Text in which ids and white space do not count."""
    return " ".join(re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", text).split())


def test_the_readmes_calls_create_accounts(rolecall: Any, tmp_path: Path) -> None:
    if "openstack" not in rolecall.ready:
        pytest.skip("no MariaDB on this system")
    printed = run(rolecall, README, tmp_path)
    assert '{ "RequestId": "ID" }' in plain(printed)
    assert "| name | shop_user |" in plain(printed)
    assert rolecall.can_log_in("app_user", "Test_password1")
    assert rolecall.code("CreateAccount", UserName="app_user", Password="Test_password1", Type="normal") == (
        "FailedOperation.PreCheckError"
    )
    rolecall.ok("DeleteAccount", UserName="app_user")


def test_the_tutorials_commands_print_what_it_shows(rolecall: Any, tmp_path: Path) -> None:
    printed = plain(run(rolecall, TUTORIAL, tmp_path))
    place = 0
    for shown in blocks(TUTORIAL, "text")[1:]:  # the first is what `make run` prints
        for line in shown.splitlines():
            found = printed.find(plain(line), place)
            assert found >= 0, (line, printed[place:])
            place = found
    assert "tutorial - normal managed no my first account" in printed
    assert not rolecall.can_log_in("tutorial", "Test_password1")
    assert rolecall.sql("SELECT rolname FROM pg_roles WHERE rolname IN ('tutorial', 'clerks_own')") == []
