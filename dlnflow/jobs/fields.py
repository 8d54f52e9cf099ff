"""The dotted path of a field in a request, from where pydantic found something wrong."""

from collections.abc import Iterator
from functools import cache
from inspect import isclass
from typing import Any, get_args

from pydantic import Tag

from dlnflow.jobs.requests import Request
from dlnflow.model import Model, members

PARTS_OF_HTTP = {"query", "path"}


def path_of(error: Any) -> str:
    """The path without the names of members of unions that pydantic puts into it; a rule about several fields names the one to change."""
    location = [str(step) for step in error["loc"]]
    if location and location[0] in members(Request).keys() | PARTS_OF_HTTP:
        location = location[1:]
    location = [step for before, step in zip(["", *location], location, strict=False) if step not in _tags().get(before, ())]
    context = error.get("ctx", {})
    if error["type"].startswith("union_tag"):
        location.append(context["discriminator"].strip("'"))
    if "field" in context:  # of a rule about one entry of a member that is checked as a whole
        location.append(context["field"])
    return ".".join(location)


@cache
def _tags() -> dict[str, set[str]]:
    """The names of the members of its union by the name of every field of a request that has one."""
    tags: dict[str, set[str]] = {}
    seen: list[type[Model]] = list(members(Request).values())
    for model in seen:
        for name, field in model.model_fields.items():
            for part in _parts(field.annotation):
                if isinstance(part, Tag):
                    tags.setdefault(name, set()).add(part.tag)
                elif isclass(part) and issubclass(part, Model):
                    tags.setdefault(name, set()).update(_kinds(part))
                    seen += [] if part in seen else [part]
    return tags


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)


def _kinds(model: type[Model]) -> tuple[str, ...]:
    return get_args(model.model_fields["kind"].annotation) if "kind" in model.model_fields else ()
