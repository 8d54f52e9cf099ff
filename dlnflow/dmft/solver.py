"""The solver: a pilot pass chooses the panels, rounds of corrections by more and more paths give the curves and their errors.

The error of a curve has three parts. *Time step*: the change on the small sample with one node more in each panel, measured again by a
round's samples where nothing else is too large. *Sampling*: COVERAGE standard errors over independent scrambles. *Fixed point*: the change
when the correction is taken once more. Panels, paths or rounds are refined until their sum is below `accuracy`, relative to the curve or
to FLOOR times its largest value at any time, whichever is larger.
"""

import resource
import time as clock
from dataclasses import replace
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from dlnflow import __version__
from dlnflow.checkpoint import Own
from dlnflow.dmft import checkpoint, radau, sampling
from dlnflow.dmft.checkpoint import Checkpoint, Pilot, Stage
from dlnflow.dmft.errors import COVERAGE, FLOOR, Curves, Errors, Scale
from dlnflow.dmft.observables import conditionals, values
from dlnflow.dmft.panel import PanelFailure
from dlnflow.dmft.passes import MOST_MODES, MOST_PANELS, adaptive_pass, open_loop
from dlnflow.dmft.progress import Progress
from dlnflow.dmft.refine import SCRAMBLES, Refinement, Round, independent
from dlnflow.dmft.sampling import Sample
from dlnflow.dmft.state import State
from dlnflow.dmft.subnormal import flushed
from dlnflow.grids import default_times
from dlnflow.problem import Problem
from dlnflow.solution import CURVES, Array, Journal, Observer, Solution, SolveError, ignore_progress

PILOT_PATHS = (512, 2048)  # of the samples on which panels are tried
MOST_FAILURES = (8, 200)  # of panels' iterations on these; where many fail, panels stay short to the end
BASE_PATHS = (1024, 4096)  # of the small sample that is corrected; on fewer, turning modes by a little looks like noise
BASE_AT_ONE = 2.0  # of its paths over accuracy, between these bounds
FIRST_ROUGHNESS = 0.5  # of panels, over the square root of accuracy
MOST_PILOTS = 5  # on one pair of samples
GAIN = 0.7  # finer panels that do not reduce the error to this share call for a larger sample
FAR = 0.1  # error on a sample above which a larger one is tried at once
FIRST_PATHS = (1024, 32768)  # that a first round may be given
PATHS_AT_ONE = 20.0  # paths over accuracy that a first round is given
MOST_PATHS = 2**18
MOST_WORK = 1.5e12  # multiplications in the averages of one round
MOST_ROUNDS = 8
MOST_CHECKS = 3  # of a round
ROUGH = 3.0  # times the tolerance, of the small sample's own solution, above which a larger one is tried
MORE_WHERE_ROUGH = 8  # times the paths: late panels settle only where the noise of the averages does not upset their balance
TOLERANCES = (1e-6, 1e-5)  # of a panel's iteration; the tangents are in single precision, which leaves 1e-7
TOLERANCE_AT_ONE = 1e-3  # tolerance over accuracy
QUANTILE_PATHS = 8192
PILOT_SHARE = 0.2
SHARE_OF_TIME_ERROR = 0.5
SHARE_OF_REST = 0.1  # of accuracy, that curves may move over panels which are left out


