"""A worker whose solver misbehaves at some seeds, as a solver might that is deep in compiled code."""

import collections
import itertools
import os
import signal

import numpy as np

from dlnflow import solving

KILLS, ALLOCATES, NEVER_ENDS = 666_001, 666_002, 666_003
_solve = solving.solve


def solve(request, *watching):
    if request.seed == KILLS:
        os.kill(os.getpid(), signal.SIGKILL)
    if request.seed == ALLOCATES:
        hoard = [np.ones(1_000_000) for _ in itertools.count()]
        assert hoard
    if request.seed == NEVER_ENDS:
        collections.deque(itertools.repeat(0), maxlen=0)  # holds the interpreter's lock for ever
    return _solve(request, *watching)


if __name__ == "__main__":
    from worker import __main__

    solving.solve = solve
    __main__.main()
