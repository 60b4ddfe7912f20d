"""Which servers a backup of a data directory holds."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from rolecall.cli.backups.backing_up import ServerCopy, _copied, _place
from rolecall.cli.data import DataDirectory
from rolecall.cli.errors import CommandError
from rolecall.domain.instances.registry import Instance, Phase, Provision
from rolecall.local.mariadb import LocalMariaDB
from rolecall.values import Secret


@pytest.fixture
def directory(tmp_path: Path) -> DataDirectory:
    for name, port in (("quickstart", 5001), ("quickstart-mysql", 5002)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "port").write_text(f"{port}\n")
    return DataDirectory(tmp_path)


def instance(
    engine: str = "postgresql", host: str = "127.0.0.1", port: int = 1, phase: Phase | None = None
) -> Instance:
    provision = None if phase is None else Provision("pd-1", phase)
    return Instance(
        1, 1, engine, "name", host, port, "postgres", b"", "postgres", {}, "region", "zone", False, None, 1,
        datetime.now(UTC), (), {"tencent": "postgres-1"}, provision,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("host", "port", "place"),
    [
        ("127.0.0.1", 5001, "quickstart"),
        ("127.0.0.1", 5002, "quickstart-mysql"),
        ("127.0.0.1", 5003, None),
        ("db.example", 5001, None),
    ],
)
def test_the_quickstart_servers_are_known_by_their_addresses(
    directory: DataDirectory, host: str, port: int, place: str | None
) -> None:
    assert _place(directory, instance(host=host, port=port)) == place


@pytest.mark.parametrize("phase", Phase)
def test_servers_of_callers_are_copied_at_rest(directory: DataDirectory, phase: Phase) -> None:
    if phase in (Phase.RUNNING, Phase.ISOLATED):
        assert _place(directory, instance(phase=phase)) == "instances/pd-1"
    elif phase in (Phase.CREATING, Phase.DELETING, Phase.FAILED):
        assert _place(directory, instance(phase=phase)) is None
    else:
        with pytest.raises(CommandError, match="the server of postgres-1 is being started or stopped now"):
            _place(directory, instance(phase=phase))


@pytest.mark.parametrize(
    ("engine", "phase", "has_files"),
    [
        ("postgresql", Phase.RUNNING, True),
        ("postgresql", Phase.ISOLATED, True),
        ("mysql", Phase.RUNNING, False),
        ("mysql", Phase.ISOLATED, True),
    ],
)
def test_the_files_of_a_server_that_does_not_run_are_copied(
    tmp_path: Path, engine: str, phase: Phase, has_files: bool
) -> None:
    if engine == "mysql" and not LocalMariaDB.is_available():
        pytest.skip("MariaDB is not installed")
    copy, _ = _copied(tmp_path, "instances/pd-1", instance(engine, phase=phase), Secret("x"))
    assert copy.has_files == has_files


def test_a_backup_does_not_choose_a_place_outside_the_directory() -> None:
    copy = ServerCopy(
        place="", engine="mysql", instances=[1], administrator="root", password="x", kind="", has_files=True
    )
    facts = msgspec.to_builtins(copy)
    for place in ("quickstart", "quickstart-mysql", "instances/pd-1", "instances/rc.5f-a_2"):
        assert msgspec.convert(facts | {"place": place}, ServerCopy).place == place
    for place in (
        "../other",
        "/etc",
        "instances/..",
        "instances/../store",
        "instances/a/b",
        "store",
        "instances/a\n",
    ):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(facts | {"place": place}, ServerCopy)
