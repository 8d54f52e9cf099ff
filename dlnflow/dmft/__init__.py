"""The dynamical mean-field theory of gradient flow, solved by one causal pass (arXiv 2510.01930)."""

from dlnflow.dmft.solver import solve

__all__ = ["solve"]
