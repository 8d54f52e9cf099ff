"""What every model on the wire is, and the names of the members of a union of them."""

from collections.abc import Mapping
from typing import Annotated, Any, Self, get_args, get_origin

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Tag, field_validator
from pydantic_core import PydanticCustomError

Array = NDArray[np.float64]


class Model(BaseModel):
    """A frozen pydantic model that refuses unknown fields, infinities and NaN; −0 is 0, so that equal requests are the same job."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with other values of the fields in `update`, and without what was worked out from those of this one."""
        copied = super().model_copy(update=update, deep=deep)
        for name in copied.__dict__.keys() - type(copied).model_fields.keys():
            del copied.__dict__[name]
        return copied

    @field_validator("*")
    @classmethod
    def _zero_has_no_sign(cls, value: Any) -> Any:
        return _unsigned(value)


def _unsigned(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_unsigned, value))
    return value + 0.0 if isinstance(value, float) else value


def contradiction(field: str, message: str) -> PydanticCustomError:
    """A rule about several fields that is broken, and which of them to change."""
    return PydanticCustomError("contradiction", "{message}", {"message": message, "field": field})


def _integer(value: Any) -> Any:
    """A float that is an integer, and that no rounding can have made one, as an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


Integral = BeforeValidator(_integer)  # for fields that are integers: 100.0 and 1e2 are 100


def members(union: Any) -> dict[str, Any]:
    """The members of a union that is told apart by `kind`, or by tags, by these names."""
    options = get_args(get_args(union)[0] if get_origin(union) is Annotated else union)
    return dict(_named(option) for option in options)


def _named(option: Any) -> tuple[str, Any]:
    for note in get_args(option):
        if isinstance(note, Tag):
            return note.tag, get_args(option)[0]
    return get_args(option.model_fields["kind"].annotation)[0], option
