"""What pydantic found wrong, in the words of the user's own request."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from dlnflow import forecast
from dlnflow.wire.fields import path_of, sentence_of


class Wrong(NamedTuple):
    """What is wrong, where (a dotted path), and what to try."""

    detail: str
    code: str
    field: str | None
    hint: str | None


HINTS = {
    "float_type": "Give a JSON number, without quotes.",
    "int_type": "Give a whole number, without quotes.",
    "model_type": "Give an object, with its fields by name.",
    "model_attributes_type": "Give an object, with its fields by name.",
}


def describe(errors: Sequence[Any]) -> Wrong:
    """The first of pydantic's `errors`, and how many more there are."""
    first = errors[0]
    if first["type"] == "json_invalid":
        return Wrong(first["msg"], "invalid_json", None, "The body must be one JSON object, in UTF-8.")
    field, sentence = path_of(first), f"{sentence_of(first)}{_price(first)}"
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return Wrong(f"{field}: {sentence}{more}" if field else f"{sentence}{more}", "invalid_request", field or None, HINTS.get(first["type"]))


def _price(error: Any) -> str:
    """What the points of a sweep that has too many would take."""
    if error["type"] != "too_many_points" or error["ctx"]["base"] is None:
        return ""
    return f" (about {error['ctx']['size'] * forecast.cost(error['ctx']['base']).seconds:,.0f} s are predicted)"
