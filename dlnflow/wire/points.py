"""The points of a sweep: every combination of the values on its axes, put into the base request by dotted path."""

import copy
import math
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import to_jsonable_python

from dlnflow.model import Model

Axes = Mapping[str, Sequence[Any]]


def count(axes: Axes) -> int:
    """How many points there are."""
    return math.prod(len(values) for values in axes.values())


def values_at(axes: Axes, index: int) -> dict[str, Any]:
    """The value on every axis at one point; the last axis runs fastest."""
    found: dict[str, Any] = {}
    for path in reversed(list(axes)):
        index, here = divmod(index, len(axes[path]))
        found[path] = axes[path][here]
    return {path: found[path] for path in axes}


def with_values(base: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `base` in which the value at each dotted path is replaced; raises KeyError where the path leads nowhere."""
    document = copy.deepcopy(base)
    for path, value in values.items():
        *parents, name = path.split(".")
        node: Any = document
        for step in parents:
            node = node[_key(node, step)]
            if not isinstance(node, dict | list):
                raise KeyError(path)
        node[_key(node, name)] = value
    return document


def value_of(request: Model, path: str) -> Any:
    """The value at a dotted path, as JSON has it, also where it is a default that is not written."""
    node: Any = request
    for step in path.split("."):
        node = node[_key(node, step)] if isinstance(node, dict | list | tuple) else getattr(node, step)
    return to_jsonable_python(node)


def _key(node: Any, step: str) -> Any:
    """What a step of a path is to an object or a list; raises KeyError where a list has no such entry."""
    if not isinstance(node, list | tuple):
        return step
    if step not in map(str, range(len(node))):
        raise KeyError(step)
    return int(step)
