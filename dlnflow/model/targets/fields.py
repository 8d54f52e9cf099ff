"""Fields that several laws have."""

from typing import Annotated

from pydantic import Field

Std = Annotated[float, Field(gt=0, le=100, description="standard deviation of the nonzero weights")]
Value = Annotated[float, Field(ge=-100, le=100)]
