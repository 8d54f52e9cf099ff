"""The solver: a pilot pass chooses the panels, rounds of corrections by more and more paths give the curves and their errors.

The error of a curve has three parts. *Time step*: the largest change within a panel, on the small sample, with one node more in each,
measured again by a round's samples where nothing else is too large. *Sampling*: COVERAGE standard errors over independent scrambles.
*Fixed point*: the change when the correction is taken once more. Panels, paths or rounds are refined until their sum is below `accuracy`,
relative to the curve or to FLOOR times its largest value at any time, whichever is larger.
"""

import resource
import time as clock
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from dlnflow import __version__
from dlnflow.checkpoint import Own
from dlnflow.dmft import checkpoint, pilot, radau, sampling
from dlnflow.dmft.checkpoint import Checkpoint, Pilot, Stage
from dlnflow.dmft.errors import COVERAGE, FLOOR, Curves, Errors, Scale
from dlnflow.dmft.observables import conditionals
from dlnflow.dmft.panel import PanelFailure
from dlnflow.dmft.passes import Unsettled, open_loop
from dlnflow.dmft.pilot import BASE_PATHS, Task
from dlnflow.dmft.progress import Progress
from dlnflow.dmft.refine import SCRAMBLES, Refinement, Round, drawable, independent
from dlnflow.dmft.state import State
from dlnflow.grids import default_times
from dlnflow.model import Problem
from dlnflow.solution import Array, Journal, Observer, Solution, SolveError, ignore_progress

