"""Requests checked before they are sent or solved, and refusals in the words of the user's own request."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pydantic import TypeAdapter, ValidationError

from dlnflow.client.errors import InvalidRequest
from dlnflow.client.suggestions import explain
from dlnflow.model import Model
from dlnflow.wire import matrix
from dlnflow.wire.fields import path_of, sentence_of
from dlnflow.wire.plain import T, checked, plain

MOST_LINES = 10


def read_request(adapter: TypeAdapter[T], request: Any, fields: Mapping[str, Any]) -> tuple[dict[str, Any], T]:
    """A request given as a model, a dict or keywords, as plain JSON and as a model; raises InvalidRequest, which names the field.

    What is left out stays out of the JSON. Arrays, frames, iterators and models may stand anywhere.
    """
    if isinstance(request, Model):
        request = request.model_dump(mode="json", include=request.model_fields_set | {"kind"})
    if not isinstance(request, Mapping | None):
        raise InvalidRequest([], f"a request is a dict, a request model or keywords, and no {type(request).__name__}")
    kind = fields.get("kind", (request or {}).get("kind"))
    with refusing(kind if isinstance(kind, str) else None):
        given = plain({**(request or {}), **fields})
        return given, checked(adapter, given)


def read_data(data: matrix.Data, header: bool | None, index: bool | None) -> matrix.Table:
    """The matrix in an array, a frame or a file; raises InvalidRequest."""
    try:
        return matrix.load(data, header, index)
    except matrix.BadMatrix as error:
        raise InvalidRequest(["data"], f"data: {error}") from None


@contextmanager
def refusing(kind: str | None = None) -> Iterator[None]:
    """Turn pydantic's errors about a job of `kind` into `InvalidRequest`: a line for each of up to ten fields, with what was given."""
    try:
        yield
    except ValidationError as error:
        items = error.errors()
        lines = [_line(item, kind) for item in items[:MOST_LINES]]
        lines += [f"and {len(items) - MOST_LINES} more"] if len(items) > MOST_LINES else []
        raise InvalidRequest([path_of(item) for item in items], "\n".join(lines)) from None


def _line(error: Any, kind: str | None) -> str:
    field, given = path_of(error), error["input"]
    if words := explain(error, field, kind):
        return f"{field}: {words}"
    shown = "" if isinstance(given, dict | list | tuple) or error["type"] == "json_invalid" else f" (given: {given!r})"
    return ": ".join(filter(None, [field, sentence_of(error)])) + shown
