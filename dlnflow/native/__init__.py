"""The compiled core, from the module for the best level of its instruction set that this processor has.

`DLNFLOW_NATIVE_LEVEL` may name another: base, v3 (AVX2) or v4 (AVX-512). v3 and v4 give the same bits. base has no fused products, so that
it rounds once more in each.
"""

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

try:
    from dlnflow.native._level import level as _highest
except ImportError as error:
    raise ImportError(
        "dlnflow's compiled core is not installed for this Python: install a wheel, or run `make setup` or `pip install .` in the sources."
    ) from error

LEVELS = {"v4": 4, "v3": 3, "base": 1}


def available() -> list[str]:
    """The levels that are installed and that this processor has, best first."""
    return [name for name, least in LEVELS.items() if _highest() >= least and find_spec(f"dlnflow.native._{name}")]


def _choose(wanted: str | None, there: list[str]) -> str:
    """The level to load. Raises ImportError where it is not there."""
    if not there:
        raise ImportError("dlnflow is installed without a core for this processor: run `pip install .` in the sources on this machine.")
    if wanted and wanted not in there:
        raise ImportError(f"DLNFLOW_NATIVE_LEVEL is {wanted!r}; this processor and this installation have {', '.join(there)}.")
    return wanted or there[0]


level = _choose(os.environ.get("DLNFLOW_NATIVE_LEVEL"), available())
_core = import_module(f"dlnflow.native._{level}")
if TYPE_CHECKING:
    from dlnflow.native import dmft, simulation
else:
    dmft = sys.modules[f"{__name__}.dmft"] = _core.dmft
    simulation = sys.modules[f"{__name__}.simulation"] = _core.simulation
__all__ = ["available", "dmft", "level", "simulation"]