FIRST_PATHS = (1024, 32768)  # that a first round may be given
PATHS_AT_ONE = 20.0  # paths over accuracy that a first round is given
MOST_PATHS = 2**18
MOST_WORK = 1.5e12  # multiplications in the averages of one round
LAST_TIMES = 4  # that work a last round may take
LAST_EXCESS = 2.0  # sampling error over what is left to it, up to which such a round is worth its work
MOST_ROUNDS = 8
MOST_CHECKS = 3  # of a round
MORE_WHERE_ROUGH = 8  # times the paths: late panels settle only where the noise of the averages does not upset their balance
QUANTILE_PATHS = 8192
SHORTER = 0.7  # of a horizon on which panels do not settle, that is tried next at most
MOST_HORIZONS = 4
SETTLED = 0.3  # fixed-point error over accuracy, above which a round's time-step error is not final


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

    `times`, shape (T,), increasing, within [0, horizon]; by default `grids.default_times(horizon)`. Where no panel length makes the
    iteration settle up to the horizon, the curves end before it, with the outcome `not_converged`; SolveError where they would have no
    time but 0. Passes on what `observe` raises. The same arguments give the same bits, also where `journal` takes up an earlier attempt:
    the pilot and every round leave a checkpoint there. One of another request, as of a shorter horizon, is passed over.
    """
    began = clock.perf_counter()
    grid = default_times(horizon) if times is None else np.asarray(times, dtype=float)

    def until(end: float, progress: float) -> Task:
        times = grid[grid <= end]
        own = Own(journal or Journal(), checkpoint.FORMAT, problem, end, times.tobytes(), accuracy, seed)
        return Task(problem, end, times, accuracy, np.random.SeedSequence(seed), Progress(observe, end, own, progress))

    with threadpool_limits(1):
        task, found, errors, chosen = _as_far_as_settles(until, horizon)
        solution = _solution(task, found, errors, chosen.scale, horizon)
    measured = {"wall_time": clock.perf_counter() - began, "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
    solution.diagnostics.update({"seed": seed, "versions": {"dlnflow": __version__, "numpy": np.__version__}} | measured)
    return solution


def _as_far_as_settles(until: Callable[[float, float], Task], horizon: float) -> tuple[Task, Round, Errors, Pilot]:
    """The task `until` the horizon, or until the longest of shorter ones that panels settle on, and what came of it."""
    task, message = until(horizon, 0.0), ""
    for _ in range(MOST_HORIZONS):
        try:
            return task, *_resumed(task)
        except Unsettled as failure:
            message, end = message or str(failure), min(failure.reached, SHORTER * task.horizon)
        task = until(end, task.progress.reached)
        if not task.times.any():
            break
    raise SolveError("not_converged", message)


def _resumed(task: Task) -> tuple[Round, Errors, Pilot]:
    """An attempt from the checkpoint of an earlier one, if there is any."""
    earlier = task.progress.journal.earlier
    try:
        return _attempt(task, Checkpoint(earlier) if earlier else None)
    except SolveError:
        if not earlier:
            raise
    return _attempt(task, None)  # there may have been coarser panels that are better than none


def _attempt(task: Task, earlier: Checkpoint | None) -> tuple[Round, Errors, Pilot]:
    """Panels and rounds, with finer panels as long as the time step alone keeps the error above the accuracy; the last that settle."""
    if earlier:
        task.progress.reached = earlier.stage.progress
        chosen = earlier.pilot(task.problem, task.sample(earlier.pilot_paths))
        small = earlier.stage.size <= BASE_PATHS[-1]
        refinement = _refinement(task, chosen, earlier.stage.size) if small else None
    else:
        chosen, refinement = pilot.choose(task)
    found, errors = _refine(task, chosen, refinement, earlier)
    while errors.largest()["total"] > task.accuracy >= errors.without("time_step") and not pilot.is_finest(chosen):
        try:
            finer, refinement = pilot.choose(task, chosen)
            found, errors = _refine(task, finer, refinement, None)
            chosen = finer
        except SolveError:
            break
    return found, errors, chosen


def _refine(task: Task, chosen: Pilot, refinement: Refinement | None, earlier: Checkpoint | None) -> tuple[Round, Errors]:
    """Corrections by large samples of the smallest sample on which they settle, or else the mean of separate solves."""
    progress = task.progress
    while refinement:
        try:
            return _rounds(refinement, chosen, task.accuracy, progress, earlier)
        except PanelFailure:
            refinement = _refinement(task, chosen, BASE_PATHS[-1]) if refinement.size < BASE_PATHS[-1] else None
    progress.journal.save(partial(checkpoint.save, chosen, Stage(BASE_PATHS[-1] + 1, progress=progress.reached)))
    progress.stage(progress.reached, progress.reached + 0.9 * (1 - progress.reached), 2 * SCRAMBLES, f"{SCRAMBLES} separate solves")
    try:
        found, time_step, bias = independent(chosen.state, task.times, chosen.scale, pilot.TOLERANCE, task.root, progress)
    except PanelFailure:
        raise Unsettled("The panels' iterations do not settle. Try another seed or a larger accuracy.", task.horizon) from None
    return found, Errors(found.sampling, replace(chosen, stepped=time_step).time_step, bias)


def _refinement(task: Task, chosen: Pilot, size: int) -> Refinement | None:
    """The small sample of `size` paths on the panels of the pilot; None where it does not settle there."""
    reached = task.progress.reached
    task.progress.stage(reached, reached + 0.05 * (1 - reached), len(chosen.state.edges))
    try:
        return task.refinement(chosen, size)
    except PanelFailure:
        return None


def _rounds(refinement: Refinement, chosen: Pilot, accuracy: float, progress: Progress, earlier: Checkpoint | None) -> tuple[Round, Errors]:
    """Rounds with more and more paths until sampling and fixed point are within what the time step leaves of `accuracy`.

    Raises PanelFailure where that needs a larger small sample: the first round does not settle, or later ones leave the fixed point alone.
    """
    most = _most_paths(refinement.base.nodes)
    more = MORE_WHERE_ROUGH if refinement.size == BASE_PATHS[-1] else 1
    paths = 2 ** round(np.log2(np.clip(more * PATHS_AT_ONE / accuracy, *FIRST_PATHS)) - 0.3)
    stage = Stage(refinement.size, 0, min(paths, most), max(pilot.SHARE, progress.reached))
    last, first = None, refinement.base
    resumed = earlier is not None and earlier.stage.size == refinement.size
    if earlier and resumed:
        stage, refinement.base = earlier.stage, earlier.base(refinement.problem, refinement.sample) or first
    while True:
        progress.journal.save(partial(checkpoint.save, chosen, stage, refinement.base if stage.number else None))
        high = stage.progress + 0.5 * (1 - stage.progress)
        progress.stage(stage.progress, high, 4 * SCRAMBLES, f"round {stage.number + 1}: {SCRAMBLES} times {stage.paths} paths")
        try:
            checked, errors, chosen = _checked(refinement, refinement.round(stage.paths), chosen, accuracy)
        except PanelFailure:
            if resumed and not last:  # where the round before is needed
                refinement.base = first
                return _rounds(refinement, chosen, accuracy, progress, None)
            if stage.paths < most and (last or refinement.size == BASE_PATHS[-1]):
                stage = replace(stage, paths=min(stage.paths * MORE_WHERE_ROUGH, most), progress=high)
                refinement.base = first  # checks of a rough round may have led away from the solution
                continue
            if last and (refinement.size == BASE_PATHS[-1] or last[1].largest()["fixed_point"] <= accuracy):
                return last
            raise
        last = checked, errors
        if stage.number and refinement.size < BASE_PATHS[-1] and errors.largest()["fixed_point"] > accuracy:
            raise PanelFailure("the averages over the small sample are too rough for corrections to settle")
        if errors.largest()["total"] <= accuracy or stage.number == MOST_ROUNDS - 1:
            return last
        excess = errors.excess(accuracy)
        alone = not pilot.is_finest(chosen) and errors.without("time_step") <= accuracy
        if errors.largest()["time_step"] > accuracy and errors.largest()["fixed_point"] < SETTLED * accuracy and (alone or excess <= 1):
            return last  # more paths are of no use
        limit = LAST_TIMES * most if stage.paths >= most and 1 < excess <= LAST_EXCESS else max(most, stage.paths)
        if stage.paths == limit and excess > 1:
            return last
        progress.journal.preview(refinement.times, checked.curves, _stderr(checked.curves, errors, chosen.scale))
        paths = min(drawable(stage.paths * 2 ** (1.2 * np.log2(max(excess, 1.0)) + 0.3)), limit)
        stage, refinement.base = Stage(refinement.size, stage.number + 1, paths, high), checked.state


def _checked(refinement: Refinement, found: Round, chosen: Pilot, accuracy: float) -> tuple[Round, Errors, Pilot]:
    """The round after one check, its errors, and the pilot.

    Where the time step alone, and then the fixed point alone, keep the total error above `accuracy`, the one is measured by the round's
    samples, and checks are repeated for the other.
    """
    measured = False
    for number in range(MOST_CHECKS):
        checked, fixed_point = refinement.check(found, number)
        errors = Errors(checked.sampling, chosen.time_step, fixed_point)
        if not measured and errors.largest()["total"] > accuracy >= errors.without("time_step"):
            measured, (chosen, errors) = True, _measured(chosen, refinement, checked, errors, accuracy)
        found = checked
        if errors.largest()["total"] <= accuracy or errors.without("fixed_point") > accuracy:
            break
    return found, errors, chosen


def _measured(chosen: Pilot, refinement: Refinement, found: Round, errors: Errors, accuracy: float) -> tuple[Pilot, Errors]:
    """The pilot and the errors with the time-step error of the round, as far as that settles."""
    try:
        for stepped in refinement.time_steps_of(found):
            chosen = replace(chosen, stepped=stepped)
            errors = replace(errors, time_step=chosen.time_step)
            if errors.largest()["total"] <= accuracy:
                break
    except PanelFailure:
        pass
    return chosen, errors


def _most_paths(nodes: int) -> int:
    work = SCRAMBLES * (nodes**3 / 6 + 3 * nodes**2)
    return int(2 ** np.floor(np.log2(np.clip(MOST_WORK / work, FIRST_PATHS[0], MOST_PATHS))))


def _solution(task: Task, found: Round, errors: Errors, scale: Scale, horizon: float) -> Solution:
    state, split, grid, accuracy = found.state, errors.largest(), task.times, task.accuracy
    stderr = _stderr(found.curves, errors, scale)
    sample = sampling.draw(state.problem, QUANTILE_PATHS, state.rank, np.random.SeedSequence(entropy=task.root.entropy, spawn_key=(4,)))
    heights = np.empty((state.nodes, len(sample.target)))
    open_loop(state, sample, heights, tangents=False)
    diagnostics = {
        "outcome": "converged" if split["total"] <= accuracy and task.horizon == horizon else "not_converged",
        "advice": _advice(split, task, horizon),
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


def _advice(split: dict[str, float], task: Task, horizon: float) -> str | None:
    """What to try where the solve did not converge."""
    short, rough = task.horizon < horizon, split["total"] > task.accuracy
    if not short and not rough:
        return None
    end = f"The curves end at t = {task.horizon:.3g}, beyond which the panels' iterations do not settle" if short else ""
    error = f"{'their' if short else 'The'} error is {split['total']:.2g}" if rough else ""
    return f"{'; '.join(filter(None, (end, error)))}. Ask for a larger accuracy or a shorter horizon."


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
