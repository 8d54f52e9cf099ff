"""What is wrong with a request, from what pydantic found: the dotted path of the field, and a sentence that says what to do."""

from collections.abc import Iterator
from functools import cache
from inspect import isclass
from typing import Any, get_args

from pydantic import Tag

from dlnflow.model import Model, members

PARTS_OF_HTTP = {"body", "query", "path"}
_ANEW = "every step draws its batch anew; samples without replacement within an epoch are another theory; give batch_fraction alone"
_DIAGONAL = "the covariance of the data is diagonal: in any other basis one coordinate no longer closes on one scalar process; "
_DESCENT = "it is one of dynamics of the kind gradient_descent"
NO_FIELDS = {
    "alpha": "give initial_scale, in the units of this model",
    "batch_fraction": _DESCENT,
    "batch_size": "give batch_fraction, the share of the n samples that a step uses: batch_size / n",
    "beta": "give momentum",
    "correlation": _DIAGONAL + "give groups, each with its variance",
    "covariance": _DIAGONAL + "give groups, each with its variance",
    "depth": "it is one of problem",
    "epochs": _ANEW,
    "groups": "it is one of problem",
    "iterations": "give horizon, the sum of all steps",
    "label_noise_std": _DESCENT,
    "learning_rate": "give step_size, a dimensionless time, in dynamics of the kind gradient_descent",
    "lr": "give step_size, a dimensionless time, in dynamics of the kind gradient_descent",
    "momentum": _DESCENT,
    "nesterov": "momentum is that of the heavy ball; Nesterov's is another dynamics",
    "replacement": _ANEW,
    "sampling": _ANEW,
    "schedule": "give it as step_size, in dynamics of the kind gradient_descent",
    "shuffle": _ANEW,
    "spectrum": _DIAGONAL + "give groups, each with its weight and variance",
    "step_size": _DESCENT,
    "with_replacement": _ANEW,
    "without_replacement": _ANEW,
}
"""What users look for under a name that is none here, or not in that place, and what to do."""


def path_of(error: Any) -> str:
    """The path without the names of members of unions that pydantic puts into it; a rule about several fields names the one to change."""
    location = [str(step) for step in error["loc"]]
    if location and location[0] in _kinds_of_requests() | PARTS_OF_HTTP:
        location = location[1:]
    location = [step for before, step in zip(["", *location], location, strict=False) if step not in _tags().get(before, ())]
    context = error.get("ctx", {})
    if error["type"].startswith("union_tag"):
        location.append("kind")
    if "field" in context:  # of a rule about one entry of a member that is checked as a whole
        location.append(context["field"])
    return ".".join(location)


def sentence_of(error: Any) -> str:
    """What is wrong, in the words of requests."""
    context = error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            return f"there is no such field here; {NO_FIELDS.get(str(error['loc'][-1]), 'check its spelling or leave it out')}"
        case "missing":
            return "this field is missing, and has no default"
        case "union_tag_invalid":
            return f"there is no kind {context['tag']!r}; use one of {context['expected_tags']}"
        case "union_tag_not_found":
            return "this field is missing; say which kind is meant"
        case "too_short":
            return f"give at least {context['min_length']}, not {context['actual_length']}"
        case "too_long":
            return f"give at most {context['max_length']}, not {context['actual_length'] or 'more'}"
    return str(error["msg"]).removeprefix("Value error, ")


@cache
def _kinds_of_requests() -> frozenset[str]:
    from dlnflow.wire.requests import Request  # which tells what is wrong with the points of a sweep

    return frozenset(members(Request))


@cache
def models() -> tuple[type[Model], ...]:
    """Every model that a request may be made of."""
    from dlnflow.wire.requests import Request

    found: list[type[Model]] = list(members(Request).values())
    for model in found:
        for field in model.model_fields.values():
            found += [part for part in _parts(field.annotation) if isclass(part) and issubclass(part, Model) and part not in found]
    return tuple(found)


@cache
def _tags() -> dict[str, set[str]]:
    """The names of the members of its union by the name of every field of a request that has one."""
    tags: dict[str, set[str]] = {}
    for model in models():
        for name, field in model.model_fields.items():
            for part in _parts(field.annotation):
                if isinstance(part, Tag):
                    tags.setdefault(name, set()).add(part.tag)
                elif isclass(part) and issubclass(part, Model):
                    tags.setdefault(name, set()).update(_kinds(part))
    return tags


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)


def _kinds(model: type[Model]) -> tuple[str, ...]:
    return get_args(model.model_fields["kind"].annotation) if "kind" in model.model_fields else ()
