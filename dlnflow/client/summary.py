"""A request in one line, in the letters of the field: what tells one job or result from another."""

from collections.abc import Mapping
from typing import Any

LETTERS = {"δ": "aspect_ratio", "σ": "noise_std", "a": "initial_scale", "λ": "weight_decay", "L": "depth"}
OWN = {"T": "horizon", "accuracy": "accuracy", "d": "dimension", "networks": "replicas", "M": "truncation", "seed": "seed"}


def describe(request: Mapping[str, Any]) -> str:
    """`bernoulli_gauss δ=0.5 σ=0.1 a=0.3 λ=0 T=32 accuracy=0.01`; empty where there is no problem in the request."""
    base = request.get("base", request)
    problem = base.get("problem")
    if not isinstance(problem, Mapping):
        return ""
    target = f"{len(problem['groups'])} groups" if problem.get("groups") else problem.get("target", {}).get("kind", "")
    letters = [f"{letter}={_short(problem[name])}" for letter, name in LETTERS.items() if name in problem]
    own = [f"{letter}={_short(base[name])}" for letter, name in OWN.items() if base.get(name)]
    dynamics = base.get("dynamics") or {}
    steps = [dynamics["kind"]] if dynamics.get("kind", "gradient_flow") != "gradient_flow" else []
    axes = [f"over {path.removeprefix('problem.')}({len(values)})" for path, values in request.get("axes", {}).items()]
    return " ".join([target, *letters, *own, *steps, *axes]).strip()


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        return str(value.get("kind", "mixed"))
    return f"{value:.6g}" if isinstance(value, float) else str(value)
