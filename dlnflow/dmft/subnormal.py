"""Numbers below the normal range count as zero while a mean field is solved.

Tangents decay to them, and x86 processors take a hundred times as long over each.
"""

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

IS_SLOW = platform.machine() in ("x86_64", "AMD64")
FLUSHING = np.uint32(0x1F80 | 0x8040)  # the default control word, with flush-to-zero and denormals-are-zero (Intel 64 manual 1, 10.2.3)


def _emit_exchange(typing: Any, word: Any) -> Any:
    """Give the thread another control word (MXCSR); returns the one it had."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = ir.IntType(8).as_pointer()
        before, after = cgutils.alloca_once(builder, ir.IntType(32)), cgutils.alloca_once_value(builder, arguments[0])
        for name, place in (("stmxcsr", before), ("ldmxcsr", after)):
            function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.VoidType(), [address]), f"llvm.x86.sse.{name}")
            builder.call(function, [builder.bitcast(place, address)])
        return builder.load(before)

    return types.uint32(types.uint32), generate


_exchange: Any = intrinsic(_emit_exchange)


@njit(cache=True)
def _set_word(word: np.uint32) -> Any:
    return _exchange(word)


@contextmanager
def flushed() -> Iterator[None]:
    """Results below the normal range are zero in this thread, and in the threads that it starts."""
    before = _set_word(FLUSHING) if IS_SLOW else FLUSHING
    try:
        yield
    finally:
        if IS_SLOW:
            _set_word(np.uint32(before))
