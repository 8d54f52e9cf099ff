"""The solver: a cycle of stages from panels over a small sample to rounds of corrections, up to the longest horizon that settles.

The error of a curve has three parts, eq. (23). *Time step*: the largest change within a panel, on the small sample, with one node more in
each, measured again by a round's samples where nothing else is too large. *Sampling*: standard errors by contrasts of a round's
scrambles, eq. (24), or over separate solves, as many as 95 % of Student's t. *Fixed point*: the change when the correction is taken once
more. What follows from a stage is decided in `plan`, here it is performed.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from dlnflow.checkpoint import Own
from dlnflow.dmft import checkpoint, pilot
from dlnflow.dmft.constants import (
    MOST_HORIZONS,
    MOST_PANELS,
    PILOT_SHARE,
    ROUND_SHARE,
    SCRAMBLES,
    SEPARATE_SHARE,
    SHORTER,
    SMALL_SHARE,
)
from dlnflow.dmft.errors import Curves, Errors
from dlnflow.dmft.left import Left
from dlnflow.dmft.outcome import Unsettled
from dlnflow.dmft.plan import decide, first
from dlnflow.dmft.progress import Progress
from dlnflow.dmft.refine import refinement
from dlnflow.dmft.result import solution, standard_errors
from dlnflow.dmft.separate import separate
from dlnflow.dmft.stages import (
    Accepted,
    Bare,
    Check,
    Checked,
    Done,
    GiveUp,
    Mesh,
    Outcome,
    Panelled,
    Panels,
    Prepared,
    Round,
    Separate,
    SmallSample,
    Stage,
    TimeStep,
)
from dlnflow.dmft.task import Solved, Task
from dlnflow.grids import default_times
from dlnflow.model import Problem
from dlnflow.solution import CURVES, Array, Journal, Observer, Solution, SolveError, ignore_progress


def solve(
    problem: Problem,
    horizon: float,
    *,
    temperature: float = 0.0,
    times: Array | None = None,
    accuracy: float = 0.01,
    seed: int = 0,
    observe: Observer = ignore_progress,
    journal: Journal | None = None,
) -> Solution:
    """Solve the dynamical mean-field theory up to `horizon` (dimensionless time of arXiv 2510.01930).

    At a `temperature` τ above 0 the flow is stochastic (arXiv 2602.06320), for depth 1 or 2 and data of one variance.
    `times`, shape (T,), increasing, within [0, horizon]; by default `grids.default_times(horizon)`. Where no panel length makes the
    iteration settle up to the horizon, the curves end before it, with the outcome `not_converged`; SolveError where they would have no
    time but 0. Passes on what `observe` raises. The same arguments give the same bits, also where `journal` takes up an earlier attempt:
    the pilot and every round leave a checkpoint there. One of another request, as of a shorter horizon, is passed over.
    """
    grid = default_times(horizon) if times is None else np.asarray(times, dtype=float)

    def until(end: float, progress: float) -> Task:
        times = grid[grid <= end]
        own = Own(journal or Journal(), checkpoint.FORMAT, problem, temperature, end, times.tobytes(), accuracy, seed)
        return Task(problem, end, times, accuracy, np.random.SeedSequence(seed), Progress(observe, end, own, progress), temperature)

    with threadpool_limits(1):
        task, accepted = _as_far_as_settles(until, horizon)
        return solution(task, accepted, horizon)


def _as_far_as_settles(until: Callable[[float, float], Task], horizon: float) -> tuple[Task, Accepted]:
    """The task `until` the horizon, or until the longest of shorter ones that panels settle on, and what came of it."""
    task, why = until(horizon, 0.0), ""
    for _ in range(MOST_HORIZONS):
        end = cycle(task)
        if isinstance(end, Accepted):
            return task, end
        why = why or end.why
        task = until(min(end.reached, SHORTER * task.horizon), task.progress.reached)
        if not task.times.any():
            break
    raise SolveError("not_converged", why)


def cycle(task: Task) -> Accepted | Unsettled:
    """Stages from the first, or from that of the checkpoint of an earlier attempt, to the last."""
    stage: Stage = first(task.accuracy)
    if task.progress.journal.earlier:
        stage, task.progress.reached = checkpoint.load(task.progress.journal.earlier, task)
    left = Left(task.progress.journal)
    while not isinstance(stage, Done | GiveUp):
        left.begins(stage)
        stage = decide(stage, perform(task, stage), task.accuracy)
    return stage.accepted if isinstance(stage, Done) else stage.unsettled


def perform(task: Task, stage: Stage) -> Outcome:
    """What comes of a stage."""
    match stage:
        case Panels():
            return _panels(task, stage)
        case SmallSample():
            return _small_sample(task, stage)
        case Round():
            return _round(task, stage)
        case Check():
            return _check(task, stage)
        case TimeStep():
            return _time_step(task, stage)
        case Separate():
            return _separate(task, stage)
    raise AssertionError(f"{type(stage).__name__} is an end")


def _panels(task: Task, stage: Panels) -> Outcome:
    if stage.is_first:
        _enter(task, PILOT_SHARE, MOST_PANELS, "panels, pass {number}: {where}")
    tried = pilot.tried(task, stage.pair, stage.bound)
    if isinstance(tried, Unsettled):
        return tried
    mesh = Mesh(tried.pilot, tried.pilot.state.panels, stage.bound, stage.pair, stage.fallback)
    if tried.refinement is None:
        return Bare(mesh)
    error = max(float(tried.pilot.time_step[name].max()) for name in CURVES)
    return Panelled(mesh, tried.refinement, tried.refinement.base.residual, error)


def _small_sample(task: Task, stage: SmallSample) -> Outcome:
    _enter(task, SMALL_SHARE, stage.mesh.panels, "a small sample: {where}")
    small = refinement(task, stage.mesh.pilot, stage.size)
    if isinstance(small, Unsettled) or stage.taken_up is None or stage.taken_up.base is None:
        return small if isinstance(small, Unsettled) else Prepared(small)
    return Prepared(small, checkpoint.state_of(stage.taken_up.base, task.problem, small.base.sample))


def _round(task: Task, stage: Round) -> Outcome:
    progress = task.progress
    if stage.last:
        _preview(task, stage, stage.last.solved, stage.last.errors)
    progress.reached = max(PILOT_SHARE, progress.reached)
    progress.journal.save(partial(checkpoint.save, stage, progress.reached))
    _enter(task, ROUND_SHARE, 3 * SCRAMBLES, f"round {stage.number + 1}: {SCRAMBLES} times {stage.paths} paths")
    return stage.refinement.round(stage.base or stage.refinement.base, stage.paths)


def _preview(task: Task, stage: Round, solved: Solved, errors: Errors) -> None:
    """Show what a round came to, with error bars."""
    task.progress.journal.preview(task.times, solved.curves, standard_errors(solved.curves, errors, stage.mesh.pilot.scale))


def _check(task: Task, stage: Check) -> Outcome:
    small = stage.round.refinement
    if stage.number == 0:
        _preview(task, stage.round, stage.solved, Errors(stage.corrected.sampling, stage.time_step, stage.corrected.fixed_point))
    checked = small.check(stage.round.base or small.base, stage.solved, stage.corrected.correction, stage.number)
    if isinstance(checked, Unsettled):
        return checked
    solved, fixed_point = checked
    return Checked(solved, Errors(stage.corrected.sampling, stage.time_step, fixed_point))


def _time_step(task: Task, stage: TimeStep) -> Outcome:
    """The time-step error of the round, as far as that settles."""
    checked, mesh = stage.checked, stage.check.round.mesh

    def with_step(stepped: Curves) -> Errors:
        return Errors(checked.errors.sampling, mesh.pilot.with_step(stepped), checked.errors.fixed_point)

    measured = stage.check.round.refinement.time_step_of(
        checked.solved, lambda stepped: with_step(stepped).largest()["total"] <= task.accuracy
    )
    return checked if isinstance(measured, Unsettled) else Checked(checked.solved, with_step(measured))


def _separate(task: Task, stage: Separate) -> Outcome:
    task.progress.journal.save(partial(checkpoint.save, stage, task.progress.reached))
    _enter(task, SEPARATE_SHARE, 2 * SCRAMBLES, f"{SCRAMBLES} separate solves")
    solved = separate(task, stage.mesh.pilot)
    if isinstance(solved, Unsettled):
        return Unsettled("The panels' iterations do not settle. Try another seed or a larger accuracy.", task.horizon)
    return Checked(*solved)


def _enter(task: Task, share: float, steps: int, name: str) -> None:
    """Let the `steps` to come take this share of the progress that is left."""
    reached = task.progress.reached
    task.progress.stage(reached, reached + share * (1 - reached), steps, name)
