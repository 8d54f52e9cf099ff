"""Refusals in the words of the user's own request."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError

from dlnflow.client.errors import InvalidRequest
from dlnflow.jobs.fields import path_of


@contextmanager
def refusing() -> Iterator[None]:
    """Turn pydantic's errors into `InvalidRequest`: one line for every field that is wrong, with what was given."""
    try:
        yield
    except ValidationError as error:
        items = error.errors()
        raise InvalidRequest([path_of(item) for item in items], "\n".join(map(_line, items))) from None


def _line(error: Any) -> str:
    field, message, given = path_of(error), error["msg"], error["input"]
    shown = "" if isinstance(given, dict | list | tuple) else f" (given: {given!r})"
    return ": ".join(filter(None, [field, message.removeprefix("Value error, ")])) + shown
