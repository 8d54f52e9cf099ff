"""What is solved: a diagonal linear network trained on a linear teacher (arXiv 2510.01930).

Every quantity is dimensionless. Ranges are those in which the solvers are tested.
"""

from functools import cached_property
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from dlnflow.model.base import Array, Model, contradiction
from dlnflow.model.groups import Group
from dlnflow.model.initial import InitialScale
from dlnflow.model.pools import Part, Pool, pools_of
from dlnflow.model.targets import Target

MOST_GROUPS = 128  # of coordinates in one problem
THRESHOLD = 0.1  # of the support, for weights of order one
LEAST_ABOVE_TWO = 2.000001  # depth
MOST_GROWTH = 10.0  # (L − 2) λ t, up to which weights near their poles are followed to about a thousandth
MOST_GROWTH_AT_ONE = 80.0  # λ t of the linear network: tangents are in single precision, up to e^88


def _is_two(value: object) -> bool:
    return value == 2


def _is_default_threshold(value: object) -> bool:
    return value == THRESHOLD


def _is_left_out(value: object) -> bool:
    return value is None


class Problem(Model):
    """A diagonal linear network w = (u^L − v^L)/L learning y = X w* + ξ in the limit n, d → ∞; L = 2 unless given.

    All coordinates are alike, with one `target` and one `initial_scale`, or they are a population of `groups`.
    """

    aspect_ratio: Annotated[float, Field(ge=0.05, le=100, description="δ = n/d, samples per parameter")]
    target: Annotated[Target | None, Field(exclude_if=_is_left_out, description="law of the teacher weights w*")] = None
    noise_std: Annotated[float, Field(ge=0, le=10, description="σ, standard deviation of the label noise")] = 0.0
    initial_scale: Annotated[
        InitialScale | None, Field(exclude_if=_is_left_out, description="a, with u(0) = v(0) = a; or u and v apart; or random ones")
    ] = None
    weight_decay: Annotated[float, Field(ge=0, le=10, description="λ, the L2 penalty on u and v")] = 0.0
    depth: Annotated[
        float, Field(ge=1, le=10, exclude_if=_is_two, description="L, 1 or at least 2: w = (u^L − v^L)/L; 1 is the linear model")
    ] = 2.0
    groups: Annotated[
        Annotated[tuple[Group, ...], Field(min_length=1, max_length=MOST_GROUPS)] | None,
        Field(
            exclude_if=_is_left_out,
            description="groups of coordinates, in place of target and initial_scale; their weights sum to 1",
            json_schema_extra={"replaces": ["target", "initial_scale"]},
        ),
    ] = None

    support_threshold: Annotated[
        float,
        Field(ge=0, le=100, exclude_if=_is_default_threshold, description="θ: weights with |w| > θ count as the support that is found"),
    ] = THRESHOLD

    @field_validator("depth")
    @classmethod
    def _is_possible(cls, depth: float) -> float:
        if 1 < depth < 2:
            raise ValueError("between 1 and 2 a weight reaches zero in finite time; give 1, or at least 2")
        if 2 < depth < LEAST_ABOVE_TWO:
            raise ValueError(f"so near 2 the powers of u and v are lost in rounding; give 2, or at least {LEAST_ABOVE_TWO}")
        return depth

    @model_validator(mode="after")
    def _is_one_population(self) -> "Problem":
        for name in ("target", "initial_scale"):
            if self.groups is None and getattr(self, name) is None:
                raise contradiction(name, "this field is missing; give target and initial_scale, or groups")
            if self.groups is not None and getattr(self, name) is not None:
                raise contradiction(name, "every group has its own; leave this one out, or the groups")
        total = sum(group.weight for group in self.population)
        if abs(total - 1) > 1e-9:
            raise contradiction("groups", f"the weights of the groups must sum to 1, not {total:.12g}")
        for number, group in enumerate(self.population):
            if self.depth != 2 and not group.initial.is_constant:
                field = f"groups.{number}.initial_scale" if self.groups else "initial_scale"
                raise contradiction(field, "random initial values are for depth 2, where their signs do not matter; give u and v")
        if self.noise_std == 0 and self.target_second_moment == 0:
            field = "groups" if self.groups else "target"
            raise contradiction(field, "all weights are zero and noise_std is 0, so there is nothing to learn")
        return self

    @cached_property
    def population(self) -> tuple[Group, ...]:
        """The groups of coordinates; one where they are all alike."""
        return self.groups or (Group.model_construct(weight=1.0, target=self.target, initial_scale=self.initial_scale),)

    @cached_property
    def is_symmetric(self) -> bool:
        """Whether (u, v, w*) and (v, u, −w*) have the same law at t = 0, and then at all times."""
        return all(group.is_symmetric for group in self.population)

    @property
    def is_isotropic(self) -> bool:
        """Whether all columns of X have variance 1/d."""
        return all(group.variance == 1 for group in self.population)

    @property
    def parts(self) -> list[Part]:
        """The parts of the law of w*, each with its group."""
        folded = self.is_symmetric
        return [
            (group, stratum.within(group.weight, self._label(number)))
            for number, group in enumerate(self.population, 1)
            for stratum in group.target.strata(folded)
        ]

    @property
    def pools(self) -> list[Pool]:
        """The parts from which quasi-random points are drawn together: those of groups that differ in constants."""
        return pools_of(self.parts)

    @property
    def conditions(self) -> list[tuple[str, float]]:
        """The name and the probability of every condition on a coordinate under which w is described: its w*, and its group."""
        return [
            (given + self._label(number), group.weight * probability)
            for number, group in enumerate(self.population, 1)
            for given, probability in group.target.conditions
        ]

    def _label(self, number: int) -> str:
        return f", group {number}" if self.groups else ""

    def members(self, dimension: int, rng: np.random.Generator) -> NDArray[np.intp]:
        """The group of each of d coordinates, shape (d,), drawn at random where there are several."""
        weights = np.array([group.weight for group in self.population])
        if len(weights) == 1:
            return np.zeros(dimension, np.intp)
        return rng.choice(len(weights), dimension, p=weights / weights.sum()).astype(np.intp)

    def variances(self, members: NDArray[np.intp]) -> Array:
        """c of every coordinate, from its group, shape (d,)."""
        return np.array([group.variance for group in self.population])[members]

    def teacher(self, members: NDArray[np.intp], rng: np.random.Generator) -> Array:
        """Teacher weights w* of coordinates of these groups, shape (d,)."""
        teacher = np.empty(len(members))
        for number, group in enumerate(self.population):
            here = members == number
            teacher[here] = group.target.draw(int(here.sum()), rng)
        return teacher

    def start(self, members: NDArray[np.intp], rng: np.random.Generator) -> tuple[Array, Array]:
        """u(0) and v(0) of coordinates of these groups, (d,) each, none of them zero."""
        u0, v0 = np.empty((2, len(members)))
        for number, group in enumerate(self.population):
            here = members == number
            u0[here], v0[here] = group.initial.draw(int(here.sum()), rng)
        return u0, v0

    def classify(self, members: NDArray[np.intp], teacher: Array) -> NDArray[np.intp]:
        """The index in `conditions` that each coordinate meets, from its group and its w*, shape (d,)."""
        found, before = np.empty(len(members), np.intp), 0
        for number, group in enumerate(self.population):
            here = members == number
            found[here] = before + group.target.classify(teacher[here])
            before += len(group.target.conditions)
        return found

    @property
    def target_second_moment(self) -> float:
        """E[w*²]."""
        return sum(group.weight * group.target.second_moment for group in self.population)

    @property
    def target_mean(self) -> float:
        """E[w*]."""
        return sum(group.weight * group.target.mean for group in self.population)

    @property
    def target_l1_norm(self) -> float:
        """E|w*|."""
        return sum(group.weight * group.target.magnitude for group in self.population)

    @property
    def typical_rate(self) -> float:
        """sqrt(E[c² w*²]): half of it is the mean rate at which weights settle, in the root mean square."""
        return float(sum(group.weight * group.variance**2 * group.target.second_moment for group in self.population) ** 0.5)

    @property
    def typical_weight(self) -> float:
        """W = sqrt(E[w*² | w* ≠ 0]), the size of a weight that has to be learned; 0 for a teacher that is zero."""
        learned = sum(
            group.weight * kind.probability for group in self.population for kind in group.target.mixture() if kind.mean or kind.variance
        )
        return float((self.target_second_moment / learned) ** 0.5) if learned else 0.0

    @property
    def learned_slope(self) -> float:
        """About E[c k] at w = w*, u v = 0, where k = (L|w*|)^(2−2/L): from above, by the mean square of the weights of each kind."""
        power = 2 - 2 / self.depth
        slopes = (
            group.weight * group.variance * kind.probability * (self.depth * np.hypot(kind.mean, kind.variance**0.5)) ** power
            for group in self.population
            for kind in group.target.mixture()
        )
        return float(sum(slopes))

    def share_beyond(self, size: float) -> float:
        """The probability that c |w*| > `size`."""
        return sum(group.weight * group.target.beyond(size / group.variance) for group in self.population)

    def exceeded_by(self, share: float) -> float:
        """The size that c |w*| exceeds with the probability `share`, to a thousandth of it or of the mean rate."""
        low, high = 0.0, self.typical_rate
        while self.share_beyond(high) > share:
            low, high = high, 2 * high
        while high - low > 1e-3 * max(high, self.typical_rate):
            middle = (low + high) / 2
            low, high = (middle, high) if self.share_beyond(middle) > share else (low, middle)
        return high

    @property
    def initial_second_moment(self) -> float:
        """Half of E[c k(0)], k = u^(2L−2) + v^(2L−2), the mean rate at which w starts to move: a² at depth 2 where u(0) = v(0) = a."""
        return sum(group.weight * group.variance * group.initial.slope(self.depth) / 2 for group in self.population)

    @property
    def followed_until(self) -> float:
        """The last time for the mean field of gradient flow but at depth two, whose rounding grows as e^(|L − 2| λ t)."""
        rate = abs(self.depth - 2) * self.weight_decay
        return (MOST_GROWTH if self.depth > 2 else MOST_GROWTH_AT_ONE) / rate if rate else np.inf

    @property
    def why_not_stochastic(self) -> str:
        """Why stochastic gradient flow has no mean field here that is known, or "" where it has."""
        if self.depth not in (1, 2):
            return "at this depth what the noise adds to a path depends on the path; give depth 1 or 2, or gradient_descent with batches"
        if not self.is_isotropic:
            return "the groups have variances other than 1; leave those out, or give gradient_descent with batches"
        return ""

    @property
    def initial_log_product(self) -> float:
        """E[log |u(0) v(0)|]."""
        return sum(group.weight * group.initial.log_product for group in self.population)

    @property
    def initial_parameter_error(self) -> float:
        """E[(w(0) − w*)²]."""
        return sum(group.weight * group.initial_error(self.depth) for group in self.population)

    @cached_property
    def initial_error(self) -> float:
        """E[c (w(0) − w*)²] = C_e(0, 0)."""
        return sum(group.weight * group.variance * group.initial_error(self.depth) for group in self.population)
