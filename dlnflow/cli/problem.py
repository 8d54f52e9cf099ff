"""A request from a TOML or JSON file and from options; options win."""

import argparse
import json
import os
import tomllib
from typing import Any, get_origin

import numpy as np
from pydantic.fields import FieldInfo

from dlnflow.model import Target, members

PATHS = {
    "kind": "kind",
    "aspect_ratio": "problem.aspect_ratio",
    "target": "problem.target",
    "noise_std": "problem.noise_std",
    "initial_scale": "problem.initial_scale",
    "weight_decay": "problem.weight_decay",
    "horizon": "horizon",
    "times": "times",
    "accuracy": "accuracy",
    "dimension": "dimension",
    "replicas": "replicas",
    "seed": "seed",
}


SHORT = PATHS | {
    "depth": "problem.depth",
    "density": "problem.target.density",
    "std": "problem.target.std",
    **{name: f"dynamics.{name}" for name in ("step_size", "batch_fraction", "momentum", "label_noise_std", "temperature")},
}
"""Where fields live that can be named without their paths."""


def read_request(options: argparse.Namespace) -> dict[str, Any]:
    """The request that file and options describe, not checked yet."""
    request = _file(options.file) if options.file else {}
    for name, path in PATHS.items():
        if (value := getattr(options, name, None)) is not None:
            put(request, path, value)
    for setting in options.set:
        put(request, *assignment(setting))
    return {"kind": "dmft"} | request


def _file(path: str) -> dict[str, Any]:
    """A job, or a problem alone, which becomes the `problem` of a job."""
    with open(os.path.expanduser(path), "rb") as file:
        content = file.read()
    format, read = ("JSON", _read_json) if path.lower().endswith(".json") else ("TOML", tomllib.loads)
    try:
        found = read(content.decode("utf-8-sig"))
    except ValueError as error:
        raise ValueError(f"{path} is not {format} in UTF-8: {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds no object, but a {type(found).__name__}")
    return {"problem": found} if "aspect_ratio" in found else found


def _read_json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_object)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, whose names must differ: of two values, either may be meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)} is given twice")
    return found


def assignment(text: str) -> tuple[str, Any]:
    """`problem.target.density=0.1` as a path and a value; what is no JSON is a word."""
    path, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"{text}: write PATH=VALUE, for example problem.initial_scale=0.1")
    return path, word_or_json(value)


def axis(text: str) -> tuple[str, list[Any]]:
    """A path and its values from `noise_std=0,0.1` or `problem.noise_std=lin:0:1:11`: ranges are FROM:TO:NUMBER, ends included."""
    path, _ = assignment(text)
    values = text.partition("=")[2]
    space, colon, rest = values.partition(":")
    if colon and space in ("lin", "log"):
        return SHORT.get(path, path), _range(text, space, rest)
    return SHORT.get(path, path), [word_or_json(value) for value in values.split(",")]


def _range(text: str, space: str, rest: str) -> list[float]:
    try:
        start, end, count = rest.split(":")
        found = (np.linspace if space == "lin" else np.geomspace)(float(start), float(end), int(count))
    except ValueError:
        raise ValueError(f"{text}: write lin:FROM:TO:NUMBER or log:FROM:TO:NUMBER, for example noise_std=lin:0:1:11") from None
    return [float(f"{value:.12g}") for value in found]


def word_or_json(text: str) -> Any:
    """A JSON value, or the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def put(request: dict[str, Any], path: str, value: Any) -> None:
    """Set the field at a dotted path, and make the objects on the way."""
    *way, last = path.split(".")
    for step in way:
        request = request.setdefault(step, {})
        if not isinstance(request, dict):
            raise ValueError(f"{path}: {step} is a value here, not an object")
    request[last] = value


def target(text: str) -> dict[str, Any]:
    """A law of teacher weights in one of the forms that TARGETS lists."""
    kind, colon, rest = text.partition(":")
    try:
        lists, numbers = _fields(kind)
        if lists:
            columns = zip(*(map(float, item.split("@")) for item in rest.split(",")), strict=True)
            return {"kind": kind} | {name: list(column) for name, column in zip(lists, columns, strict=True)}
        given = [float(part) for part in rest.split(":")] if colon else []
        return {"kind": kind} | dict(zip(list(numbers)[: len(given)], given, strict=True))
    except (KeyError, ValueError):
        raise argparse.ArgumentTypeError(f"{text}: write {TARGETS}") from None


def _fields(kind: str) -> tuple[dict[str, FieldInfo], dict[str, FieldInfo]]:
    """The fields of a law that are lists of numbers, and those that are numbers."""
    fields = {name: field for name, field in members(Target)[kind].model_fields.items() if name != "kind"}
    lists = {name: field for name, field in fields.items() if get_origin(field.annotation) is tuple}
    return lists, {name: field for name, field in fields.items() if name not in lists}


def _form(kind: str) -> str:
    """How a law is written: ITEM@ITEM,… for lists side by side, :NUMBER for a number, in brackets where it has a default."""
    lists, numbers = _fields(kind)
    if lists:
        return f"{kind}:{'@'.join(name.upper() for name in lists)},…"
    return kind + "".join(f":{name.upper()}" if field.is_required() else f"[:{name.upper()}]" for name, field in numbers.items())


TARGETS = ", ".join(map(_form, members(Target)))


def times(text: str) -> list[float]:
    """`0.5,1,2`."""
    return [float(x) for x in text.split(",")]


def number(text: str) -> int | float:
    """An integer, or whatever a request makes of another number: 100, 1e2, 100.0."""
    try:
        return int(text)
    except ValueError:
        return float(text)
