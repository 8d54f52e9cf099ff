"""A paper's numbers in this project's units, or back, as `dlnflow.units` converts them."""

import math
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from dlnflow.units import BadField, Convention, Loss, Parametrisation, from_paper, to_paper
from service.errors import Unprocessable

router = APIRouter(prefix="/v1", tags=["units"])

Number = Annotated[float, Field(allow_inf_nan=False)]


class PaperNumbers(BaseModel):
    """Numbers of a paper and its convention; with `back`, numbers of this project that are wanted in the paper's."""

    model_config = ConfigDict(extra="forbid", strict=True)

    parametrisation: Annotated[Parametrisation, Field(description="β = u∘v, or β = u^L − v^L")]
    depth: Annotated[Number, Field(description="L, of a difference")] = 2.0
    loss: Annotated[Loss, Field(description="of residuals r: Σr²/(2n), Σr²/n, Σr²/(4n), Σr²/2 or Σr²")] = "half_mean"
    feature_std: Annotated[Number, Field(description="standard deviation of the entries of x")] = 1.0
    dimension: Annotated[int, Field(ge=1, description="d, parameters")]
    samples: Annotated[int, Field(ge=1, description="n")]
    values: Annotated[dict[str, Number], Field(description="by name: alpha, step_size, steps, time, batch_size and others")]
    back: bool = False


class Converted(BaseModel):
    """The numbers under their names in the other convention, and the aspect ratio n/d."""

    values: dict[str, float]
    aspect_ratio: float


@router.post("/units")
def convert_units(numbers: PaperNumbers) -> Converted:
    """Convert numbers of a paper to this project's units, or back."""
    convention = {"parametrisation", "depth", "loss", "feature_std"}
    translate = to_paper if numbers.back else from_paper
    if beside := sorted({"convention", "dimension", "samples"} & numbers.values.keys()):
        raise Unprocessable(f"{beside[0]}: this is no quantity of `values`; it stands beside them", field=f"values.{beside[0]}")
    try:
        paper = Convention(**numbers.model_dump(include=convention))
        found = translate(paper, dimension=numbers.dimension, samples=numbers.samples, **numbers.values)
    except BadField as error:
        raise Unprocessable(str(error), field=f"values.{error.field}" if error.field in numbers.values else error.field) from None
    except ArithmeticError:
        raise _OUT_OF_RANGE from None
    if not all(map(math.isfinite, found.values())):
        raise _OUT_OF_RANGE
    return Converted(values=found, aspect_ratio=numbers.samples / numbers.dimension)


_OUT_OF_RANGE = Unprocessable("values: a number left the range of doubles", field="values", hint="Bring the numbers nearer to 1.")
