"""What may have been meant: a word that is close, a kind that has the field, an object where a word stands."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from dlnflow.model import Problem, members
from dlnflow.wire.requests import Request


def explain(error: Mapping[str, Any], field: str, kind: str | None) -> str | None:
    """A message in the user's words for an error of pydantic about `field` of a job of this `kind`; None where its own will do."""
    match error["type"]:
        case "union_tag_invalid":
            found, known = error["ctx"]["tag"], [tag.strip(" '") for tag in error["ctx"]["expected_tags"].split(",")]
            return f"{found!r} is none of {', '.join(known)}{did_you_mean(found, known)}"
        case "union_tag_not_found":
            return "this is needed, to tell the kinds apart"
        case "extra_forbidden":
            return _stranger(str(error["loc"][-1]), field, kind)
        case "model_attributes_type" | "model_type" | "dict_type" if isinstance(error["input"], str):
            return f'an object is needed here: write {{"kind": "{error["input"]}", …}} in place of "{error["input"]}"'
    return None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean dmft?` where something is close."""
    close = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def _stranger(name: str, field: str, kind: str | None) -> str | None:
    kinds = members(Request)
    if field == name and kind in kinds:
        others = [other for other in kinds if name in kinds[other].model_fields]
        meant = f"; did you mean {others[0]}?" if others else did_you_mean(name, kinds[kind].model_fields)
        return f"a {kind} job has no {name}{meant}"
    close = did_you_mean(name, {known for model in (*kinds.values(), Problem) for known in model.model_fields})
    return f"there is no such field here{close}" if close else None
