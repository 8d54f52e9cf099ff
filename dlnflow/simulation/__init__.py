"""The finite network: ensembles of diagonal linear networks under gradient flow."""

from dlnflow.simulation.ensemble import simulate
from dlnflow.simulation.flow import gradient_flow

__all__ = ["gradient_flow", "simulate"]
