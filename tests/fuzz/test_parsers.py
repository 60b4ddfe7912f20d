"""Parsers of what strangers send: no bytes crash one, and none cost more than a plain walk over so many bytes.

Cost is the processor's time of this thread, against that of a walk over the same bytes that is measured beside it, so
that a busy machine slows down both.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fuzz.targets import TARGETS, Target

EVERY = pytest.mark.parametrize("name", TARGETS)
FAMILIES = pytest.mark.parametrize(
    ("name", "family"), [(name, family) for name, target in TARGETS.items() for family in target.hostile]
)

SIZE = 1024 * 1024
WALKS = 8
"""How many walks over its bytes, at most, an input may cost for each time that a target reads it.

A hundred thousand names in a dictionary take three to four on an idle machine, and almost six beside work that needs
the same memory; what grows faster than its input takes thousands.
"""

MEMORY = 24
"""Bytes of memory for each byte of input, beyond `MEMORY_FLOOR`."""

MEMORY_FLOOR = 4 * 1024 * 1024

READS = {"tc3": 7, "v1": 3, "rpc": 3, "acs3": 7, "openstack": 5, "multipart": 2, "forms": 3, "tokens": 2}
"""How often a target gives its input to a parser; once where it is not told here."""

CALM = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@EVERY
@CALM
@given(data=st.data())
def test_no_bytes_crash_a_parser(name: str, data: st.DataObject) -> None:
    target = TARGETS[name]
    target.run(data.draw(inputs(target)))


def inputs(target: Target) -> st.SearchStrategy[bytes]:
    """Bytes of any kind, and the seeds with pieces of them cut out, repeated or replaced."""
    return st.binary(max_size=400) | st.builds(
        changed, st.sampled_from(target.seeds), st.lists(changes(), max_size=6)
    )


Change = tuple[float, float, bytes, int]


def changes() -> st.SearchStrategy[Change]:
    """Where, as parts of the whole; what is put there; and how often what stood there."""
    pieces = st.sampled_from(
        [
            b"",
            b"\0",
            b"\xff",
            b"%",
            b"%00",
            b"&",
            b"=",
            b"a=",
            b'"',
            b"[",
            b"{",
            b"\\ud800",
            b"\r\n",
            b"<",
            b"&#0;",
            b"/",
            b".",
            b"--b",
        ]
    )
    return st.tuples(st.floats(0, 1), st.floats(0, 1), pieces | st.binary(max_size=8), st.integers(0, 40))


def changed(seed: bytes, edits: list[Change]) -> bytes:
    for start, end, piece, times in edits:
        first, last = sorted((int(start * len(seed)), int(end * len(seed))))
        seed = (seed[:first] + piece + seed[first:last] * times + seed[last:])[:20_000]
    return seed


@FAMILIES
def test_no_input_costs_more_than_a_walk_over_it(name: str, family: str) -> None:
    target = TARGETS[name]
    data = target.hostile[family](SIZE)
    allowed = WALKS * READS.get(name, 1)
    cost = min(costs(lambda: target.run(data), enough=lambda taken: taken <= allowed * walk(data)))
    assert cost <= allowed * walk(data)


def costs(run: Callable[[], None], enough: Callable[[float], bool]) -> Iterator[float]:
    """The processor's time of up to four tries, until one is low enough: other things may cost this thread time too."""
    for _ in range(4):
        began = time.thread_time()
        run()
        taken = time.thread_time() - began
        yield taken
        if enough(taken):
            return


def walk(data: bytes) -> float:
    """The time of one plain walk over the bytes."""
    began = time.thread_time()
    seen = 0
    for byte in data:
        seen += byte
    return time.thread_time() - began


@FAMILIES
def test_no_input_takes_more_memory_than_its_size_allows(name: str, family: str) -> None:
    target = TARGETS[name]
    data = target.hostile[family](SIZE)
    target.run(data[:1000])
    tracemalloc.start()
    try:
        target.run(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= MEMORY_FLOOR + MEMORY * len(data)


def test_the_largest_body_of_all_costs_a_stranger_nothing_but_its_bytes() -> None:
    """A3: 9 MB of nested lists took 4.5 s and 455 MB before the signature was looked at."""
    data = TARGETS["tc3"].hostile["nested lists"](9 * 1024 * 1024)
    walked = walk(data)
    assert min(costs(lambda: TARGETS["tc3"].run(data), enough=lambda taken: taken <= walked)) <= walked
    tracemalloc.start()
    try:
        TARGETS["tc3"].run(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= 10 * len(data)
