"""The compiled core, from the module for the best level of its instruction set that this processor has.

`DLNFLOW_NATIVE_LEVEL` may name another: base, v3 (AVX2) or v4 (AVX-512). All give the same bits.
"""

import os
from importlib import import_module
from importlib.util import find_spec

from dlnflow.native._level import level as _level

LEVELS = {"v4": 4, "v3": 3, "base": 1}


def _choose(wanted: str | None) -> str:
    """The level to load. Raises ImportError where it is not there, or not for this processor."""
    there = [name for name, least in LEVELS.items() if _level() >= least and find_spec(f"dlnflow.native._{name}")]
    if wanted and wanted not in there:
        raise ImportError(f"DLNFLOW_NATIVE_LEVEL is {wanted!r}; this processor and this installation have {', '.join(there) or 'none'}.")
    if not there:
        raise ImportError("This installation of dlnflow has no compiled core for this processor; build it from the sources.")
    return wanted or there[0]


level = _choose(os.environ.get("DLNFLOW_NATIVE_LEVEL"))
_module = import_module(f"dlnflow.native._{level}")
dmft, simulation = _module.dmft, _module.simulation
