"""What `rolecall restore` does not overwrite."""

from __future__ import annotations

from pathlib import Path

import pytest

from rolecall.cli.backups.restoring import _filled
from rolecall.cli.data import DataDirectory
from rolecall.cli.errors import CommandError


def test_a_home_that_came_while_the_backup_was_verified_stays(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "home")
    directory.path.mkdir(mode=0o700)
    kept = directory.path / "secrets.json"
    kept.write_text("{}")
    with pytest.raises(CommandError, match="is not empty"), _filled(directory):
        pass
    assert kept.exists()
    assert not directory.restoring.exists()


def test_what_an_interrupted_restore_left_is_deleted(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "home")
    directory.path.mkdir(mode=0o700)
    directory.restoring.touch()
    left = directory.path / "secrets.json"
    left.write_text("{}")
    with _filled(directory):
        assert not left.exists()
    assert not directory.restoring.exists()
