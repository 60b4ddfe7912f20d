"""Marks of calls with a few values each, in order of coming, in memory that the workers of a server may share.

A mark is a digest, and a record has a fixed number of bytes: an object of Python's takes eight times as many. A record
names the one before it that has the same slot in a table, where the newest of each slot is found:

    newest of the slot -> record 907 -> record 455 -> record 12, which is forgotten: the chain ends

So forgetting the oldest is a matter of counting. Records are numbered modulo 2**32; a number that comes again may lead
to a record of another slot, whose mark is another one. Chunks of records are used again, so that memory follows the
number of marks.

Processes that share a file hold a lock while they read or write it. The kernel releases the lock of a process that
ends, and what that process had not finished counts as not begun.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from struct import Struct
from typing import Any

MARK = 16
"""Bytes of a mark. Slots are taken from it, so callers must not be able to choose them: `key`."""

_CHUNK = 4096
"""Records in a chunk. A file has space for two from the beginning."""
_SLOTS = 1 << 17
_COUNTERS = 1 << 16
_NUMBERS = 0xFFFF_FFFF

_KEY = Struct("<16s")
_HEADER = Struct("<III")
"""The number of the next record, the number of records, and the number of chunks that have memory."""
_NUMBER = Struct("<I")
_PLACE = Struct("<H")


class Marks:
    """At most `most` records with values in `layout`, a format of `struct`; in `file` for several processes.

    OSError if the file cannot be written.
    """

    def __init__(self, layout: str, most: int, file: Path | None = None) -> None:
        self._most = most
        self._values = Struct(f"<{layout}")
        self._record = Struct(f"<{MARK}sI{layout}")
        self._chunks = 2
        while self._chunks * _CHUNK < most + 2 * _CHUNK:  # a power of two, as the number of numbers is
            self._chunks *= 2
        self._places = _KEY.size + _HEADER.size
        self._slots = self._places + self._chunks * _PLACE.size
        self._counters = self._slots + _SLOTS * _NUMBER.size
        self._records = self._counters + _COUNTERS * _NUMBER.size
        length = self._end_of(self._chunks)
        self._file = None if file is None else os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if self._file is None:
            self._buffer = mmap.mmap(-1, length, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            self._begin(self._chunks)
            return
        with self.turn():
            is_new = not any(os.pread(self._file, self._places, 0))
            if is_new:
                os.truncate(self._file, length)
                _fill(self._file, 0, self._end_of(2))
            self._buffer = mmap.mmap(self._file, length)
            if is_new:
                self._begin(2)

    def _begin(self, chunks: int) -> None:
        _KEY.pack_into(self._buffer, 0, os.urandom(_KEY.size))
        _HEADER.pack_into(self._buffer, _KEY.size, 0, 0, chunks)

    def turn(self) -> AbstractContextManager[None]:
        """To be held from a look until what follows from it is written."""
        return nullcontext() if self._file is None else self._locked(self._file)

    @staticmethod
    @contextmanager
    def _locked(file: int) -> Iterator[None]:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)

    @property
    def key(self) -> bytes:
        """For digests: 16 bytes that callers do not know, the same for all processes."""
        return bytes(_KEY.unpack_from(self._buffer)[0])

    def __len__(self) -> int:
        return int(_HEADER.unpack_from(self._buffer, _KEY.size)[1])

    def find(self, mark: bytes) -> tuple[Any, ...] | None:
        """The values of the newest record of a mark."""
        following, count, _ = _HEADER.unpack_from(self._buffer, _KEY.size)
        (number,) = _NUMBER.unpack_from(self._buffer, self._slot(mark))
        before = 0
        # A chain leads to ever older records; a number from long ago does not make it a circle.
        while before < (age := (following - number) & _NUMBERS) <= count:
            found, number, *values = self._record.unpack_from(self._buffer, self._place(number))
            if found == mark:
                return tuple(values)
            before = age
        return None

    def oldest(self) -> tuple[Any, ...]:
        """The values of the oldest record; there is one."""
        following, count, _ = _HEADER.unpack_from(self._buffer, _KEY.size)
        offset = self._place((following - count) & _NUMBERS) + self._record.size - self._values.size
        return self._values.unpack_from(self._buffer, offset)

    def forget_oldest(self) -> None:
        following, count, chunks = _HEADER.unpack_from(self._buffer, _KEY.size)
        _HEADER.pack_into(self._buffer, _KEY.size, following, count - 1, chunks)

    def is_full(self) -> bool:
        """Whether a record must be forgotten before another is kept."""
        following, count, chunks = _HEADER.unpack_from(self._buffer, _KEY.size)
        if count >= self._most:
            return True
        if following % _CHUNK:
            return False
        place = self._unused(following, count)
        if place >= chunks and self._file is not None:
            try:
                _fill(self._file, self._end_of(chunks), self._end_of(chunks + 1))
            except OSError:
                return True
            _HEADER.pack_into(self._buffer, _KEY.size, following, count, place + 1)
        return False

    def keep(self, mark: bytes, *values: object) -> None:
        """Add a record; `is_full` was false."""
        following, count, chunks = _HEADER.unpack_from(self._buffer, _KEY.size)
        if not following % _CHUNK:
            _PLACE.pack_into(self._buffer, self._chunk(following), self._unused(following, count))
        slot = self._slot(mark)
        (number,) = _NUMBER.unpack_from(self._buffer, slot)
        self._record.pack_into(self._buffer, self._place(following), mark, number, *values)
        _HEADER.pack_into(self._buffer, _KEY.size, (following + 1) & _NUMBERS, count + 1, chunks)
        _NUMBER.pack_into(self._buffer, slot, following)

    def counter(self, digest: bytes, change: int = 0) -> int:
        """A number that is kept beside the records, after a change. Two digests have the same one once in 65,536."""
        place = self._counters + int.from_bytes(digest[:4], "little") % _COUNTERS * _NUMBER.size
        (number,) = _NUMBER.unpack_from(self._buffer, place)
        if change:
            _NUMBER.pack_into(self._buffer, place, number + change)
        return int(number) + change

    def _slot(self, mark: bytes) -> int:
        return self._slots + int.from_bytes(mark[:4], "little") % _SLOTS * _NUMBER.size

    def _chunk(self, number: int) -> int:
        return self._places + number // _CHUNK % self._chunks * _PLACE.size

    def _place(self, number: int) -> int:
        (chunk,) = _PLACE.unpack_from(self._buffer, self._chunk(number))
        return self._end_of(chunk) + number % _CHUNK * self._record.size

    def _end_of(self, chunks: int) -> int:
        return self._records + chunks * _CHUNK * self._record.size

    def _unused(self, following: int, count: int) -> int:
        """The first place without a record that is remembered."""
        numbers = range(following - count - (following - count) % _CHUNK, following, _CHUNK)
        used = {_PLACE.unpack_from(self._buffer, self._chunk(number & _NUMBERS))[0] for number in numbers}
        return next(place for place in range(self._chunks) if place not in used)


def _fill(file: int, start: int, end: int) -> None:
    """Take space on the disk: writing to mapped memory that has none would end the process. OSError."""
    while start < end:
        start += os.pwrite(file, bytes(end - start), start)
