"""Standard streams that are full, closed or not read to their end, and texts that no terminal should get."""

from __future__ import annotations

import subprocess

import pytest
from tests.program.served import PROGRAM

from rolecall.cli.errors import CommandError
from rolecall.cli.failures import explain


def run(script: str) -> tuple[int, str]:
    """Exit status and standard error of a shell's script, whose ``"$@"`` is the program."""
    done = subprocess.run(
        ["/bin/bash", "-c", script, "sh", PROGRAM], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("script", "ends"),
    [
        ('"$@" version > /dev/full', (1, "rolecall: No space left on device\n")),
        ('"$@" --help > /dev/full', (1, "rolecall: No space left on device\n")),
        ('"$@" version >&- <&-', (0, "")),
        ('"$@" --help | true; exit ${PIPESTATUS[0]}', (1, "")),
    ],
)
def test_output_that_cannot_be_written_is_no_crash(script: str, ends: tuple[int, str]) -> None:
    assert run(script) == ends


def test_an_argument_in_another_encoding_is_no_crash() -> None:
    with pytest.raises(UnicodeEncodeError) as error:
        "caf\udce9".encode()
    assert explain(error.value) == r"'\udce9' is not a text in utf-8"


def test_errors_of_files_name_them_and_no_text_controls_the_terminal() -> None:
    assert explain(PermissionError(13, "Permission denied", "/etc/lock")) == "/etc/lock: Permission denied"
    assert explain(CommandError("no \x1b[31mred\x1b[0m\nsecond")) == "no \\x1b[31mred\\x1b[0m\nsecond"
    assert explain(ValueError("a bug")) is None
