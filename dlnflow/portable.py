"""Exceptions that come back from another process as they were raised."""

import copyreg
from typing import Any


class Portable(Exception):
    """An exception that pickle puts together from its text and attributes, without calling `__init__`, whatever that one asks for.

    Python's own way calls it with `args` alone; where that fails, a pool of processes waits for ever or breaks.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]
