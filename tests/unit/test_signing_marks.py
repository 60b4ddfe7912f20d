"""Marks in memory of a fixed size, alone and shared by workers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rolecall.domain.reasons import Reason, Refused
from rolecall.signing import marks
from rolecall.signing.marks import Marks
from rolecall.signing.replay import NonceMemory, SignatureMemory

NUMBERS = 1 << 32


def mark(number: int) -> bytes:
    """Those of numbers that are alike modulo 8 share a slot."""
    return (number % 8).to_bytes(4, "little") + number.to_bytes(12, "little")


def number_from(found: Marks, number: int) -> None:
    """Give the next record this number."""
    _, count, chunks = marks._HEADER.unpack_from(found._buffer, marks._KEY.size)
    marks._HEADER.pack_into(found._buffer, marks._KEY.size, number, count, chunks)


@pytest.fixture(params=["alone", "shared"])
def workers(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[int], Sequence[Marks]]:
    """Makes the memory of a server, as each of its processes sees it."""
    monkeypatch.setattr(marks, "_CHUNK", 4)

    def make(most: int) -> Sequence[Marks]:
        if request.param == "alone":
            return [Marks("I", most)]
        file = tmp_path / "marks"
        file.unlink(missing_ok=True)
        return [Marks("I", most, file) for _ in range(2)]

    return make


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    kept=st.lists(st.one_of(st.integers(0, 30), st.none()), max_size=120),
    most=st.integers(1, 40),
    first=st.sampled_from([0, NUMBERS - 64]),
)
def test_it_remembers_as_a_dictionary_does(
    workers: Callable[[int], Sequence[Marks]], kept: Sequence[int | None], most: int, first: int
) -> None:
    made, model = workers(most), OrderedDict[int, int]()
    number_from(made[0], first)
    records: list[int] = []
    for turn, number in enumerate(kept):
        found = made[turn % len(made)]
        if number is None and records:
            found.forget_oldest()
            if model.get(gone := records.pop(0)) is not None and gone not in records:
                del model[gone]
        elif number is not None:
            if found.is_full():
                assert len(records) == most
                continue
            found.keep(mark(number), turn)
            records.append(number)
            model[number] = turn
        other = made[(turn + 1) % len(made)]
        assert len(other) == len(records)
    for each in range(31):
        assert made[0].find(mark(each)) == (None if each not in model else (model[each],))


def test_processes_share_marks_key_and_counters(tmp_path: Path) -> None:
    one, two = (Marks("I", 10, tmp_path / "marks") for _ in range(2))
    one.keep(b"m" * 16, 7)
    assert two.find(b"m" * 16) == (7,)
    assert one.counter(b"abcd", 1) == two.counter(b"abcd") == 1
    assert one.key == two.key != Marks("I", 10).key
    assert (tmp_path / "marks").stat().st_mode & 0o777 == 0o600


def test_a_nonce_is_good_once_for_all_workers(tmp_path: Path) -> None:
    one, two = (NonceMemory(900, per_key=2, file=tmp_path / "nonces") for _ in range(2))
    one.check("a", "n", 0)
    with pytest.raises(Refused) as refused:
        two.check("a", "n", 1)
    assert refused.value.reason is Reason.NONCE_REUSED
    two.check("a", "m", 1)
    with pytest.raises(Refused) as refused:
        one.check("a", "o", 1)
    assert refused.value.reason is Reason.RATE_EXCEEDED


def test_a_full_disk_refuses_nonces_and_forgets_signatures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writing to a page that has no space on the disk would end the process (SIGBUS)."""
    nonces = NonceMemory(900, file=tmp_path / "nonces")
    signatures = SignatureMemory(file=tmp_path / "signatures")._marks

    def full(file: int, start: int, end: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(marks, "_fill", full)
    for number in range(2 * marks._CHUNK):
        nonces.check("a", str(number), 0)
    with pytest.raises(Refused) as refused:
        nonces.check("a", "another", 0)
    assert refused.value.reason is Reason.RATE_EXCEEDED
    for number in range(3 * marks._CHUNK):
        while signatures.is_full():
            signatures.forget_oldest()
        signatures.keep(number.to_bytes(16, "big"), 0, 0, b"", b"")
    assert marks._CHUNK < len(signatures) <= 2 * marks._CHUNK


def test_a_mark_takes_sixty_bytes() -> None:
    before, memory = _resident(), SignatureMemory()._marks
    for number in range(100_000):
        memory.keep((number * 0x9E3779B97F4A7C15 % 2**128).to_bytes(16, "little"), 0, 0, b"", b"")
    assert (_resident() - before) / 100_000 < 70  # Python's own objects come and go
    assert memory._record.size == 56


def _resident() -> int:
    """Bytes."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * marks.mmap.PAGESIZE
