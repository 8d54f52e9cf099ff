"""A solve before one of its rounds, or before separate solves, as bytes: the panels, and the corrected solution so far."""

from collections.abc import Mapping
from typing import Any

from dlnflow.checkpoint import Arrays, pack, unpack
from dlnflow.dmft.averages import Averages, Observed
from dlnflow.dmft.errors import Curves, Scale
from dlnflow.dmft.sampling import Sample
from dlnflow.dmft.stages import Anew, Mesh, Round, Separate, SmallSample, TakenUp
from dlnflow.dmft.state import State
from dlnflow.dmft.task import Pilot, Task
from dlnflow.model import Problem
from dlnflow.solution import NAMES

FORMAT = 11  # of what `save` writes
KERNELS = ("correlation", "response", "residual_correlation", "residual_response", "errors")
PARTS = ("response", "rest", "errors")  # of a correction
STATE = (*KERNELS, "factor", "readout", "drive", "loss", "decay", "scattered", "temperature", "time", "edges", "ranks", "order", "residual")


def save(stage: Round | Separate, progress: float) -> bytes:
    """The stage, with the progress so far."""
    mesh, pilot = stage.mesh, stage.mesh.pilot
    curves: dict[str, Mapping[str, Any]] = {"left_out": pilot.left_out, "stepped": pilot.stepped, "scale": pilot.scale.largest}
    arrays = {"progress": progress, "bound": mesh.bound, "pair": mesh.pair} | _flat("pilot", pilot.state)
    if isinstance(stage, Round):
        arrays |= {"round": [stage.size, stage.number, stage.paths, stage.measured]} | (_flat("base", stage.base) if stage.base else {})
        curves["time_step"] = stage.time_step
    return pack(arrays | {name: [by_name[curve] for curve in NAMES] for name, by_name in curves.items()})


def load(checkpoint: bytes, task: Task) -> tuple[SmallSample | Separate, float]:
    """From which stage the `task` goes on, and its progress there. Samples are drawn again."""
    arrays = unpack(checkpoint)
    mesh = _mesh(arrays, task)
    stage: SmallSample | Separate = Separate(mesh)
    if "round" in arrays:
        size, number, paths, measured = arrays["round"].tolist()
        at = TakenUp(number, paths, _curves("time_step", arrays), bool(measured), _within("base", arrays) or None)
        stage = SmallSample(mesh, size, at)
    return stage, float(arrays["progress"])


def _mesh(arrays: Arrays, task: Task) -> Mesh:
    pair = int(arrays["pair"])
    state = state_of(_within("pilot", arrays), task.problem, task.pilot_sample(pair))
    scale = Scale(dict(zip(NAMES, arrays["scale"].tolist(), strict=True)))
    pilot = Pilot(state, _curves("left_out", arrays), _curves("stepped", arrays), scale)
    return Mesh(pilot, state.panels, float(arrays["bound"]), pair, Anew())


def _curves(name: str, arrays: Arrays) -> Curves:
    return dict(zip(NAMES, arrays[name], strict=True))


def _flat(name: str, state: State) -> dict[str, Any]:
    """A state as arrays, without its sample and its secants."""
    flat: dict[str, Any] = {key: getattr(state, key) for key in STATE} | {"observed": state.observed.rows}
    if state.correction is not None:
        parts = {part: getattr(state.correction, part) for part in PARTS} | {"observed": state.correction.observed.rows}
        flat |= {f"correction.{part}": array for part, array in parts.items()}
    return {f"{name}.{key}": value for key, value in flat.items()}


def _within(name: str, arrays: Arrays) -> dict[str, Any]:
    """The arrays of what has this name."""
    return {key.removeprefix(f"{name}."): array for key, array in arrays.items() if key.startswith(f"{name}.")}


def state_of(arrays: Arrays, problem: Problem, sample: Sample) -> State:
    """The state with these arrays."""
    correction = _within("correction", arrays)
    return State(
        problem=problem,
        temperature=float(arrays["temperature"]),
        sample=sample,
        order=int(arrays["order"]),
        edges=arrays["edges"].tolist(),
        ranks=arrays["ranks"].tolist(),
        residual=float(arrays["residual"]),
        observed=Observed(arrays["observed"]),
        correction=_averages(correction) if correction else None,
        time=arrays["time"],
        correlation=arrays["correlation"],
        response=arrays["response"],
        residual_correlation=arrays["residual_correlation"],
        residual_response=arrays["residual_response"],
        errors=arrays["errors"],
        factor=arrays["factor"],
        readout=arrays["readout"],
        drive=arrays["drive"],
        loss=arrays["loss"],
        decay=arrays["decay"],
        scattered=arrays["scattered"],
    )


def _averages(parts: dict[str, Any]) -> Averages:
    return Averages(parts["response"], parts["rest"], parts["errors"], Observed(parts["observed"]))
