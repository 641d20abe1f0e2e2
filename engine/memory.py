"""How this process holds the memory it has freed. glibc only; elsewhere nothing happens."""

from __future__ import annotations

import ctypes
import gc
from functools import cache

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
MMAP_BYTES = 32 << 20  # the most that glibc takes
KEEP_BYTES = 1 << 30
ARENAS = 2  # heaps for threads: each keeps what it has freed, and is as large as its busiest moment


@cache
def keep_freed_memory() -> None:
    """Freed memory, up to a gigabyte, stays with this process.

    A network takes and frees hundreds of megabytes for every frame; to get them from the system anew, page by page, was
    a fifth of its processor time.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(M_MMAP_THRESHOLD, MMAP_BYTES)
    mallopt(M_TRIM_THRESHOLD, KEEP_BYTES)
    mallopt(M_ARENA_MAX, ARENAS)


def give_memory_back() -> None:
    """All that is freed goes back to the system."""
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):
        return
