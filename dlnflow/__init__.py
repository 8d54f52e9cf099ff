"""Gradient flow on diagonal linear networks: mean-field theory, finite networks and a job service.

Kept light on purpose: importing the package loads neither SciPy nor the compiled core, and names are imported when they are first used.
"""

from typing import TYPE_CHECKING

from dlnflow.lazy import lazily

if TYPE_CHECKING:
    from dlnflow.client import AsyncClient, Client
    from dlnflow.local import simulate, solve
    from dlnflow.model import Problem

__version__ = "0.2.0"
__all__ = ["AsyncClient", "Client", "Problem", "simulate", "solve"]

_HOMES = {
    "AsyncClient": "dlnflow.client",
    "Client": "dlnflow.client",
    "Problem": "dlnflow.model",
    "simulate": "dlnflow.local",
    "solve": "dlnflow.local",
}


__getattr__, __dir__ = lazily(__name__, _HOMES)
