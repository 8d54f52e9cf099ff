"""One finite diagonal linear network: its data, and its exact nonlinear map from H to w (MATH §1).

With H(t) = ∫₀ᵗ h the flow of arXiv 2510.01930 reads u² = a² e^(−2λt−2H), v² = a² e^(−2λt+2H), w = (u² − v²)/2.
Every exponential is taken of the whole exponent, so that neither a² e^(−2λt) nor e^(2H) can overflow alone.
"""

from dataclasses import dataclass

import numpy as np

from dlnflow.problem import BernoulliGaussTarget, DiscreteTarget, GaussianTarget, Problem, Target
from dlnflow.solution import Array

LARGEST_EXPONENT = 80.0  # far above any weight, and e^80 leaves room for products; a step that gets there is refused

POWER_ITERATIONS = 40


@dataclass(frozen=True)
class Network:
    """Training data and hyperparameters.

    `X` has shape (rows, d), `y` (rows,), `teacher` (d,). The residual r = Xw − y has `samples` entries, of which those outside
    the column space of X do not move and enter only by the sum of their squares, `fixed_residual`.
    """

    X: Array
    y: Array
    teacher: Array
    initial_scale: float
    weight_decay: float
    samples: int
    fixed_residual: float = 0.0

    def squares(self, t: float, H: Array) -> tuple[Array, Array]:
        """u² and v², each of the shape (d,) of H = ∫₀ᵗ h."""
        decay = self._decay(t)
        u2 = np.exp(np.minimum(decay - 2 * H, LARGEST_EXPONENT))
        v2 = np.exp(np.minimum(decay + 2 * H, LARGEST_EXPONENT))
        return u2, v2

    def _decay(self, t: float) -> float:
        """2 log(a e^(−λt))."""
        return float(2 * np.log(self.initial_scale) - 2 * self.weight_decay * t)

    def weights(self, t: float, H: Array) -> Array:
        """w = −a² e^(−2λt) sinh(2H), shape (d,)."""
        u2, v2 = self.squares(t, H)
        small = -np.exp(self._decay(t)) * np.sinh(np.clip(2 * H, -1, 1))
        return np.where(np.abs(H) < 0.5, small, (u2 - v2) / 2)

    def residual(self, w: Array) -> Array:
        """r = Xw − y, shape (rows,)."""
        return self.X @ w - self.y

    def force(self, t: float, H: Array) -> Array:
        """Ḣ = h = Xᵀ(Xw − y)/δ, shape (d,)."""
        return self._per_sample(self.residual(self.weights(t, H)))

    def slope(self, t: float, H: Array) -> Array:
        """k = −∂w/∂H = u² + v², shape (d,)."""
        u2, v2 = self.squares(t, H)
        return u2 + v2

    def spectral_radius(self, k: Array, start: Array) -> tuple[float, Array]:
        """The largest eigenvalue of (XᵀX/δ) diag(k), minus the Jacobian of the force, and its eigenvector, shape (d,).

        Power iteration from the vector `start`; its Rayleigh quotient grows towards the eigenvalue, to about a percent of it.
        """
        radius, x = 0.0, start
        for _ in range(POWER_ITERATIONS):
            image = self._per_sample(self.X @ (k * x))
            norm = float(np.linalg.norm(image))
            if norm == 0:
                break
            before, radius = radius, float(x @ (k * image) / (x @ (k * x)))
            x = image / norm
            if radius < 1.01 * before:
                break
        return radius, x

    def _per_sample(self, r: Array) -> Array:
        return (r @ self.X) * (self.teacher.size / self.samples)


def draw_network(problem: Problem, dimension: int, rng: np.random.Generator) -> Network:
    """A network of `problem` with d = `dimension`, a Gaussian design of variance 1/d and n = round(δ d) samples.

    For n > d only the triangular factor R of X = QR matters to the flow: it is drawn directly (Bartlett's decomposition of the
    Wishart matrix XᵀX), together with Qᵀy and the squared noise outside the column space. The law is the same, in d² numbers.
    """
    samples = round(problem.aspect_ratio * dimension)
    teacher = draw_teacher(problem.target, dimension, rng)
    rows = min(samples, dimension)
    X = rng.standard_normal((rows, dimension))
    fixed_residual = 0.0
    if samples > dimension:
        X = np.triu(X)
        np.fill_diagonal(X, np.sqrt(rng.chisquare(samples - np.arange(dimension))))
        fixed_residual = problem.noise_std**2 * float(rng.chisquare(samples - dimension))
    X /= np.sqrt(dimension)
    y = X @ teacher + problem.noise_std * rng.standard_normal(rows)
    return Network(X, y, teacher, problem.initial_scale, problem.weight_decay, samples, fixed_residual)


def draw_teacher(target: Target, dimension: int, rng: np.random.Generator) -> Array:
    """Teacher weights w*, shape (d,), independent draws from `target`."""
    match target:
        case GaussianTarget(std=std):
            return std * rng.standard_normal(dimension)
        case BernoulliGaussTarget(density=density, std=std):
            return std * rng.standard_normal(dimension) * (rng.random(dimension) < density)
        case DiscreteTarget(atoms=atoms, probabilities=probabilities):
            p = np.asarray(probabilities)
            return rng.choice(np.asarray(atoms, dtype=np.float64), size=dimension, p=p / p.sum())
