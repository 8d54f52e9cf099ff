"""Requests as JSON has them, whatever Python objects they were given as: one rule for numbers, lists and missing values.

The numbers of NumPy and others are numbers, what can be iterated over is a list, and what is missing is NaN, which every field refuses.
What the fields make of it is the same in `solve` and `simulate`, in the client and over HTTP: see `checked`.
"""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import islice
from numbers import Integral, Real
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from dlnflow.model.schedules import MOST_STEPS

T = TypeVar("T")
Path = tuple[str | int, ...]
MISSING = frozenset({"MaskedConstant", "NAType", "NaTType"})  # the types of NumPy's and pandas' missing values
MOST = MOST_STEPS + 1  # entries that are taken from an iterator, which may have no end; every field refuses so many


def plain(value: Any, path: Path = ()) -> Any:
    """`value` in dicts, lists, texts and Python's own numbers; raises pydantic's ValidationError, which names what has no place in JSON."""
    if value is None or isinstance(value, bool | str):
        return value
    if type(value).__name__ in MISSING:
        return float("nan")
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(name): plain(each, (*path, str(name))) for name, each in value.items()}
    if isinstance(value, Real | Decimal):
        return _number(value, path)
    if hasattr(value, "__array__"):
        return plain(_entries(value), path)
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray):
        return [plain(each, (*path, number)) for number, each in enumerate(islice(value, MOST))]
    raise _no_json(value, path)


def checked(adapter: TypeAdapter[T], document: Any) -> T:
    """The request in a plain `document`, as strictly as one that came over HTTP; raises pydantic's ValidationError."""
    return adapter.validate_json(json.dumps(document), strict=True)


def _number(value: Real | Decimal, path: Path) -> int | float:
    try:
        real = float(value)
    except (OverflowError, ValueError):
        raise _no_json(value, path) from None
    return int(value) if isinstance(value, Integral) else real


def _entries(value: Any) -> Any:
    """An array's entries as nested lists, those that are masked as NaN."""
    import numpy as np

    array = np.ma.asanyarray(value)
    return (array.astype(object).filled(np.nan) if np.ma.is_masked(array) else np.asarray(array)).tolist()


def _no_json(value: Any, path: Path) -> ValidationError:
    wrong = PydanticCustomError("no_json", "this is no text, list or object, and no number that JSON has")
    return ValidationError.from_exception_data("request", [InitErrorDetails(type=wrong, loc=path, input=type(value).__name__)])
