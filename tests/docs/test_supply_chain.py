"""What is shipped is listed, and credentials are kept out of the repository."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)


def _locked() -> set[tuple[str, str]]:
    return {(name, version) for name, version in PINNED.findall((ROOT / "requirements.lock").read_text())}


def test_the_bill_of_materials_names_every_locked_package(tmp_path: Path) -> None:
    target = tmp_path / "sbom.json"
    command = [Path(sys.executable).with_name("cyclonedx-py"), "requirements", ROOT / "requirements.lock"]
    command += ["--pyproject", ROOT / "pyproject.toml", "--output-reproducible", "-o", target]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    document = json.loads(target.read_text())
    assert (document["bomFormat"], document["metadata"]["component"]["name"]) == ("CycloneDX", "rolecall")
    assert {(each["name"], each["version"]) for each in document["components"]} == _locked()
    assert all(
        reference["hashes"] for each in document["components"] for reference in each["externalReferences"]
    )


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("password = 'Right-Horse-42'\n", 0),
        ("-----BEGIN " + "RSA PRIVATE KEY-----\nMIIEow==\n", 1),
        ("key = '" + "AKIA" + "IOSFODNN7EXAMPL2'\n", 1),
    ],
)
def test_a_credential_in_a_file_is_found(tmp_path: Path, text: str, status: int) -> None:
    file = tmp_path / "config.py"
    file.write_text(text)
    scanned = subprocess.run([ROOT / "scripts" / "scan-secrets", file], capture_output=True, timeout=120)
    assert scanned.returncode == status, scanned.stdout.decode()
