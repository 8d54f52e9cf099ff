"""The curves of an exactly solvable limit."""

from dataclasses import dataclass

from dlnflow.solution import Array


@dataclass(frozen=True)
class LimitCurves:
    """`train_loss`, `test_loss` and `parameter_error` at the dimensionless times `time`, each of shape (T,)."""

    time: Array
    train_loss: Array
    test_loss: Array
    parameter_error: Array
