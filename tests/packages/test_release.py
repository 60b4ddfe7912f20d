"""A release: the workflows of the forge, the version and the changelog."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.packages.conftest import ROOT
from tests.waiting import PATIENCE

import rolecall

BIN = Path(sys.executable).parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_workflows_are_valid_and_their_linter_has_no_complaint() -> None:
    checks = (
        [BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows"],
        [BIN / "zizmor", "--offline", "--no-progress", "--quiet"],
    )
    for check in checks:
        done = subprocess.run(
            [*check, *WORKFLOWS], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_runs_what_is_there(workflow: Path) -> None:
    steps = [
        step.get("run", "")
        for job in yaml.safe_load(workflow.read_text("utf-8"))["jobs"].values()
        for step in job.get("steps", ())
    ]
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for run in steps:
        assert all((ROOT / name).exists() for name in re.findall(r"(?:scripts|\.ci)/[\w-]+", run))
        for words in re.findall(r"^make (.+)$", run, re.MULTILINE):
            assert set(words.split()) <= targets


def test_the_changelog_has_the_version_or_announces_it() -> None:
    released = re.search(rf"^## \[{re.escape(rolecall.__version__)}\] - ", CHANGELOG, re.MULTILINE)
    unreleased = re.search(r"^## \[Unreleased\]\n(.*?)(?=^## |\Z)", CHANGELOG, re.MULTILINE | re.DOTALL)
    assert released or (unreleased and f"will be {rolecall.__version__}" in unreleased[1])


def notes(root: Path, tag: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, root / "scripts" / "release-notes", tag],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """A checkout whose version is 4.5.6, as the changelog says."""
    (tmp_path / "scripts").mkdir()
    for name in ("release-notes", "package_metadata.py"):
        shutil.copy(ROOT / "scripts" / name, tmp_path / "scripts")
    package = tmp_path / "src" / "rolecall"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('"""Rolecall."""\n\n__version__ = "4.5.6"\n')
    (tmp_path / "CHANGELOG.md").write_text(
        "# Changelog\n\n## [Unreleased]\n\n## [4.5.6] - 2027-01-31\n\n### Added\n\n- **Doors** ([d](docs/d.md)).\n\n"
        "## [4.5.5] - 2026-12-31\n\n- Windows.\n"
    )
    return tmp_path


def test_the_notes_of_a_release_are_its_section(released: Path) -> None:
    assert notes(released, "v4.5.6").stdout == "### Added\n\n- **Doors** ([d](docs/d.md)).\n"
    linked = notes(released, "v4.5.6", PROJECT_URL="https://forge.example/rolecall").stdout
    assert "[d](https://forge.example/rolecall/blob/main/docs/d.md)" in linked


def test_a_tag_of_another_version_and_a_version_without_notes_are_refused(released: Path) -> None:
    other = notes(released, "v4.5.7")
    assert (other.returncode, other.stdout) == (1, "")
    assert "v4.5.6" in other.stderr
    (released / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n\n- Doors.\n")
    missing = notes(released, "v4.5.6")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "no section [4.5.6]" in missing.stderr
