"""What is in the wheel and the sdist, and that a build depends on nothing but the sources."""

from __future__ import annotations

import email
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.message import Message
from pathlib import Path

from tests.packages.conftest import ROOT, Packages, build
from tests.waiting import PATIENCE

import rolecall

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def metadata_of(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as opened:
        (name,) = [each for each in opened.namelist() if each.endswith(".dist-info/METADATA")]
        return email.message_from_string(opened.read(name).decode())


def test_the_wheel_holds_the_package_and_its_metadata_and_nothing_else(packages: Packages) -> None:
    with zipfile.ZipFile(packages.wheel) as opened:
        names = set(opened.namelist())
    metadata = {name for name in names if ".dist-info/" in name}
    source = ROOT / "src"
    assert names - metadata == {
        str(path.relative_to(source))
        for path in (source / "rolecall").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name.partition("/")[2] for name in metadata} == {
        "METADATA",
        "RECORD",
        "WHEEL",
        "entry_points.txt",
        "licenses/LICENSE",
    }


def test_the_sdist_holds_what_builds_and_tests_the_package(packages: Packages) -> None:
    with tarfile.open(packages.sdist) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    for needed in ("PKG-INFO", "LICENSE", "Makefile", "requirements.lock", "src/rolecall/py.typed"):
        assert needed in names
    assert {name.partition("/")[0] for name in names} >= {"bench", "docs", "scripts", "tests", "vectors"}
    assert not {name.partition("/")[0] for name in names} & {".venv", ".git", "build", "dist"}


def test_the_version_is_the_modules(packages: Packages) -> None:
    metadata = metadata_of(packages.wheel)
    assert metadata["Version"] == rolecall.__version__
    assert packages.sdist.name == f"rolecall-{rolecall.__version__}.tar.gz"
    assert "version" in PROJECT["dynamic"]


def test_a_build_of_the_sdist_gives_the_same_wheel(packages: Packages, tmp_path: Path) -> None:
    """As `pip install rolecall-VERSION.tar.gz` builds it, but with the build tools of the lock file."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", tmp_path, packages.sdist], check=True, timeout=PATIENCE)
    (rebuilt,) = tmp_path.glob("*.whl")
    assert rebuilt.read_bytes() == packages.wheel.read_bytes()


def test_a_package_names_the_place_of_the_project_where_it_is_known(
    packages: Packages, tmp_path: Path
) -> None:
    assert metadata_of(packages.wheel)["Project-URL"] is None
    placed = metadata_of(build(tmp_path, PROJECT_URL="https://forge.example/rolecall/").wheel)
    urls = dict(url.split(", ") for url in placed.get_all("Project-URL") or [])
    assert set(urls) == {"Homepage", "Source", "Documentation", "Changelog", "Issues"}
    assert urls["Homepage"] == "https://forge.example/rolecall"
    readme = str(placed.get_payload())
    assert "](https://forge.example/rolecall/blob/main/docs/clients.md)" in readme
    assert "](https://forge.example/rolecall/raw/main/docs/pictures/instance.png)" in readme
    assert "](docs/" not in readme
