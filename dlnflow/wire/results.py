"""Results on the wire: one document per part, stored as npz, printed as JSON or CSV.

The names in an npz file are the dotted paths of the JSON document ("conditional.0.mean"), the arrays are the same
to the last bit, and the same document always gives the same bytes.
"""

import io
import json
import math
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

from dlnflow.activation import activation_time
from dlnflow.solution import CURVES, KERNELS, NAMES, ORDER_PARAMETERS, QUANTILES, Array, Solution, SolveError

Document = dict[str, Any]

ARRAYS = frozenset({"curves", "order-parameters", "kernels"})  # the parts that are stored as npz, all others as JSON


def documents(solution: Solution) -> dict[str, Document]:
    """The parts of the result of a solve; raises SolveError where a number is not finite."""
    found = {"curves": _curves(solution, CURVES), "order-parameters": _order_parameters(solution)}
    if solution.kernels and solution.kernel_time is not None:
        found["kernels"] = {"time": solution.kernel_time} | {name: solution.kernels[name] for name in KERNELS}
    for document in found.values():
        _require_finite(document)
    return found | {"diagnostics": _plain(solution.diagnostics | {"summary": _summary(solution)})}


def _summary(solution: Solution) -> Document:
    """The smallest test loss of the curve and its time, and the last value of everything."""
    least = int(np.argmin(solution.values["test_loss"]))
    found = {"least_test_loss": solution.values["test_loss"][least], "least_test_loss_stderr": solution.stderr["test_loss"][least]}
    return found | {"least_test_loss_time": solution.time[least], "final": {name: solution.values[name][-1] for name in NAMES}}


def encode(parts: dict[str, Document]) -> dict[str, bytes]:
    """The parts of a result as they are stored: JSON where they hold few numbers, else npz."""
    return {name: (to_json if stored_as(name) == "json" else to_npz)(document) for name, document in parts.items()}


def stored_as(part: str) -> Literal["json", "npz"]:
    """The format in which a part is stored, and read by the client."""
    return "npz" if part in ARRAYS else "json"


def decode(part: str, stored: bytes) -> Document:
    """The document that `encode` stored."""
    if stored_as(part) == "json":
        printed: Document = json.loads(stored)
        return printed
    document = from_npz(stored)
    if part == "order-parameters":
        document["conditional"] = list(document["conditional"])  # an array without numbers where nothing is told apart
    return document


def to_npz(document: Document) -> bytes:
    """A document as an npz file; a missing number is NaN there."""
    buffer = io.BytesIO()
    leaves: dict[str, Any] = {name: np.nan if leaf is None else leaf for name, leaf in _flatten(document)}
    np.savez_compressed(buffer, allow_pickle=False, **leaves)
    return buffer.getvalue()


def from_npz(content: bytes) -> Document:
    """The document in an npz file; a missing number stays NaN."""
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        return _unflatten({name: stored[name] for name in stored.files})


def to_json(document: Document) -> bytes:
    """A document as JSON; a number that is not finite is null there."""
    return json.dumps(_plain(document), allow_nan=False, separators=(",", ":")).encode()


def to_csv(document: Document) -> bytes:
    """Everything that has one value per time, as columns."""
    columns = dict(_columns(document))
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    lines = [",".join(columns), *(",".join("" if math.isnan(x) else repr(x) for x in row) for row in rows)]
    return ("\r\n".join(lines) + "\r\n").encode()


def _curves(solution: Solution, names: tuple[str, ...]) -> Document:
    document: Document = {"time": solution.time}
    for name in names:
        document |= {name: solution.values[name], f"{name}_stderr": solution.stderr[name]}
    return document


def _order_parameters(solution: Solution) -> Document:
    conditional = [
        {"given": c.given, "probability": c.probability, "mean": c.mean, "quantiles": c.quantiles}
        | {"activation_time": activation_time(solution.time, c)}
        for c in solution.conditional
    ]
    return _curves(solution, ORDER_PARAMETERS) | {"quantile_levels": np.array(QUANTILES), "conditional": conditional}


def _require_finite(document: Document) -> None:
    for name, leaf in document.items():
        if isinstance(leaf, np.ndarray) and not np.isfinite(leaf).all():
            raise SolveError("diverged", f"{name} is not finite everywhere; try a shorter horizon or a smaller initial_scale")


def _flatten(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Names and leaves. A list that holds other lists or objects is taken apart, a plain one is an array."""
    if isinstance(node, list | tuple) and any(isinstance(item, dict | list | tuple) for item in node):
        node = dict(enumerate(node))
    if not isinstance(node, dict):
        yield path, node
        return
    for name, child in node.items():
        yield from _flatten(child, f"{path}.{name}" if path else str(name))


def _unflatten(leaves: dict[str, Array]) -> Document:
    document: Document = {}
    for path, leaf in leaves.items():
        *parents, name = path.split(".")
        node = document
        for parent in parents:
            node = node.setdefault(parent, {})
        node[name] = leaf if leaf.ndim else leaf.item()
    return {name: _with_lists(node) for name, node in document.items()}


def _with_lists(node: Any) -> Any:
    """`node` with lists in place of the objects whose names are numbers."""
    if not isinstance(node, dict):
        return node
    children = {name: _with_lists(child) for name, child in node.items()}
    return list(children.values()) if all(name.isdigit() for name in children) else children


def _plain(node: Any) -> Any:
    """`node` in the types of JSON."""
    if isinstance(node, dict):
        return {str(name): _plain(child) for name, child in node.items()}
    if isinstance(node, np.ndarray | np.generic):
        return _plain(node.tolist())
    if isinstance(node, list | tuple):
        return [_plain(item) for item in node]
    return None if isinstance(node, float) and not math.isfinite(node) else node


def _columns(document: Document) -> Iterator[tuple[str, Array]]:
    for name, leaf in document.items():
        if isinstance(leaf, np.ndarray) and leaf.shape == document["time"].shape and name != "quantile_levels":
            yield name, leaf
    for part in document.get("conditional", []):
        yield f"mean[{part['given']}]", part["mean"]
        for level, row in zip(document["quantile_levels"], part["quantiles"], strict=True):
            yield f"q{100 * level:02.0f}[{part['given']}]", row
