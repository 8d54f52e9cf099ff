"""Refusals in the words of the user's own request."""

from collections.abc import Iterator
from contextlib import contextmanager

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
        lines = [_line(item["loc"], item["msg"], item.get("input")) for item in items]
        raise InvalidRequest([_field(item["loc"]) for item in items], "\n".join(lines)) from None


def _field(location: tuple[int | str, ...]) -> str:
    return ".".join(str(step) for step in location if step not in TAGS)


def _line(location: tuple[int | str, ...], message: str, given: object) -> str:
    field = _field(location)
    shown = "" if isinstance(given, dict | list | tuple) else f" (given: {given!r})"
    return ": ".join(filter(None, [field, message.removeprefix("Value error, ")])) + shown
