"""A solve between two of its rounds, as bytes: the pilot that chose its panels, and the corrected solution so far."""

from dataclasses import dataclass
from typing import Any

from dlnflow.checkpoint import Arrays, pack, unpack
from dlnflow.dmft.errors import Curves, Scale
from dlnflow.dmft.sampling import Sample
from dlnflow.dmft.state import KERNELS, MODES, Averages, State, start
from dlnflow.model import Problem
from dlnflow.solution import NAMES

FORMAT = 2  # of what `save` writes
TIME_STEPS = ("left_out", "stepped")
AVERAGES = ("response", "correlation", "sums")


@dataclass(frozen=True)
class Pilot:
    """The pass that chose the panels, their largest `roughness`, and what errors are relative to.

    By curve: `left_out` is what panels at the end change that are left out, `stepped` what finer panels change.
    """

    state: State
    left_out: Curves
    stepped: Curves
    scale: Scale
    roughness: float = 0.0

    @property
    def time_step(self) -> Curves:
        """The time-step error by curve."""
        return {name: error + self.stepped[name] for name, error in self.left_out.items()}


@dataclass(frozen=True)
class Stage:
    """Where the rounds on a small sample of `size` paths stand: the `number` of the next one, its `paths`, and the progress so far."""

    size: int = 0
    number: int = 0
    paths: int = 0
    progress: float = 0.0


def save(pilot: Pilot, stage: Stage, base: State | None = None) -> bytes:
    """The pilot, the stage and its solution so far."""
    return pack(
        {"stage": [stage.size, stage.number, stage.paths, stage.progress]}
        | {"pilot_paths": len(pilot.state.sample.target), "roughness": pilot.roughness}
        | {name: [getattr(pilot, name)[curve] for curve in NAMES] for name in TIME_STEPS}
        | {"largest": [pilot.scale.largest[name] for name in NAMES]}
        | _flat("pilot", pilot.state)
        | ({} if base is None else _flat("base", base))
    )


class Checkpoint:
    """What `save` wrote."""

    def __init__(self, checkpoint: bytes) -> None:
        self._arrays = unpack(checkpoint)
        size, number, paths, progress = self._arrays["stage"].tolist()
        self.stage = Stage(int(size), int(number), int(paths), progress)
        self.pilot_paths = int(self._arrays["pilot_paths"])

    def pilot(self, problem: Problem, sample: Sample) -> Pilot:
        """The pilot, whose `sample` is drawn again."""
        left_out, stepped = (dict(zip(NAMES, self._arrays[name], strict=True)) for name in TIME_STEPS)
        scale = Scale(dict(zip(NAMES, self._arrays["largest"].tolist(), strict=True)))
        state = _state("pilot", self._arrays, problem, sample)
        return Pilot(state, left_out, stepped, scale, float(self._arrays["roughness"]))

    def base(self, problem: Problem, sample: Sample) -> State | None:
        """The solution so far on the small `sample`; None before the first round."""
        return _state("base", self._arrays, problem, sample) if "base.edges" in self._arrays else None


def _flat(name: str, state: State) -> dict[str, Any]:
    """A finished state as arrays, without its sample."""
    flat: dict[str, Any] = {kernel: getattr(state, kernel) for kernel in KERNELS}
    flat |= {"edges": state.edges, "time": state.time, "order": state.order, "residual": state.residual}
    flat |= {"factor": state.factor, "readout": state.readout, "ranks": state.ranks}
    flat |= {f"sampled.{part}": getattr(state.sampled, part) for part in AVERAGES}
    if state.correction is not None:
        flat |= {f"correction.{part}": getattr(state.correction, part) for part in AVERAGES}
    return {f"{name}.{key}": value for key, value in flat.items()}


def _state(name: str, arrays: Arrays, problem: Problem, sample: Sample) -> State:
    own = {key.removeprefix(f"{name}."): array for key, array in arrays.items() if key.startswith(f"{name}.")}
    order, edges = int(own["order"]), own["edges"].tolist()
    state = start(problem, sample, order, 0)
    for key in (*KERNELS, *MODES, "time"):
        setattr(state, key, own[key])
    state.edges, state.ranks, state.residual = edges, own["ranks"].tolist(), float(own["residual"])
    state.sampled = Averages(*(own[f"sampled.{part}"] for part in AVERAGES))
    state.correction = Averages(*(own[f"correction.{part}"] for part in AVERAGES)) if "correction.sums" in own else None
    return state
