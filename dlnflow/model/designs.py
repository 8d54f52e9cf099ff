"""How the entries of the data are drawn: independent, with mean 0 and variance 1/d. One law a class."""

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field

from dlnflow.model.base import Model

REDUCE = 2.0  # n/d from which d × d numbers in place of n × d are worth a factorisation


class DesignLaw(Model):
    """The law of the rows of X, and all that a simulation and its forecast ask of it."""

    isotropic: ClassVar[bool] = False
    """Whether rows have the same law in every direction: then the triangular factor of X can be drawn in its place."""
    gammas: ClassVar[float] = 0.0
    """Gamma variates that an entry takes beside a normal one."""

    @property
    def dataset(self) -> str | None:
        """The id of the data set whose rows are drawn, if there is one; they are kept as they are."""
        return None

    def reduces(self, samples: int, dimension: int) -> bool:
        """Whether the rows are reduced to the d of their triangular factor as they come, unless they are needed."""
        return samples > REDUCE * dimension and not self.isotropic and self.dataset is None

    def is_triangular(self, samples: int, dimension: int, keep_rows: bool = False) -> bool:
        """Whether the stored matrix is the triangular factor of X; it is not with `keep_rows`, where the rows themselves are needed."""
        return not keep_rows and (self.isotropic or self.reduces(samples, dimension))

    def rows_kept(self, samples: int, dimension: int, keep_rows: bool = False) -> int:
        """How many rows the stored matrix has."""
        return min(samples, dimension) if self.is_triangular(samples, dimension, keep_rows) else samples

    def entries(self, shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
        """Entries of variance 1/d, where d = shape[1], in single precision."""
        X: NDArray[np.float32] = rng.standard_normal(shape, dtype=np.float32)
        X *= _scale(shape)
        return X


class GaussianDesign(DesignLaw):
    """Entries of X that are N(0, 1/d)."""

    isotropic = True

    kind: Literal["gaussian"] = "gaussian"


class RademacherDesign(DesignLaw):
    """Entries of X that are ±d^(−1/2) with equal probabilities."""

    kind: Literal["rademacher"]

    def entries(self, shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
        """Signs, one byte of random bits each."""
        scale = _scale(shape)
        return np.where(rng.integers(0, 2, size=shape, dtype=np.int8), scale, -scale)


class StudentDesign(DesignLaw):
    """Entries of X that are Student's t, scaled to variance 1/d.

    With fewer than 3 degrees of freedom the mean square of a million draws is still off by percents, so that no finite network
    resembles the limit; below 4 the largest eigenvalue of XᵀX grows with d and the flow becomes stiff, but stays exact.
    """

    gammas = 1.0

    kind: Literal["student_t"]
    degrees_of_freedom: Annotated[float, Field(ge=3, le=1000)]

    def entries(self, shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
        """Normal variates over the roots of gamma variates."""
        X: NDArray[np.float32] = rng.standard_normal(shape, dtype=np.float32)
        scale = _scale(shape) * np.float32(np.sqrt((self.degrees_of_freedom - 2) / 2))
        gamma = rng.standard_gamma(self.degrees_of_freedom / 2, size=shape, dtype=np.float32)
        X /= np.sqrt(gamma, out=gamma)
        X *= scale
        return X


class DatasetDesign(DesignLaw):
    """Rows of an uploaded data set, drawn without replacement for every replica; its columns are centred and have variance 1/d.

    Real rows and columns are correlated, which the mean-field theory does not know of: how far it is off is the point of a comparison.
    """

    kind: Literal["dataset"]
    id: Annotated[str, Field(pattern="^[0-9a-f]{32}$", description="of POST /v1/datasets")]

    @property
    def dataset(self) -> str:
        """The one of this id."""
        return self.id


def _scale(shape: tuple[int, int]) -> np.float32:
    return np.float32(shape[1] ** -0.5)


DesignKind = Annotated[GaussianDesign | RademacherDesign | StudentDesign | DatasetDesign, Field(discriminator="kind")]


def _named(value: Any) -> Any:
    kind = value.get("kind") if isinstance(value, dict) else value
    if isinstance(kind, str) and "correlated" in kind.lower():
        raise ValueError(
            "correlated designs are not simulated: the mean-field theory is for independent entries. "
            "To see what correlation does, upload correlated rows with POST /v1/datasets and compare"
        )
    return {"kind": value} if isinstance(value, str) else value


Design = Annotated[DesignKind, BeforeValidator(_named, json_schema_input_type=DesignKind | Literal["gaussian", "rademacher"])]
