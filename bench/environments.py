"""Virtual environments for programs that are compared with, outside this repository and its dependencies."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def missing(place: Path | None, option: str, packages: Sequence[str], imports: str) -> str:
    """Why `imports` cannot be imported in the environment at `place`; empty if they can, installed now if need be.

    Packages come from the index that pip is set to. `option`: of the command line, for the environment's place.
    """
    if place is None:
        return f"no {option} DIR was given"
    python = place / "bin" / "python"
    try:
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", place], check=True, capture_output=True)
        known = subprocess.run([python, "-c", f"import {imports}"], check=False, capture_output=True)
        if known.returncode:
            install: list[str | Path] = [python, "-m", "pip", "install", "--quiet", *packages]
            subprocess.run(install, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        return f"it cannot be installed: {error}"
    return ""
