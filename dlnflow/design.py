"""How the entries of the data are drawn: independent, with mean 0 and variance 1/d."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from dlnflow.problem import Model


class GaussianDesign(Model):
    """Entries of X that are N(0, 1/d)."""

    kind: Literal["gaussian"] = "gaussian"


class RademacherDesign(Model):
    """Entries of X that are ±d^(−1/2) with equal probabilities."""

    kind: Literal["rademacher"]


class StudentDesign(Model):
    """Entries of X that are Student's t, scaled to variance 1/d.

    With fewer than 3 degrees of freedom the mean square of a million draws is still off by percents, so that no finite network
    resembles the limit; below 4 the largest eigenvalue of XᵀX grows with d and the flow becomes stiff, but stays exact.
    """

    kind: Literal["student_t"]
    degrees_of_freedom: Annotated[float, Field(ge=3, le=1000)]


DesignKind = Annotated[GaussianDesign | RademacherDesign | StudentDesign, Field(discriminator="kind")]


def _named(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


Design = Annotated[DesignKind, BeforeValidator(_named, json_schema_input_type=DesignKind | Literal["gaussian", "rademacher"])]
