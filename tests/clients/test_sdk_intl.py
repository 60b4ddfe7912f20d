"""The unmodified tencentcloud-sdk-python-intl-en, in a process of its own, against a running Rolecall."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

DRIVER = Path(__file__).with_name("intl_driver.py")
PACKAGES = Path(sys.executable).parent.parent / "intl"
Call = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]


@pytest.fixture
def driver(rolecall: Any) -> Iterator[subprocess.Popen[str]]:
    variables = {
        **os.environ,
        "PYTHONPATH": str(PACKAGES),
        "TENCENTCLOUD_SECRET_ID": rolecall.tencent["secret_id"],
        "TENCENTCLOUD_SECRET_KEY": rolecall.tencent["secret_key"],
    }
    command = [sys.executable, DRIVER, rolecall.netloc, rolecall.tencent["region"]]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=variables, **pipes) as process:
        yield process
        process.stdin.close()
        assert process.wait(120) == 0


@pytest.fixture
def international(driver: subprocess.Popen[str], refused: Callable[[str, str], Exception]) -> Call:
    def call(action: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        driver.stdin.write(json.dumps([action, params]) + "\n")
        driver.stdin.flush()
        answer: dict[str, Any] = json.loads(driver.stdout.readline())
        if "response" not in answer:
            raise refused(answer["code"], answer["request_id"])
        response: Mapping[str, Any] = answer["response"]
        return response

    return call


def test_every_action_of_the_international_sdk_does_on_the_engine_what_it_says(
    international: Call, live: Callable[..., None]
) -> None:
    live(international, lacks=frozenset({"DeleteDatabase"}))


def test_the_driver_runs_the_international_package() -> None:
    """Else the test above would prove the Chinese one twice."""
    code = (
        "from tencentcloud.postgres.v20170312 import models as m;"
        "print(m.__file__, hasattr(m, 'DeleteDatabaseRequest'))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(PACKAGES)}, capture_output=True, text=True, check=True
    )
    module, has_delete_database = done.stdout.split()
    assert Path(module).is_relative_to(PACKAGES)
    assert has_delete_database == "False"
