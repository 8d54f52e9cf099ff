"""Refusals in the words of the user's own request."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError

from dlnflow.client.errors import InvalidRequest

TAGS = {"dmft", "simulation", "theory", "comparison", "sweep", "gaussian", "bernoulli_gauss", "discrete", "balanced", "pair", "random"}
TAGS |= {"gradient_flow", "gradient_descent", "rademacher", "student_t"}


@contextmanager
def refusing() -> Iterator[None]:
    """Turn pydantic's errors into `InvalidRequest`: one line for every field that is wrong, with what was given."""
    try:
        yield
    except ValidationError as error:
        items = error.errors()
        raise InvalidRequest([_field(item) for item in items], "\n".join(map(_line, items))) from None


def _field(error: Any) -> str:
    """The dotted path of a field; a rule about several names the one to change."""
    location = [str(step) for step in error["loc"] if step not in TAGS]
    return ".".join([*location, error["ctx"]["field"]] if "field" in error.get("ctx", {}) else location)


def _line(error: Any) -> str:
    field, message, given = _field(error), error["msg"], error["input"]
    shown = "" if isinstance(given, dict | list | tuple) else f" (given: {given!r})"
    return ": ".join(filter(None, [field, message.removeprefix("Value error, ")])) + shown
