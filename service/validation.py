"""What pydantic found wrong, in the words of the user's own request."""

from collections.abc import Sequence
from typing import Any, NamedTuple


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
    field = _field(first)
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return Wrong(f"{field}: {message}{more}" if field else f"{message}{more}", "invalid_request", field or None, _hint(first))


KINDS = {"dmft", "simulation", "theory", "comparison", "sweep"}
TAGS = {
    "base": KINDS,
    "target": {"gaussian", "bernoulli_gauss", "discrete"},
    "initial_scale": {"balanced", "pair", "random"},
    "dynamics": {"gradient_flow", "gradient_descent"},
    "design": {"gaussian", "rademacher", "student_t", "dataset"},
}


def _field(error: Any) -> str:
    """The dotted path of a field, without the names of union members that pydantic puts into it."""
    location = [str(step) for step in error["loc"]]
    if location and location[0] in KINDS | {"query", "path"}:
        location = location[1:]
    location = [step for before, step in zip(["", *location], location, strict=False) if step not in TAGS.get(before, ())]
    context = error.get("ctx", {})
    if error["type"].startswith("union_tag"):
        location.append(context["discriminator"].strip("'"))
    if "field" in context:  # of a rule about one entry of a member that is checked as a whole
        location.append(context["field"])
    return ".".join(location)


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
