"""Finite problems solved with NumPy and SciPy alone, to hold the theory to; every solver returns w, shape (d,)."""

import numpy as np
from scipy.optimize import linprog
from scipy.stats import norm, t

from dlnflow.model import GaussianScale, PairScale
from dlnflow.model.problem import THRESHOLD


def draw(problem, d, rng):
    """X (n, d), teacher (d,) and y (n,)."""
    X = rng.normal(size=(round(problem.aspect_ratio * d), d)) / np.sqrt(d)
    teacher = draw_teacher(problem.target, d, rng)
    return X, teacher, X @ teacher + problem.noise_std * rng.normal(size=len(X))


def draw_teacher(target, d, rng):
    match target.kind:
        case "discrete":
            return rng.choice(target.atoms, d, p=target.probabilities)
        case "laplace":
            return target.std / np.sqrt(2) * (rng.exponential(size=d) - rng.exponential(size=d))
        case "student_t":
            degrees = target.degrees_of_freedom
            return target.std * rng.normal(size=d) * np.sqrt((degrees - 2) / rng.chisquare(degrees, d))
        case "uniform":
            return target.low + (target.high - target.low) * rng.random(d)
        case "values":
            return np.array(target.values)[rng.integers(len(target.values), size=d)]
    density = target.density if target.kind == "bernoulli_gauss" else 1.0
    return target.std * rng.normal(size=d) * (rng.random(d) < density)


def initial_values(scale, d, rng):
    """|u(0)| and |v(0)|, each (d,)."""
    if isinstance(scale, PairScale):
        return np.full(d, scale.u), np.full(d, scale.v)
    if isinstance(scale, GaussianScale):
        return np.abs(scale.std * rng.normal(size=(2, d)))
    return np.full((2, d), scale)


def interpolate(X, y, u0, v0):
    """Where gradient flow ends: w = (u0² e^(2η) − v0² e^(−2η))/2, η = Xᵀν, Xw = y, by damped Newton steps on the concave dual."""
    nu = np.zeros(len(y))

    def dual(nu):
        eta = np.clip(X.T @ nu, -150, 150)
        return y @ nu - np.sum(u0**2 * np.exp(2 * eta) + v0**2 * np.exp(-2 * eta)) / 4

    for _ in range(300):
        eta = X.T @ nu
        u2, v2 = u0**2 * np.exp(2 * eta), v0**2 * np.exp(-2 * eta)
        slack = y - X @ ((u2 - v2) / 2)
        if np.linalg.norm(slack) < 1e-9 * np.linalg.norm(y):
            return (u2 - v2) / 2
        step = np.linalg.solve((X * (u2 + v2)) @ X.T, slack)
        reach = np.abs(X.T @ step).max()
        size = min(1.0, 1 / reach)
        while reach > 0.01 and dual(nu + size * step) < dual(nu) + 1e-4 * size * (slack @ step) and size > 1e-12:
            size /= 2
        nu = nu + size * step
    raise AssertionError("the dual did not converge")


def basis_pursuit(X, y):
    """min ‖w‖₁ with Xw = y."""
    d = X.shape[1]
    solution = linprog(np.ones(2 * d), A_eq=np.hstack([X, -X]), b_eq=y, method="highs")
    return solution.x[:d] - solution.x[d:]


def lasso(X, y, penalty, sweeps=4000):
    """min ½‖y − Xw‖² + penalty ‖w‖₁ by accelerated proximal steps with restarts."""
    gram, moment = X.T @ X, X.T @ y
    step = 1 / np.linalg.eigvalsh(gram)[-1]
    w = ahead = np.zeros(len(moment))
    momentum = 1.0
    for _ in range(sweeps):
        target = ahead - step * (gram @ ahead - moment)
        new = np.sign(target) * np.maximum(np.abs(target) - step * penalty, 0)
        restart = (ahead - new) @ (new - w) > 0
        following = 1.0 if restart else (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = new if restart else new + (momentum - 1) / following * (new - w)
        moved, w, momentum = np.abs(new - w).max(), new, following
        if moved < 1e-10:
            break
    return w


def summary(w, teacher):
    """The averages that FinalState has too."""
    return {
        "parameter_error": np.mean((w - teacher) ** 2),
        "norm": np.mean(w**2),
        "l1_norm": np.mean(abs(w)),
        "overlap": np.mean(w * teacher),
        "excess_l1_norm": np.mean(abs(w)) - np.mean(abs(teacher)),
        "missed_support": np.mean((abs(w) <= THRESHOLD) & (teacher != 0)),
        "false_support": np.mean((abs(w) > THRESHOLD) & (teacher == 0)),
    }


def assert_agrees(final, draws, remainder):
    """Every mean over `draws` is within 3.5 of its standard errors plus a `remainder`, relative to the value, for effects of 1/d.

    The spread of few draws is itself uncertain: 3.5 is that of a normal variate, as unlikely as this by Student's law.
    """
    errors = t.isf(norm.sf(3.5), len(draws) - 1)
    for name in draws[0]:
        values = np.array([draw[name] for draw in draws])
        expected = getattr(final, name)
        allowed = errors * values.std(ddof=1) / np.sqrt(len(values)) + remainder * abs(expected)
        assert abs(values.mean() - expected) <= allowed, (name, values.mean(), expected, allowed)
