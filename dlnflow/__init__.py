"""Gradient flow on diagonal linear networks: mean-field theory, finite networks and a job service.

Kept light on purpose: importing the package loads neither SciPy nor Numba.
"""

__version__ = "0.1.0"
