"""The population limit δ → ∞, in which coordinates learn independently: exact curves by integrating scalar equations.

There h = w − w*, so that at depth 2 ẇ = −2 √(w² + c² e^(−4λt)) (w − w*) − 2λw with c = |u(0) v(0)|. It is integrated as q̇ = −2 (w − w*)
with w = c e^(−2λt) sinh q, which is exact for λ too; above depth 2 as q̇ = −(w − w*)/(dx/dq) with the scalar map of u(0) e^(−λt) and
v(0) e^(−λt); depth 1 is ẇ = −2 (w − w*) − λw. Train and test loss are both (E[(w − w*)²] + σ²)/2. Where data have a variance, h is that
times as large, and so is the error in the losses.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import solve_ivp

from dlnflow.model import Group, Problem
from dlnflow.model.initial import Starts
from dlnflow.solution import Array
from dlnflow.theory.curves import LimitCurves
from dlnflow.theory.maps import Linear, Point, Power

Weights = Callable[[Starts, Array, float, float, Array], Array]
FARTHEST = 50.0  # of |log(u/v)|: only trial steps of the integrator go further
LARGEST_EXPONENT = 60.0  # far above any weight; only trial steps of the integrator reach it
GRID = np.linspace(-5, 5, 241)
DRAWS = 9 * np.sinh(GRID) / np.sinh(5)  # of a standard normal, crowded at 0, where learning is slow
DENSITY = np.exp(-(DRAWS**2) / 2) * np.cosh(GRID)


def curves(problem: Problem, time: ArrayLike) -> LimitCurves:
    """The curves at increasing `time`, shape (T,), of `problem` with aspect_ratio = ∞ (its own is not used), to about 1e-6."""
    times = np.asarray(time, dtype=np.float64)
    error = risk = np.zeros(len(times))
    for group in problem.population:
        law, (target, weight) = group.initial.quadrature(problem.is_symmetric), _teacher(group)
        w = _of_depth(problem.depth)(law, target, group.variance, problem.weight_decay, times)
        square = group.weight * np.einsum("tij,i,j->t", (w - target) ** 2, law.weight, weight)
        error, risk = error + square, risk + group.variance * square
    loss = (risk + problem.noise_std**2) / 2
    return LimitCurves(times, loss, loss, error)


def _of_depth(depth: float) -> Weights:
    """w at all times, by depth."""
    if depth == 2:
        return _weights
    return partial(_weights_above_two, depth) if depth > 2 else _weights_of_one


def _weights(law: Starts, target: Array, variance: float, decay: float, time: Array) -> Array:
    """w at `time`, for every initial value and every entry of `target`: shape (T, I, P)."""
    log_c, wanted = (np.broadcast_to(x, (len(law.weight), len(target))).ravel() for x in (np.log(law.product)[:, None], target))
    start = np.repeat(law.offset, len(target))

    def arms(t: float, q: Array) -> tuple[Array, Array]:
        return _exp(log_c - 2 * decay * t + q) / 2, _exp(log_c - 2 * decay * t - q) / 2

    def velocity(t: float, q: Array) -> Array:
        u, v = arms(t, q)
        return np.asarray(2 * variance * (wanted - (u - v)))

    def diagonal(t: float, q: Array) -> Array:
        u, v = arms(t, q)
        return np.asarray(-2 * variance * (u + v))[None, :]

    end = max(float(time[-1]), 1e-12)
    path = solve_ivp(
        velocity, (0.0, end), start, "LSODA", t_eval=np.minimum(time, end), jac=diagonal, lband=0, uband=0, rtol=1e-8, atol=1e-8
    )
    ends = [arms(t, q) for t, q in zip(path.t, path.y.T, strict=True)]
    return np.array([u - v for u, v in ends]).reshape(len(time), len(law.weight), len(target))


def _weights_above_two(depth: float, law: Starts, target: Array, variance: float, decay: float, time: Array) -> Array:
    """The same above depth 2."""
    log_product, wanted = (np.broadcast_to(x, (len(law.weight), len(target))).ravel() for x in (np.log(law.product)[:, None], target))
    start = np.repeat(law.offset, len(target))

    def point(t: float, q: Array) -> Point:
        with np.errstate(over="ignore"):  # of k, far out
            return Power(depth, log_product - 2 * decay * t, start).at(np.clip(q, -FARTHEST, FARTHEST))

    def velocity(t: float, q: Array) -> Array:
        here = point(t, q)
        return np.asarray(variance * (wanted - here.w) / here.rate)

    end = max(float(time[-1]), 1e-12)
    path = solve_ivp(velocity, (0.0, end), start, "LSODA", t_eval=np.minimum(time, end), lband=0, uband=0, rtol=1e-8, atol=1e-10)
    return np.array([point(t, q).w for t, q in zip(path.t, path.y.T, strict=True)]).reshape(len(time), len(law.weight), len(target))


def _weights_of_one(law: Starts, target: Array, variance: float, decay: float, time: Array) -> Array:
    """The same at depth 1."""
    rate, t = 2 * variance + decay, time[:, None, None]
    start = Linear(law).start
    return np.asarray(start * np.exp(-rate * t) - 2 * variance / rate * np.expm1(-rate * t) * target)


def _exp(exponent: Array) -> Array:
    return np.asarray(np.exp(np.minimum(exponent, LARGEST_EXPONENT)))


def _teacher(group: Group) -> tuple[Array, Array]:
    """Teacher weights and their probabilities, each of shape (P,)."""
    parts = []
    for kind in group.target.mixture():
        values = kind.mean + np.sqrt(kind.variance) * (DRAWS if kind.variance else np.zeros(1))
        parts.append((values, kind.probability * (DENSITY / DENSITY.sum() if kind.variance else np.ones(1))))
    return np.concatenate([values for values, _ in parts]), np.concatenate([weight for _, weight in parts])
