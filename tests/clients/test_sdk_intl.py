"""The unmodified tencentcloud-sdk-python-intl-en, in a process of its own, against a running Rolecall."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tests.clients.conftest import INTERNATIONAL


def test_every_action_of_the_international_sdk_does_on_the_engine_what_it_says(
    international: Callable[..., Mapping[str, Any]], live: Callable[..., None]
) -> None:
    live(partial(international, "postgres"), lacks=frozenset({"DeleteDatabase"}))


def test_the_driver_runs_the_international_package() -> None:
    """Else the test above would prove the Chinese one twice."""
    code = (
        "from tencentcloud.postgres.v20170312 import models as m;"
        "print(m.__file__, hasattr(m, 'DeleteDatabaseRequest'))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": str(INTERNATIONAL)},
        capture_output=True,
        text=True,
        check=True,
    )
    module, has_delete_database = done.stdout.split()
    assert Path(module).is_relative_to(INTERNATIONAL)
    assert has_delete_database == "False"
