"""Curves and order parameters at requested times, from the paths of one panel."""

from dataclasses import dataclass, field

import numpy as np

from dlnflow.dmft import radau
from dlnflow.dmft.panel import Panel
from dlnflow.dmft.sampling import Sample
from dlnflow.dmft.state import State
from dlnflow.problem import DiscreteTarget, Problem
from dlnflow.solution import CURVES, ORDER_PARAMETERS, QUANTILES, Array

NAMES = (*CURVES, *ORDER_PARAMETERS)


def conditions(problem: Problem, target: Array) -> list[tuple[str, Array]]:
    """Each condition on w* by name, with the mask, shape (P,), of the draws `target` that meet it."""
    if isinstance(problem.target, DiscreteTarget):
        return [(f"w*={atom:g}", target == atom) for atom in problem.target.atoms]
    signs = [("w*<0", target < 0), ("w*=0", target == 0), ("w*>0", target > 0)]
    return [(name, mask) for name, mask in signs if mask.any()]


@dataclass
class Record:
    """Values at the T requested times, filled panel by panel: `values` by name (T,), `means` (C, T), `quantiles` (C, 5, T)."""

    problem: Problem
    sample: Sample
    time: Array
    values: dict[str, Array] = field(init=False)
    means: Array = field(init=False)
    quantiles: Array = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.time)
        self.conditions = conditions(self.problem, self.sample.target)
        self.mirrored = not isinstance(self.problem.target, DiscreteTarget)
        self.values = {name: np.zeros(count) for name in NAMES}
        self.means = np.zeros((len(self.conditions), count))
        self.quantiles = np.zeros((len(self.conditions), len(QUANTILES), count))
        if self.time[0] == 0:
            self._start()

    def _start(self) -> None:
        second, noise = self.problem.target_second_moment, self.problem.noise_std**2
        self.values["train_loss"][0] = self.values["test_loss"][0] = (second + noise) / 2
        self.values["parameter_error"][0] = second
        self.values["u_norm"][0] = self.values["v_norm"][0] = self.problem.initial_scale**2

    def add(self, state: State, panel: Panel) -> None:
        """Fill in the times that lie in `panel`, before it becomes part of `state`."""
        left, width = state.edges[-1], panel.right - state.edges[-1]
        chosen = np.flatnonzero((self.time > left) & (self.time <= panel.right))
        if len(chosen) == 0:
            return
        matrix = radau.interpolation(state.order, (self.time[chosen] - left) / width)
        heights = matrix @ np.concatenate([state.edge_height[None], panel.height])
        self.values["train_loss"][chosen] = self._residual_variance(state, panel, matrix) / 2
        for i, height in zip(chosen.tolist(), heights, strict=True):
            self._observe(i, height)

    def _residual_variance(self, state: State, panel: Panel, matrix: Array) -> Array:
        """C_r(t, t) at the times that `matrix` interpolates to: |L(t)|² δ, and by its logarithm where t = 0 has no row of L."""
        n = state.nodes
        if n:
            factor = matrix @ np.concatenate([state.factor[n - 1 : n], panel.factor])
            return np.sum(factor**2, axis=1) * self.problem.aspect_ratio
        start = self.problem.target_second_moment + self.problem.noise_std**2
        return np.exp(matrix @ np.log(np.append(start, np.diag(panel.rows.correlation))))

    def _observe(self, i: int, height: Array) -> None:
        problem, weight, target = self.problem, self.sample.weight, self.sample.target
        exponent = 2 * np.log(problem.initial_scale) - 2 * problem.weight_decay * self.time[i]
        u_squared, v_squared = np.exp(exponent - 2 * height), np.exp(exponent + 2 * height)
        w = (u_squared - v_squared) / 2
        error = weight @ (w - target) ** 2
        observed = {
            "parameter_error": error,
            "test_loss": (error + problem.noise_std**2) / 2,
            "overlap": weight @ (w * target),
            "norm": weight @ w**2,
            "l1_norm": weight @ np.abs(w),
            "u_norm": weight @ (u_squared + v_squared) / 2 if self.mirrored else weight @ u_squared,
            "v_norm": weight @ (u_squared + v_squared) / 2 if self.mirrored else weight @ v_squared,
        }
        for name, value in observed.items():
            self.values[name][i] = value
        for c, (name, mask) in enumerate(self.conditions):
            values = self._conditional(name, mask, w)
            self.means[c, i] = values.mean()
            self.quantiles[c, :, i] = np.quantile(values, QUANTILES)

    def _conditional(self, name: str, mask: Array, w: Array) -> Array:
        """w on a condition, with the mirror images of the opposite one where the problem is symmetric."""
        if not self.mirrored:
            return w[mask]
        opposite = {"w*<0": "w*>0", "w*>0": "w*<0"}.get(name, name)
        return np.concatenate([w[mask], -w[dict(self.conditions)[opposite]]])
