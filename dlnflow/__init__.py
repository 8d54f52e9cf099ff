"""Gradient flow on diagonal linear networks: mean-field theory, finite networks and a job service.

Kept light on purpose: importing the package loads neither SciPy nor the compiled core, and names are imported when they are first used.
"""

from typing import TYPE_CHECKING

from dlnflow.lazy import lazily

if TYPE_CHECKING:
    from dlnflow.client import AsyncClient, Client
    from dlnflow.local import simulate, solve
    from dlnflow.model import Problem
    from dlnflow.units import from_paper, to_paper

__version__ = "0.4.0"
__all__ = ["AsyncClient", "Client", "Problem", "from_paper", "simulate", "solve", "to_paper"]

_HOMES = {
    "AsyncClient": "dlnflow.client",
    "Client": "dlnflow.client",
    "Problem": "dlnflow.model",
    "from_paper": "dlnflow.units",
    "simulate": "dlnflow.local",
    "solve": "dlnflow.local",
    "to_paper": "dlnflow.units",
}


__getattr__, __dir__ = lazily(__name__, _HOMES)
