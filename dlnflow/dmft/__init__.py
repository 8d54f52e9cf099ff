"""The dynamical mean-field theory: of gradient flow, solved by one causal pass, and of gradient `descent` (arXiv 2510.01930)."""

from dlnflow.dmft import descent
from dlnflow.dmft.dynamics import solve

__all__ = ["descent", "solve"]