def solve(
    problem: Problem,
    horizon: float,
    *,
    times: Array | None = None,
    accuracy: float = 0.01,
    seed: int = 0,
    observe: Observer = ignore_progress,
    journal: Journal | None = None,
) -> Solution:
    """Solve the dynamical mean-field theory up to `horizon` (dimensionless time of arXiv 2510.01930).

    `times`, shape (T,), increasing, within [0, horizon]; by default `grids.default_times(horizon)`. Raises SolveError
    where no panel length makes the iteration settle, and passes on what `observe` raises. The same arguments give the same bits,
    also where `journal` takes up an earlier attempt: the pilot and every round leave a checkpoint there. One of another request, as of a
    shorter horizon, is passed over.
    """
    began = clock.perf_counter()
    grid = default_times(horizon) if times is None else np.asarray(times, dtype=float)
    journal = Own(journal or Journal(), problem, horizon, grid.tobytes(), accuracy, seed)
    earlier = None if journal.earlier is None else Checkpoint(journal.earlier)
    progress = Progress(observe, horizon, journal)
    progress.stage(0.0, PILOT_SHARE, MOST_PANELS)
    root = np.random.SeedSequence(seed)
    with threadpool_limits(1), flushed():
        tolerance = float(np.clip(TOLERANCE_AT_ONE * accuracy, *TOLERANCES))
        if earlier:
            pilot = earlier.pilot(problem, _pilot_sample(problem, earlier.pilot_paths, root))
            small = earlier.stage.size <= BASE_PATHS[-1]
            refinement = _refinement(pilot, earlier.stage.size, grid, tolerance, root, progress) if small else None
        else:
            pilot, refinement = _choose_panels(problem, horizon, grid, accuracy, tolerance, root, progress)
        found, errors = _refine(pilot, refinement, grid, accuracy, tolerance, root, progress, earlier)
        solution = _solution(found, errors, pilot.scale, grid, accuracy, root)
    measured = {"wall_time": clock.perf_counter() - began, "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
    solution.diagnostics.update({"seed": seed, "versions": {"dlnflow": __version__, "numpy": np.__version__}} | measured)
    return solution


def _choose_panels(
    problem: Problem, horizon: float, grid: Array, accuracy: float, tolerance: float, root: np.random.SeedSequence, progress: Progress
) -> tuple[Pilot, Refinement | None]:
    """Panels whose time-step error on a small sample is a share of `accuracy`, and the solution on that sample where it settles.

    A second, larger pair of samples is tried where panels of the first do not settle or do not get better.
    """

    def watch(state: State) -> None:
        progress(state.edges[-1])
        known = grid[grid <= state.edges[-1]]
        progress.show(lambda: (known, values(state, known)))

    best, found, pilot, wanted = np.inf, None, None, FIRST_ROUGHNESS * accuracy**0.5
    for paths, most_failures, size in zip(PILOT_PATHS, MOST_FAILURES, _base_paths(accuracy), strict=True):
        sample = _pilot_sample(problem, paths, root)
        before, roughness = np.inf, wanted
        for _ in range(MOST_PILOTS):
            try:
                pilot = _until_still(adaptive_pass(problem, sample, horizon, roughness, tolerance, most_failures, watch), grid, accuracy)
                refinement = Refinement(pilot.state, grid, pilot.scale, size, tolerance, root, progress)
                pilot = replace(pilot, stepped=refinement.time_step())
            except (PanelFailure, SolveError):
                break
            panels, worst = len(pilot.state.edges) - 1, max(float(pilot.time_step[name].max()) for name in CURVES)
            rough = refinement.base.residual > ROUGH * tolerance
            if worst < best or found is None:
                best, found = worst, (pilot, refinement)
            larger = paths < PILOT_PATHS[-1]
            if rough and larger:
                best = np.inf
                break
            if best < SHARE_OF_TIME_ERROR * accuracy:
                return pilot, refinement
            if (larger and worst > min(FAR, GAIN * before)) or panels >= MOST_PANELS // 3:
                break
            before, wanted = worst, roughness
            roughness *= max(0.4, 0.8 * (SHARE_OF_TIME_ERROR * accuracy / worst) ** 0.8)
    if found:
        return found
    if pilot is None:
        raise SolveError("not_converged", "The panels' iterations do not settle. Try another seed, a larger accuracy or a shorter horizon.")
    return pilot, None


def _base_paths(accuracy: float) -> tuple[int, int]:
    """The sizes of the small sample that belong to PILOT_PATHS."""
    return 2 ** round(np.log2(np.clip(BASE_AT_ONE / accuracy, *BASE_PATHS))), BASE_PATHS[-1]


def _until_still(state: State, grid: Array, accuracy: float) -> Pilot:
    """The state without the panels at its end where nothing moves any more; what this changes in its curves is time-step error.

    A large sample would find only noise there, which long panels make much of.
    """
    times = np.append(grid, state.time)  # not those that were asked for alone: the kernels have their own
    everything = values(state, times)
    scale = Scale({name: float(np.abs(value).max()) for name, value in everything.items()})
    nothing = {name: np.zeros(len(grid)) for name in everything}
    kept = Pilot(state, nothing, nothing, scale)
    for panels in range(len(state.edges) - 2, 0, -1):
        head = state.head(panels)
        change = scale.difference(values(head, times), everything)
        if max(moved.max() for moved in change.values()) > SHARE_OF_REST * accuracy:
            break
        kept = Pilot(head, {name: moved[: len(grid)] for name, moved in change.items()}, nothing, scale)
    return kept


def _pilot_sample(problem: Problem, paths: int, root: np.random.SeedSequence) -> Sample:
    return sampling.draw(problem, paths, MOST_MODES, np.random.SeedSequence(entropy=root.entropy, spawn_key=(0,)))


def _refine(
    pilot: Pilot,
    refinement: Refinement | None,
    grid: Array,
    accuracy: float,
    tolerance: float,
    root: np.random.SeedSequence,
    progress: Progress,
    earlier: Checkpoint | None,
) -> tuple[Round, Errors]:
    """Corrections by large samples of the smallest sample on which they settle, or else the mean of separate solves."""
    while refinement:
        try:
            return _rounds(refinement, pilot, accuracy, progress, earlier)
        except PanelFailure:
            larger = refinement.size < BASE_PATHS[-1]
            refinement = _refinement(pilot, BASE_PATHS[-1], grid, tolerance, root, progress) if larger else None
    progress.journal.save(partial(checkpoint.save, pilot, Stage(BASE_PATHS[-1] + 1)))
    progress.stage(PILOT_SHARE, 1.0, 2 * SCRAMBLES, f"{SCRAMBLES} separate solves")
    try:
        found, time_step, bias = independent(pilot.state, grid, pilot.scale, tolerance, root, progress)
    except PanelFailure:
        raise SolveError("not_converged", "The panels' iterations do not settle. Try another seed or a larger accuracy.") from None
    return found, Errors(found.sampling, replace(pilot, stepped=time_step).time_step, bias)


def _refinement(
    pilot: Pilot, size: int, grid: Array, tolerance: float, root: np.random.SeedSequence, progress: Progress
) -> Refinement | None:
    """The small sample of `size` paths on the panels of the pilot; None where it does not settle there."""
    progress.stage(PILOT_SHARE, PILOT_SHARE + 0.05, len(pilot.state.edges))
    try:
        return Refinement(pilot.state, grid, pilot.scale, size, tolerance, root, progress)
    except PanelFailure:
        return None


def _rounds(refinement: Refinement, pilot: Pilot, accuracy: float, progress: Progress, earlier: Checkpoint | None) -> tuple[Round, Errors]:
    """Rounds with more and more paths until sampling and fixed point are within what the time step leaves of `accuracy`.

    Raises PanelFailure where that needs a larger small sample: the first round does not settle, or later ones leave the fixed point alone.
    """
    most = _most_paths(refinement.base.nodes)
    more = MORE_WHERE_ROUGH if refinement.size == BASE_PATHS[-1] else 1
    paths = 2 ** round(np.log2(np.clip(more * PATHS_AT_ONE / accuracy, *FIRST_PATHS)) - 0.3)
    stage, last, first = Stage(refinement.size, 0, min(paths, most), PILOT_SHARE + 0.05), None, refinement.base
    resumed = earlier is not None and earlier.stage.size == refinement.size
    if earlier and resumed:
        stage, refinement.base = earlier.stage, earlier.base(refinement.problem, refinement.sample) or first
    while True:
        progress.journal.save(partial(checkpoint.save, pilot, stage, refinement.base if stage.number else None))
        high = stage.progress + 0.5 * (1 - stage.progress)
        progress.stage(stage.progress, high, 4 * SCRAMBLES, f"round {stage.number + 1}: {SCRAMBLES} times {stage.paths} paths")
        try:
            checked, errors, pilot = _checked(refinement, refinement.round(stage.paths), pilot, accuracy)
        except PanelFailure:
            if resumed and not last:  # where the round before is needed
                refinement.base = first
                return _rounds(refinement, pilot, accuracy, progress, None)
            if stage.paths < most and (last or refinement.size == BASE_PATHS[-1]):
                stage = replace(stage, paths=min(stage.paths * MORE_WHERE_ROUGH, most), progress=high)
                continue
            if last:
                return last
            raise
        last = checked, errors
        if stage.number and refinement.size < BASE_PATHS[-1] and errors.largest()["fixed_point"] > accuracy:
            raise PanelFailure("the averages over the small sample are too rough for corrections to settle")
        if errors.largest()["total"] <= accuracy or stage.number == MOST_ROUNDS - 1:
            return last
        excess = errors.excess(accuracy)
        if (stage.paths == most) if excess > 1 else (errors.largest()["time_step"] > accuracy):
            return last  # no more paths, or no use for them
        progress.journal.preview(refinement.times, checked.curves, _stderr(checked.curves, errors, pilot.scale))
        paths = min(stage.paths * 2 ** int(np.ceil(1.2 * np.log2(max(excess, 1.0)) + 0.3)), most)
        stage, refinement.base = Stage(refinement.size, stage.number + 1, paths, high), checked.state


def _checked(refinement: Refinement, found: Round, pilot: Pilot, accuracy: float) -> tuple[Round, Errors, Pilot]:
    """The round after one check, its errors, and the pilot.

    Where the time step alone, and then the fixed point alone, keep the total error above `accuracy`, the one is measured by the round's
    samples, and checks are repeated for the other.
    """
    measured = False
    for number in range(MOST_CHECKS):
        checked, fixed_point = refinement.check(found, number)
        errors = Errors(checked.sampling, pilot.time_step, fixed_point)
        if not measured and errors.largest()["total"] > accuracy >= errors.without("time_step"):
            measured, pilot = True, _measured(pilot, refinement, checked)
            errors = Errors(checked.sampling, pilot.time_step, fixed_point)
        found = checked
        if errors.largest()["total"] <= accuracy or errors.without("fixed_point") > accuracy:
            break
    return found, errors, pilot


def _measured(pilot: Pilot, refinement: Refinement, found: Round) -> Pilot:
    """The pilot with the time-step error of the round, where that settles."""
    try:
        return replace(pilot, stepped=refinement.time_step_of(found))
    except PanelFailure:
        return pilot


def _most_paths(nodes: int) -> int:
    work = SCRAMBLES * (nodes**3 / 6 + 3 * nodes**2)
    return int(2 ** np.floor(np.log2(np.clip(MOST_WORK / work, FIRST_PATHS[0], MOST_PATHS))))


def _solution(found: Round, errors: Errors, scale: Scale, grid: Array, accuracy: float, root: np.random.SeedSequence) -> Solution:
    state, split = found.state, errors.largest()
    stderr = _stderr(found.curves, errors, scale)
    sample = sampling.draw(state.problem, QUANTILE_PATHS, state.rank, np.random.SeedSequence(entropy=root.entropy, spawn_key=(4,)))
    heights = np.empty((state.nodes, len(sample.target)))
    open_loop(state, sample, heights, tangents=False)
    diagnostics = {
        "outcome": "converged" if split["total"] <= accuracy else "not_converged",
        "advice": _advice(split, accuracy),
        "accuracy": accuracy,
        "error": split,
        "absolute_floor": FLOOR,
        "nodes": state.nodes,
        "panels": len(state.edges) - 1,
        "rank": state.rank,
        "paths": found.paths,
        "scrambles": SCRAMBLES,
    }
    kernel_time, kernels = _kernels(state)
    return Solution(grid, found.curves, stderr, conditionals(state, grid, sample, heights), diagnostics, kernel_time, kernels)


def _stderr(curves: Curves, errors: Errors, scale: Scale) -> Curves:
    """The standard error of every curve with the other two parts of its error, (T,) each."""
    parts = zip(errors.sampling.items(), errors.time_step.values(), errors.fixed_point.values(), strict=True)
    relative = {name: np.sqrt((sampled / COVERAGE) ** 2 + stepped**2 + fixed**2) for (name, sampled), stepped, fixed in parts}
    return {name: scale.of(name, value) * relative[name] for name, value in curves.items()}


def _advice(split: dict[str, float], accuracy: float) -> str | None:
    """What to try where the solve did not converge."""
    if split["total"] > accuracy:
        return f"The error is {split['total']:.2g}; ask for a larger accuracy or a shorter horizon."
    return None


def _kernels(state: State) -> tuple[Array, dict[str, Array]]:
    """The two-time functions on the panels' right edges, (K, K); R_r without its identity, R_w(t, t) = −E[k(t)]."""
    ends = np.arange(1, len(state.edges)) * state.order - 1
    column = np.diff(state.edges) * radau.integration(state.order)[-1, -1]
    slope = state.averages.sums[:, 2].sum(axis=0)[ends]
    square = np.ix_(ends, ends)
    response = np.tril(state.response[square] / column, -1) - np.diag(slope)
    residual_response = np.tril(state.residual_response[square] / column, -1) - np.diag(slope) / state.problem.aspect_ratio
    return np.array(state.edges[1:]), {
        "correlation": state.correlation[square],
        "response": response,
        "residual_correlation": state.residual_correlation[square],
        "residual_response": residual_response,
    }
