"""A request from a TOML or JSON file and from options; options win."""

import argparse
import json
import tomllib
from pathlib import Path
from typing import Any

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
    text = Path(path).read_text(encoding="utf-8")
    try:
        found: dict[str, Any] = json.loads(text) if path.endswith(".json") else tomllib.loads(text)
    except ValueError as error:
        raise ValueError(f"{path} is not {'JSON' if path.endswith('.json') else 'TOML'}: {error}") from None
    return {"problem": found} if "aspect_ratio" in found else found


def assignment(text: str) -> tuple[str, Any]:
    """`problem.target.density=0.1` as a path and a value; what is no JSON is a word."""
    path, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"{text}: write PATH=VALUE, for example problem.initial_scale=0.1")
    return path, word_or_json(value)


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
    """`gaussian[:STD]`, `bernoulli_gauss:DENSITY[:STD]` or `discrete:ATOM@PROBABILITY,…`."""
    kind, _, rest = text.partition(":")
    try:
        if kind == "discrete":
            pairs = [[float(x) for x in pair.split("@")] for pair in rest.split(",")]
            return {"kind": kind, "atoms": [atom for atom, _ in pairs], "probabilities": [p for _, p in pairs]}
        names = {"gaussian": ["std"], "bernoulli_gauss": ["density", "std"]}[kind]
        return {"kind": kind} | dict(zip(names, map(float, filter(None, rest.split(":"))), strict=False))
    except (KeyError, ValueError):
        message = f"{text}: write gaussian[:STD], bernoulli_gauss:DENSITY[:STD] or discrete:ATOM@PROBABILITY,…"
        raise argparse.ArgumentTypeError(message) from None


def times(text: str) -> list[float]:
    """`0.5,1,2`."""
    return [float(x) for x in text.split(",")]
