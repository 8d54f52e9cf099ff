"""Units of other papers: initial scale, step size, time, weight decay and errors in their convention and in this project's.

Papers mostly take features of variance s² = 1, where here every entry of X has variance 1/d, and write β with β·x̃ = w·x, so w = √d s β.
They differ in how β is made of the weights, in the factor of the loss, and in what a step multiplies:

    product      β = u′ ∘ v′, u′(0) = α, v′(0) = 0    u, v = κ (u′ ± v′)/√2, κ² = √d s
    difference   β = u′^L − v′^L, u′(0) = v′(0) = α   u, v = κ u′, κ v′,     κ^L = L √d s

(products as in arXiv 2302.08982, differences as in arXiv 2002.09277 and 2106.09524; α is whatever u′ starts at, with factors that a paper
puts before it). With a loss that is f times ‖y − Xw‖²/(2n) their step γ and time are κ²f/d times as long here, since u ← u − η d ∂L/∂u; a
penalty (μ/2)(‖u′‖² + ‖v′‖²) added to their loss is λ = μ d/(f κ²).

    >>> from_paper(Convention("product"), dimension=10_000, samples=5_000, alpha=1, step_size=0.5, steps=400)
    {'initial_scale': 7.0710678118654755, 'step_size': 0.005, 'horizon': 2.0}
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

Parametrisation = Literal["product", "difference"]
Loss = Literal["half_mean", "mean", "quarter_mean", "half_sum", "sum"]


class BadField(ValueError):
    """A number or a choice that has no meaning: `field` is its name, with which the text begins."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.field = field

    def __str__(self) -> str:
        return ": ".join(self.args)


@dataclass(frozen=True)
class Convention:
    """How a paper writes a network: β from its weights, at `depth` L for differences; the loss of residuals r; the features' deviation s.

    Losses are Σr²/(2n) `half_mean`, Σr²/n `mean`, Σr²/(4n) `quarter_mean`, Σr²/2 `half_sum` and Σr² `sum`. Raises BadField
    for what is none of these, and for products of another depth than 2.
    """

    parametrisation: Parametrisation
    depth: float = 2.0
    loss: Loss = "half_mean"
    feature_std: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        if self.parametrisation not in get_args(Parametrisation):
            raise BadField("parametrisation", f"{self.parametrisation} is none of {', '.join(get_args(Parametrisation))}")
        if self.loss not in get_args(Loss):
            raise BadField("loss", f"{self.loss} is none of {', '.join(get_args(Loss))}")
        if self.parametrisation == "product" and self.depth != 2:
            raise BadField("depth", "a product of two weights has depth 2; leave depth out, or take difference")
        if not (self.depth == 1 or self.depth >= 2):
            raise BadField("depth", "give 1, or at least 2")
        if not self.feature_std > 0:
            raise BadField("feature_std", "give a positive number")

    def factors(self, dimension: int, samples: int) -> dict[str, tuple[str, float]]:
        """For each of their numbers the name of ours and what theirs is multiplied by: at d = `dimension`, n = `samples`."""
        for name, number in (("dimension", dimension), ("samples", samples)):
            if number < 1:
                raise BadField(name, "give a positive number")
        scale = math.sqrt(dimension) * self.feature_std  # of w to β
        if self.parametrisation == "product":
            arm, start = scale**0.5, 0.5**0.5
        else:
            arm, start = (self.depth * scale) ** (1 / self.depth), 1.0
        pace = arm**2 * self._loss_factor(samples) / dimension
        return {
            "alpha": ("initial_scale", arm * start),
            "step_size": ("step_size", pace),
            "time": ("time", pace),
            "weight_decay": ("weight_decay", 1 / pace),
            "batch_size": ("batch_fraction", 1 / samples),
            "weight": ("weight", scale),
            "squared_error": ("parameter_error", self.feature_std**2),
        }

    def _loss_factor(self, samples: int) -> float:
        """f."""
        return {"half_mean": 1.0, "mean": 2.0, "quarter_mean": 0.5, "half_sum": float(samples), "sum": 2.0 * samples}[self.loss]


def from_paper(convention: Convention, *, dimension: int, samples: int, **values: float) -> dict[str, float]:
    """A paper's numbers in this project's units.

    `values` are theirs: alpha → initial_scale, step_size, time → time, weight_decay, batch_size → batch_fraction, weight (an entry of β, or
    the deviation of its law), squared_error ‖β − β*‖² → parameter_error; and steps → horizon, with a step_size. Raises
    BadField for others.
    """
    factors = convention.factors(dimension, samples)
    steps = _steps(values, "steps", "step_size")
    found = {factors[name][0]: value * factors[name][1] for name, value in _known(values, factors, "steps").items()}
    return found if steps is None else found | {"horizon": steps * found["step_size"]}


def to_paper(convention: Convention, *, dimension: int, samples: int, **values: float) -> dict[str, float]:
    """The reverse: `values` are this project's, under the names that `from_paper` gives; horizon → steps, with a step_size."""
    factors = {ours: (theirs, 1 / factor) for theirs, (ours, factor) in convention.factors(dimension, samples).items()}
    horizon = _steps(values, "horizon", "step_size")
    found = {factors[name][0]: value * factors[name][1] for name, value in _known(values, factors, "horizon").items()}
    return found if horizon is None else found | {"steps": horizon / values["step_size"]}


def _known(values: dict[str, float], factors: dict[str, tuple[str, float]], apart: str) -> dict[str, float]:
    unknown = [name for name in values if name not in factors and name != apart]
    if unknown:
        raise BadField(unknown[0], f"there is no such quantity; give {', '.join([*factors, apart])}")
    return {name: value for name, value in values.items() if name != apart}


def _steps(values: dict[str, float], name: str, needed: str) -> float | None:
    if name in values and needed not in values:
        raise BadField(name, f"give {needed} too")
    return values.get(name)
