"""The dynamical mean-field theory of gradient descent with a finite step, exact in discrete time (arXiv 2510.01930)."""

from dlnflow.dmft.descent.solver import solve

__all__ = ["solve"]
