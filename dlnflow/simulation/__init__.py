"""The finite network: ensembles of diagonal linear networks under gradient flow or gradient descent."""

from dlnflow.simulation.descent import gradient_descent
from dlnflow.simulation.ensemble import simulate
from dlnflow.simulation.flow import gradient_flow
from dlnflow.simulation.memory import forecast

__all__ = ["forecast", "gradient_descent", "gradient_flow", "simulate"]
