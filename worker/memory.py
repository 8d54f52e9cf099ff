"""The most memory that a process took while it ran one job, and an end to what it keeps of it."""

import ctypes
import resource
import sys
from contextlib import suppress
from pathlib import Path


def forget_peak() -> None:
    """Begin to measure anew, where the system can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def give_back() -> None:
    """Return what is free to the system: what a large job leaves with the allocator would count for the next one."""
    with suppress(AttributeError):  # another C library than that of GNU
        ctypes.CDLL(None).malloc_trim(0)


def peak() -> int:
    """The largest resident size since `forget_peak`, or of the process's life, in bytes."""
    with suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("VmHWM:")).split()[1])
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else 1024 * largest
