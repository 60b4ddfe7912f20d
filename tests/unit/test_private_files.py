"""Files that hold secrets: how they are written, where, and who may come between."""

from __future__ import annotations

import errno
import json
import os
import signal
import stat
from pathlib import Path
from typing import Any

import pytest

from rolecall.cli.data import DataDirectory, read_ready
from rolecall.cli.errors import CommandError
from rolecall.cli.private_files import new_private_file, write_private
from rolecall.local.account import Account

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for several accounts")


def test_a_data_directory_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    data = DataDirectory(tmp_path / "deep" / "data")
    with data.claimed():
        assert data.path.stat().st_mode & 0o7777 == 0o700


@pytest.mark.parametrize("mode", [0o777, 0o707, 0o702])
def test_a_directory_that_others_may_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(mode)
    with pytest.raises(CommandError, match="chmod go-w"), DataDirectory(tmp_path / "data").claimed():
        pass
    with pytest.raises(CommandError, match="chmod go-w"):
        write_private(tmp_path / "data" / "ready.json", {"secret": "x"})
    assert list((tmp_path / "data").iterdir()) == []


@as_root
def test_a_directory_of_another_account_or_group_is_refused(tmp_path: Path) -> None:
    theirs, shared = tmp_path / "theirs", tmp_path / "shared"
    theirs.mkdir()
    os.chown(theirs, 65534, 65534)
    shared.mkdir()
    os.chown(shared, 0, 65534)
    shared.chmod(0o770)
    for place, told in ((theirs, "another account"), (shared, "chmod go-w")):
        with pytest.raises(CommandError, match=told):
            write_private(place / "ready.json", {})


def test_in_a_sticky_directory_a_prepared_link_or_file_gets_nothing(tmp_path: Path) -> None:
    """What lay there under the name that the draft used to have: a link overwrote its target, a file kept its owner."""
    shared = tmp_path / "tmp"
    shared.mkdir()
    shared.chmod(0o1777)
    victim = tmp_path / "victim"
    victim.write_text("theirs")
    (shared / f".ready.json.{os.getpid()}").symlink_to(victim)
    write_private(shared / "ready.json", {"secret": "x"})
    assert victim.read_text() == "theirs"
    assert json.loads((shared / "ready.json").read_text()) == {"secret": "x"}
    assert (shared / "ready.json").stat().st_mode & 0o7777 == 0o600


def test_a_link_in_the_place_of_the_file_is_replaced_and_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("theirs")
    (tmp_path / "ready.json").symlink_to(victim)
    write_private(tmp_path / "ready.json", {})
    assert (victim.read_text(), (tmp_path / "ready.json").is_symlink()) == ("theirs", False)


def test_nothing_is_left_of_what_could_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CommandError, match="No space left"):
        write_private(tmp_path / "ready.json", {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["{", "[]", "\0"])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    data = DataDirectory(tmp_path)
    for name, read in (
        ("secrets.json", data.secrets),
        ("connection.json", data.connection),
        ("ready.json", lambda: read_ready(data.ready)),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(CommandError, match=f"{name} is damaged"):
            read()


def test_no_second_master_key_is_made_for_a_store(tmp_path: Path) -> None:
    data = DataDirectory(tmp_path)
    data.store.mkdir()
    with pytest.raises(CommandError, match=r"secrets\.json is lost"):
        data.secrets()
    assert not (tmp_path / "secrets.json").exists()
    data.keep_secrets({"master_key": "no key"})
    with pytest.raises(CommandError, match="master key of the data directory is damaged"):
        assert data.secrets().master_keys


def test_a_directory_that_cannot_be_locked_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(CommandError, match="cannot use"), DataDirectory(tmp_path).claimed():
        pass


def test_adopting_never_goes_by_a_path_that_the_account_could_bend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is inside changes hands before its directory does, each entry by its directory's descriptor."""
    (tmp_path / "top" / "sub").mkdir(parents=True)
    (tmp_path / "top" / "sub" / "file").touch()
    (tmp_path / "top" / "link").symlink_to(tmp_path)
    calls: list[tuple[str, bool, bool]] = []

    def record(path: Any, *_: int, dir_fd: int | None = None, follow_symlinks: bool = True) -> None:
        calls.append((os.fspath(path), dir_fd is not None, follow_symlinks))

    monkeypatch.setattr(os, "chown", record)
    Account(1, 1, switch=True).adopt(tmp_path / "top")
    assert sorted(calls[1:3]) == [("link", True, False), ("sub", True, False)]
    assert (calls[0], calls[3]) == (("file", True, False), (str(tmp_path / "top"), False, False))


def fill(path: Path) -> None:
    with new_private_file(path) as file:
        file.write(b"content")
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_new_file_is_whole_and_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "new"
    with new_private_file(path) as file:
        file.write(b"content")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"content", 0o600)
    with pytest.raises(CommandError, match="File exists"), new_private_file(path):
        pass
    assert path.read_bytes() == b"content"


def test_a_new_file_that_is_not_finished_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "new"
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        fill(path)
    with pytest.raises(CommandError, match=r"cannot write .*new: No space left"), new_private_file(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert not path.exists()
    assert signal.getsignal(signal.SIGTERM) is before
