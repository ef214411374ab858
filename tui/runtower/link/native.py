"""The few calls to the C library that Python has no name for. Where the system lacks one, nothing happens."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_M_ARENA_MAX = -8

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with(parent: int) -> None:
    """Have the kernel end this process when the one that started it ends, whatever way."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:  # it ended before the line above
        os._exit(0)


def outlive_parent() -> None:
    """Take `die_with` back: an orderly end may take a moment longer than the parent's."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, 0, 0, 0, 0)


def few_arenas() -> None:
    """Let the threads share two heaps: what one frees another can use, and the process stays small."""
    if _libc is not None and hasattr(_libc, "mallopt"):
        _libc.mallopt(_M_ARENA_MAX, 2)


def give_back() -> None:
    """Hand memory that was freed back to the system."""
    gc.collect()
    if _libc is not None and hasattr(_libc, "malloc_trim"):
        _libc.malloc_trim(0)


def nice(by: int) -> None:
    """Lower the priority of the whole process; on Linux that is each thread's own."""
    if sys.platform != "linux":
        os.nice(by)
        return
    for thread in os.listdir("/proc/self/task"):
        try:
            os.setpriority(os.PRIO_PROCESS, int(thread), by)
        except OSError:
            continue  # that thread has just ended
