"""Tencent's SDK for Java under each of its signatures."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.clients.toolchains import TENCENT, lines, prepare, require

SOURCE = Path(__file__).with_name("java")
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.1.2:copy-dependencies"


def test_tencents_sdk_creates_lists_and_deletes_an_account(
    rolecall: Any, tmp_path: Path, name: Callable[[str], str]
) -> None:
    require("java", "mvn")
    program = shutil.copytree(SOURCE, tmp_path / "clients")
    prepare(["mvn", "-B", "-q", COPY, "-DoutputDirectory=lib", "-DincludeScope=runtime"], program)
    key = rolecall.tencent["secret_id"], rolecall.tencent["secret_key"]
    where = rolecall.tencent["region"], rolecall.instance_id, name("java")
    command = ["java", "-cp", "lib/*", "Tencent.java", rolecall.netloc, *key, *where]
    assert lines(command, program) == TENCENT
