"""Encrypted files: what is written is read again at every length, and nothing else is."""

from __future__ import annotations

import io
import os

import pytest

from rolecall.domain.secrets.sealed_files import CHUNK, FileBroken, FileKey, SealedWriter, opened
from rolecall.values import Secret

KEY = FileKey((os.urandom(32), os.urandom(32)))
HEAD = 16 + 1 + 4 + 32
SEALED = CHUNK + 16


def sealed(content: bytes, key: FileKey = KEY, piece: int = 300_000) -> bytes:
    file = io.BytesIO()
    writer = SealedWriter(file, key)
    for at in range(0, len(content), piece):
        writer.write(content[at : at + piece])
    writer.close()
    return file.getvalue()


def read(file: bytes, key: FileKey = KEY) -> bytes:
    return b"".join(opened(io.BytesIO(file), key))


@pytest.mark.parametrize("length", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7])
def test_content_of_any_length_is_read_again(length: int) -> None:
    content = os.urandom(length)
    file = sealed(content)
    assert read(file) == content
    counted = 0

    def count(read_bytes: int) -> None:
        nonlocal counted
        counted += read_bytes

    list(opened(io.BytesIO(file), KEY, count))
    assert counted == len(file)


@pytest.mark.parametrize("length", [0, 1, HEAD - 1, HEAD, HEAD + 3, HEAD + SEALED, HEAD + 2 * SEALED, -1])
def test_a_truncated_file_is_refused(length: int) -> None:
    with pytest.raises(FileBroken):
        read(sealed(b"x" * (3 * CHUNK))[:length])


def test_chunks_in_another_order_are_refused() -> None:
    file = sealed(os.urandom(3 * CHUNK))
    first, second = file[HEAD : HEAD + SEALED], file[HEAD + SEALED : HEAD + 2 * SEALED]
    with pytest.raises(FileBroken):
        read(file[:HEAD] + second + first + file[HEAD + 2 * SEALED :])
    with pytest.raises(FileBroken):
        read(file[:HEAD] + second + file[HEAD + 2 * SEALED :])


@pytest.mark.parametrize("at", [0, 15, 16, 17, 21, 40, HEAD, HEAD + 100, HEAD + SEALED + 1, -1])
def test_a_changed_byte_is_refused(at: int) -> None:
    file = bytearray(sealed(b"x" * (CHUNK + 10)))
    file[at] ^= 1
    with pytest.raises(FileBroken):
        read(bytes(file))


def test_a_chunk_of_another_file_of_the_same_key_is_refused() -> None:
    file, other = sealed(b"x" * (2 * CHUNK)), sealed(b"y" * (2 * CHUNK))
    with pytest.raises(FileBroken):
        read(file[: HEAD + SEALED] + other[HEAD + SEALED :])


def test_a_file_opens_with_the_key_that_it_names_among_several() -> None:
    file = sealed(b"content", FileKey(KEY.master_keys[1:]))
    assert read(file) == b"content"
    with pytest.raises(FileBroken, match="another master key"):
        read(file, FileKey(KEY.master_keys[:1]))


def test_a_file_opens_with_its_passphrase_alone() -> None:
    file = sealed(b"content", FileKey((), Secret("a long passphrase")))
    assert read(file, FileKey((), Secret("a long passphrase"))) == b"content"
    with pytest.raises(FileBroken, match="wrong"):
        read(file, FileKey((), Secret("another passphrase")))
    with pytest.raises(FileBroken, match="--passphrase-file"):
        read(file)
