"""The memory of a hashing thread on large pages: argon2id reads it in random order, so each small page costs a look-up.

Linux gives large pages to processes that ask for them (`transparent_hugepage/enabled` is `madvise` on most systems).
glibc keeps what a thread has freed in a heap of the thread, so it is enough to ask once, when the thread begins. With
another allocator, and on other systems, nothing changes.
"""

from __future__ import annotations

import ctypes
import mmap

_ADVICE = getattr(mmap, "MADV_HUGEPAGE", None)
"""None where there are no large pages: not on Linux."""


def prefer_large_pages(size: int) -> None:
    """For what this thread allocates with `size` bytes. Never fails: an advice that is refused changes nothing."""
    if _ADVICE is None:
        return
    libc = ctypes.CDLL(None)
    malloc, free, madvise = libc.malloc, libc.free, libc.madvise
    malloc.restype, malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    free.restype, free.argtypes = None, [ctypes.c_void_p]
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    # The first time glibc maps so much memory outside its heaps, and raises its limit for that when it is freed.
    for _ in range(2):
        block = malloc(size)
        if block is not None:
            madvise(block - block % mmap.PAGESIZE, size, _ADVICE)
            free(block)
