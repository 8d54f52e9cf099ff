"""What pydantic found wrong, in the words of the user's own request."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from dlnflow.jobs.fields import path_of


class Wrong(NamedTuple):
    """What is wrong, where (a dotted path), and what to try."""

    detail: str
    code: str
    field: str | None
    hint: str | None


def describe(errors: Sequence[Any]) -> Wrong:
    """The first of pydantic's `errors`, and how many more there are."""
    first = errors[0]
    if first["type"] == "json_invalid":
        return Wrong(first["msg"], "invalid_json", None, "The body must be one JSON object, in UTF-8.")
    message = first["msg"].removeprefix("Value error, ")
    field = path_of(first)
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return Wrong(f"{field}: {message}{more}" if field else f"{message}{more}", "invalid_request", field or None, _hint(first))


def _hint(error: Any) -> str | None:
    context = error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            return "This field is not known here; check its spelling or remove it."
        case "missing":
            return "Add this field; it has no default."
        case "union_tag_invalid":
            return f"Use one of {context['expected_tags']}."
        case "union_tag_not_found":
            return "Say which kind is meant."
        case "float_type" | "int_type":
            return "Give a JSON number, without quotes."
    return None
