"""Teacher weights on finitely many values."""

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from dlnflow.model.base import Array, contradiction
from dlnflow.model.mixtures import Component
from dlnflow.model.strata import Atom, Stratum
from dlnflow.model.targets.fields import Value
from dlnflow.model.targets.law import TargetLaw

Probability = Annotated[float, Field(gt=0, le=1)]


class DiscreteTarget(TargetLaw):
    """Teacher weights on finitely many distinct `atoms` with the given `probabilities`."""

    kind: Literal["discrete"] = "discrete"
    atoms: Annotated[tuple[Value, ...], Field(min_length=1, max_length=16)]
    probabilities: Annotated[tuple[Probability, ...], Field(min_length=1, max_length=16)]

    @model_validator(mode="after")
    def _is_a_distribution(self) -> "DiscreteTarget":
        if len(self.atoms) != len(self.probabilities):
            raise contradiction("probabilities", "atoms and probabilities must have the same length")
        if len(set(self.atoms)) != len(self.atoms):
            raise contradiction("atoms", "atoms must be distinct")
        if abs(sum(self.probabilities) - 1) > 1e-9:
            raise contradiction("probabilities", f"probabilities must sum to 1, not {sum(self.probabilities):.12g}")
        return self

    @property
    def second_moment(self) -> float:
        """Σ p atom²."""
        return sum(p * atom**2 for p, atom in zip(self.probabilities, self.atoms, strict=True))

    @property
    def mean(self) -> float:
        """Σ p atom."""
        return sum(p * atom for p, atom in zip(self.probabilities, self.atoms, strict=True))

    @property
    def is_symmetric(self) -> bool:
        """Atoms are told apart, of whatever sign."""
        return False

    @property
    def signs(self) -> tuple[float, float, float]:
        """Those of the atoms, together."""
        negative, zero, positive = (
            sum(p for p, atom in zip(self.probabilities, self.atoms, strict=True) if np.sign(atom) == sign) for sign in (-1, 0, 1)
        )
        return negative, zero, positive

    @property
    def conditions(self) -> list[tuple[str, float]]:
        """One for each atom."""
        return [(f"w*={atom:g}", p) for atom, p in zip(self.atoms, self.probabilities, strict=True)]

    def classify(self, teacher: Array) -> NDArray[np.intp]:
        """The number of the atom."""
        return np.asarray(np.argmax(teacher[:, None] == np.array(self.atoms), axis=1))

    def draw(self, dimension: int, rng: np.random.Generator) -> Array:
        """Atoms at random."""
        p = np.asarray(self.probabilities)
        return rng.choice(np.asarray(self.atoms, dtype=np.float64), size=dimension, p=p / p.sum())

    def strata(self, folded: bool) -> list[Stratum]:
        """One for each atom."""
        return [Atom(p, given, None, atom) for (given, p), atom in zip(self.conditions, self.atoms, strict=True)]

    def mixture(self) -> list[Component]:
        """Point masses."""
        return [Component(p, atom, 0.0) for p, atom in zip(self.probabilities, self.atoms, strict=True)]
