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


class DatasetDesign(Model):
    """Rows of an uploaded data set, drawn without replacement for every replica; its columns are centred and have variance 1/d.

    Real rows and columns are correlated, which the mean-field theory does not know of: how far it is off is the point of a comparison.
    """

    kind: Literal["dataset"]
    id: Annotated[str, Field(pattern="^[0-9a-f]{32}$", description="of POST /v1/datasets")]


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
