"""What a backup holds: parts, one after another, compressed and encrypted, and a manifest of them at the end.

    part      "P", length of its name, its name; then "D", length, bytes, any number of times
    manifest  "M", length, JSON

Lengths are 4 bytes, big-endian. The manifest has the number of bytes, the number of rows and the SHA-256 of each part,
by which `verified` checks a backup before anything is written.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

import msgspec

from rolecall.domain.secrets.sealed_files import CHUNK, FileBroken, FileKey, SealedWriter, opened

_PART, _DATA, _MANIFEST = b"P", b"D", b"M"
_LENGTH = struct.Struct(">cI")
_LEVEL = 1
"""Of compression: rows and dumps shrink to a quarter; higher levels gain little and take longer."""


class Contents(msgspec.Struct, frozen=True):
    """The size of one part. `rows` counts its lines, which are the rows of a table."""

    bytes: int
    rows: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """`about` says what was backed up, by which release and when; `parts` are in the order of the file."""

    about: Mapping[str, object]
    parts: Mapping[str, Contents]


@dataclass(slots=True)
class _Tally:
    size: int = 0
    rows: int = 0
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    def add(self, data: bytes) -> None:
        self.size += len(data)
        self.rows += data.count(b"\n")
        self.digest.update(data)

    def contents(self) -> Contents:
        return Contents(self.size, self.rows, self.digest.hexdigest())


class BackupWriter:
    """Writes parts; `close` writes the manifest, without which the file does not open."""

    def __init__(self, file: BinaryIO, key: FileKey) -> None:
        self._sealed = SealedWriter(file, key)
        self._compressor = zlib.compressobj(_LEVEL)
        self._tallies: dict[str, _Tally] = {}

    @property
    def parts(self) -> Mapping[str, Contents]:
        return {name: tally.contents() for name, tally in self._tallies.items()}

    def begin(self, name: str) -> None:
        """Begin a part: what is written next is its content."""
        self._tally = self._tallies[name] = _Tally()
        self._frame(_PART, name.encode())

    def write(self, data: bytes) -> None:
        self._tally.add(data)
        for at in range(0, len(data), CHUNK):
            self._frame(_DATA, data[at : at + CHUNK])

    def close(self, about: Mapping[str, object]) -> Manifest:
        manifest = Manifest(about=about, parts=self.parts)
        self._frame(_MANIFEST, msgspec.json.encode(manifest))
        self._sealed.write(self._compressor.flush())
        self._sealed.close()
        return manifest

    def _frame(self, kind: bytes, data: bytes) -> None:
        self._sealed.write(self._compressor.compress(_LENGTH.pack(kind, len(data))))
        self._sealed.write(self._compressor.compress(data))


@dataclass(frozen=True, slots=True)
class Part:
    """`data` must be read to its end before the next part."""

    name: str
    data: Iterator[bytes]


class BackupReader:
    """Reads the parts in order; `manifest` is known once all are read."""

    def __init__(self, file: BinaryIO, key: FileKey, on_read: Callable[[int], None] = lambda _: None) -> None:
        self._pieces = _decompressed(opened(file, key, on_read))
        self._buffer = bytearray()
        self._next: tuple[bytes, bytes] | None = None
        self.manifest: Manifest | None = None

    def parts(self) -> Iterator[Part]:
        while True:
            kind, data = self._frame()
            if kind == _MANIFEST:
                self.manifest = _manifest(data)
                for _ in self._pieces:  # to the end, where truncation shows
                    pass
                return
            if kind != _PART:
                raise FileBroken("the backup is damaged: a part was not read to its end")
            yield Part(data.decode(), self._data())

    def _data(self) -> Iterator[bytes]:
        while True:
            kind, data = self._frame()
            if kind != _DATA:
                self._next = kind, data
                return
            yield data

    def _frame(self) -> tuple[bytes, bytes]:
        if self._next is not None:
            frame, self._next = self._next, None
            return frame
        kind, length = _LENGTH.unpack(self._take(_LENGTH.size))
        return kind, self._take(length)

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            piece = next(self._pieces, None)
            if piece is None:
                raise FileBroken("the backup is truncated")
            self._buffer += piece
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken


def verified(
    file: BinaryIO, key: FileKey, on_read: Callable[[int], None] = lambda _: None
) -> tuple[Manifest, Mapping[str, bytes]]:
    """Read a whole backup: its manifest, which fits, and its small parts (`home/...`). FileBroken."""
    reader = BackupReader(file, key, on_read)
    found: dict[str, Contents] = {}
    small: dict[str, bytes] = {}
    for part in reader.parts():
        tally, kept = _Tally(), bytearray()
        for data in part.data:
            tally.add(data)
            if part.name.startswith("home/"):
                kept += data
        found[part.name] = tally.contents()
        if part.name.startswith("home/"):
            small[part.name] = bytes(kept)
    if reader.manifest is None or dict(reader.manifest.parts) != found:
        raise FileBroken("the backup is damaged: its parts differ from its manifest")
    return reader.manifest, small


def _manifest(data: bytes) -> Manifest:
    try:
        return msgspec.json.decode(data, type=Manifest)
    except msgspec.DecodeError:
        raise FileBroken("the backup has a manifest of another release") from None


def _decompressed(chunks: Iterator[bytes]) -> Iterator[bytes]:
    decompressor = zlib.decompressobj()
    for chunk in chunks:
        waiting = chunk
        while waiting:
            yield decompressor.decompress(waiting, CHUNK)
            waiting = decompressor.unconsumed_tail
    yield decompressor.flush()
