"""Ties the life of a process to its parent's, so that a killed parent leaves no orphan. Does its work on Linux only."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int, death_signal: signal.Signals = signal.SIGKILL) -> None:
    """Have this process get `death_signal` when `parent`, the process that forked it, ends."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(death_signal))
    if os.getppid() != parent:  # it ended before it could be tied
        os._exit(1)
