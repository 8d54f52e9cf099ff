"""What a solve does next: `decide`, a pure function of a stage and its outcome.

    panels ──► round ──► check ⇄ time step ──► next round … done, or finer panels
       │         │ does not settle: more paths, then
       │         ▼
       └──► panels with the largest small sample ──► round …
                 │ does not settle
                 ▼
             separate solves ──► done, or give up

A solve that is taken up begins with its small sample.

It looks at numbers only, not at the states and samples that stages carry.
"""

from dataclasses import replace

import numpy as np

from dlnflow.dmft.constants import (
    FAR,
    FINER,
    FINER_POWER,
    FINER_SAFETY,
    FIRST_PAIR,
    FIRST_ROUGHNESS,
    GAIN,
    IN_VAIN,
    LARGEST_SMALL,
    LAST_EXCESS,
    LAST_PAIR,
    LAST_TIMES,
    LEAST_FINER,
    MANY_MORE,
    MORE_POWER,
    MORE_SAFETY,
    MORE_WHERE_ROUGH,
    MOST_CHECKS,
    MOST_PILOTS,
    MOST_ROUNDS,
    NEARLY,
    ROUGH,
    SETTLED_PART,
    SMOOTHER_PAIR,
    TIME_STEP_PART,
    TIME_STEP_PART_AT_LAST,
    UNCHECKED,
)
from dlnflow.dmft.errors import Errors
from dlnflow.dmft.outcome import Unsettled
from dlnflow.dmft.refine import Corrected, Refinement, drawable
from dlnflow.dmft.stages import (
    Accepted,
    Anew,
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
from dlnflow.dmft.task import first_round_paths, tolerance


def first(accuracy: float) -> Panels:
    """What a solve begins with."""
    bound = FIRST_ROUGHNESS * accuracy**0.5
    return Panels(bound, bound)


def decide(stage: Stage, outcome: Outcome, accuracy: float) -> Stage:
    """What follows from the outcome of a stage."""
    match stage, outcome:
        case Panels(), Panelled():
            return _after_panels(stage, outcome, accuracy)
        case Panels(), Bare(mesh):
            return _with_more_paths(replace(stage, bare=mesh, is_first=False), accuracy)
        case Panels(), Unsettled(reached=reached):
            return _with_more_paths(replace(stage, reached=max(stage.reached, reached), is_first=False), accuracy)
        case SmallSample(mesh), Prepared(refinement):
            return _first_round(mesh, refinement, stage.size, accuracy) if stage.taken_up is None else _taken_up(stage, outcome)
        case SmallSample(mesh), Unsettled():
            return Separate(mesh)
        case Round(), Corrected():
            return _after_correction(stage, outcome, accuracy)
        case (Round() as failed, Unsettled()) | (Check(failed), Unsettled()):
            return _after_unsettled_round(failed, accuracy)
        case Check(), Checked(errors=errors):
            is_time_step = errors.largest()["total"] > accuracy >= errors.without("time_step")
            is_dear = is_time_step and not stage.round.measured and not _may_check(stage, errors, accuracy)
            return TimeStep(stage, outcome) if is_dear else _after_check(stage, outcome, accuracy)
        case TimeStep(check), Checked():
            return _after_check(replace(check, round=replace(check.round, measured=True)), outcome, accuracy)
        case Separate(mesh), Checked():
            return _accepted(mesh, outcome, accuracy)
        case Separate(mesh), Unsettled():
            return _nothing(mesh.fallback, outcome, accuracy)
    raise AssertionError(f"{type(outcome).__name__} does not follow {type(stage).__name__}")


def _after_panels(stage: Panels, outcome: Panelled, accuracy: float) -> Stage:
    """Panels that are good enough, or finer ones, or more paths where these do not make panels better or leave them rough."""
    stage = replace(stage, is_first=False)
    if outcome.error < stage.best or stage.kept is None:
        stage = replace(stage, best=outcome.error, kept=outcome)
    more = stage.pair < LAST_PAIR
    if outcome.residual > ROUGH * tolerance(accuracy) and stage.pair == FIRST_PAIR:
        return _with_more_paths(replace(stage, best=np.inf), accuracy, SMOOTHER_PAIR)
    if stage.best < (TIME_STEP_PART if more else TIME_STEP_PART_AT_LAST) * accuracy:
        return _on(outcome, accuracy)
    is_far = outcome.error > min(FAR, GAIN * stage.before)
    wider = SMOOTHER_PAIR if stage.pair == FIRST_PAIR and outcome.error < NEARLY * accuracy else LAST_PAIR
    if (more and is_far) or outcome.mesh.is_finest:
        return _with_more_paths(stage, accuracy, wider)
    finer = stage.bound * max(LEAST_FINER, FINER_SAFETY * (TIME_STEP_PART * accuracy / outcome.error) ** FINER_POWER)
    stage = replace(stage, number=stage.number + 1, before=outcome.error, good=stage.bound, bound=finer)
    return stage if stage.number < MOST_PILOTS else _with_more_paths(stage, accuracy, wider)


def _with_more_paths(stage: Panels, accuracy: float, pair: int = LAST_PAIR) -> Stage:
    """Panels of a larger `pair` of samples, or, where the largest was tried, what there is."""
    if stage.pair < LAST_PAIR:
        return replace(stage, pair=pair, number=0, before=np.inf, bound=stage.good)
    if stage.kept:
        return _on(stage.kept, accuracy)
    if stage.bare and not stage.fallback:
        return Separate(stage.bare)
    advice = "Try another seed, a larger accuracy or a shorter horizon."
    why = f"The panels' iterations do not settle beyond t = {stage.reached:.3g}. {advice}"
    return _nothing(stage.fallback, Unsettled(why, stage.reached), accuracy)


def _on(panelled: Panelled, accuracy: float) -> Round:
    """The first round on these panels."""
    return _first_round(panelled.mesh, panelled.refinement, panelled.refinement.size, accuracy)


def _first_round(mesh: Mesh, refinement: Refinement, size: int, accuracy: float) -> Round:
    return Round(mesh, refinement, size, 0, min(first_round_paths(accuracy, size), mesh.most_paths), mesh.pilot.time_step)


def _taken_up(stage: SmallSample, prepared: Prepared) -> Round:
    """The round at which a solve was interrupted."""
    at = stage.taken_up
    assert at
    return Round(stage.mesh, prepared.refinement, stage.size, at.number, at.paths, at.time_step, at.measured, prepared.base)


def _after_unsettled_round(stage: Round, accuracy: float) -> Stage:
    """A round with more paths, or what the rounds before came to, or a larger small sample; the first anew of a solve that is taken up."""
    last, is_largest = stage.last, stage.size == LARGEST_SMALL
    if stage.number > 0 and last is None:  # taken up: what is known of the rounds before may decide
        return _first_round(stage.mesh, stage.refinement, stage.size, accuracy)
    if stage.paths < stage.mesh.most_paths and (last or is_largest):
        return replace(stage, paths=min(stage.paths * MORE_WHERE_ROUGH, stage.mesh.most_paths), base=None)
    if last and (is_largest or last.errors.largest()["fixed_point"] <= accuracy):
        return _accepted(stage.mesh, last, accuracy)
    return _larger_sample(stage.mesh, last, accuracy)


def _larger_sample(mesh: Mesh, last: Checked | None, accuracy: float, pair: int = LAST_PAIR) -> Stage:
    """Panels anew, on a larger `pair` of samples: those that few paths call for are too fine, and amplify the noise of the averages."""
    if mesh.pair == LAST_PAIR:
        return Separate(mesh)
    bound, before = first(accuracy).bound, mesh.fallback if isinstance(mesh.fallback, Accepted) else None
    return Panels(bound, bound, pair=pair, bare=mesh, fallback=Accepted(mesh, last) if last else before)


def _after_correction(stage: Round, corrected: Corrected, accuracy: float) -> Stage:
    """A check, or the result where half of the accuracy would leave room for all that the correction moved."""
    errors = Errors(corrected.sampling, stage.time_step, corrected.fixed_point)
    if replace(errors, fixed_point=corrected.moved).largest()["total"] > UNCHECKED * accuracy:
        return Check(stage, corrected, corrected.solved, stage.time_step)
    return Done(Accepted(stage.mesh, Checked(corrected.solved, errors)))


def _after_check(stage: Check, checked: Checked, accuracy: float) -> Stage:
    """Another check where the fixed point alone keeps the error above the accuracy, or what follows from the round."""
    if not _may_check(stage, checked.errors, accuracy):
        return _after_round(stage.round, checked, accuracy)
    return replace(stage, solved=checked.solved, time_step=checked.errors.time_step, number=stage.number + 1)


def _may_check(stage: Check, errors: Errors, accuracy: float) -> bool:
    """Whether another check may be enough, which costs a tenth of a measure of the time step."""
    return errors.largest()["total"] > accuracy >= errors.without("fixed_point") and stage.number < MOST_CHECKS - 1


def _after_round(stage: Round, checked: Checked, accuracy: float) -> Stage:
    """The result, the next round, or a larger small sample where later rounds leave the fixed point alone or are in vain."""
    errors, largest, most, excess = checked.errors, checked.errors.largest(), stage.mesh.most_paths, checked.errors.excess(accuracy)
    is_in_vain = _is_in_vain(stage, excess, accuracy)
    if stage.number and stage.size < LARGEST_SMALL and (is_in_vain or largest["fixed_point"] > accuracy):
        return _larger_sample(stage.mesh, checked, accuracy, stage.mesh.pair + 1)
    is_last = stage.paths >= most and 1 < excess <= LAST_EXCESS
    limit = LAST_TIMES * most if is_last else max(most, stage.paths)
    is_out_of_reach = (stage.paths == limit and excess > 1) or is_in_vain
    if largest["total"] <= accuracy or stage.number == MOST_ROUNDS - 1 or is_out_of_reach or _is_time_step(stage.mesh, errors, accuracy):
        return _accepted(stage.mesh, checked, accuracy)
    wanted = drawable(stage.paths * 2 ** (MORE_POWER * np.log2(max(excess, 1.0)) + MORE_SAFETY))
    if wanted >= MANY_MORE * stage.paths and stage.size < LARGEST_SMALL:
        return _larger_sample(stage.mesh, checked, accuracy, stage.mesh.pair + 1)
    paths = min(wanted, limit)
    return replace(stage, number=stage.number + 1, paths=paths, time_step=errors.time_step, base=checked.solved.state, last=checked)


def _is_in_vain(stage: Round, excess: float, accuracy: float) -> bool:
    """Whether a round of more paths than the one before has a larger excess, or of many more no smaller one: it is not paths that miss."""
    if stage.last is None:
        return False
    before = max(stage.last.errors.excess(accuracy), 1)
    return excess >= (before if stage.paths >= IN_VAIN * stage.last.solved.paths else 2 * before)


def _is_time_step(mesh: Mesh, errors: Errors, accuracy: float) -> bool:
    """Whether the time step keeps the error above the accuracy, so that more paths are of no use."""
    largest = errors.largest()
    if largest["time_step"] <= accuracy or largest["fixed_point"] >= SETTLED_PART * accuracy:
        return False
    is_alone = not mesh.is_finest and errors.without("time_step") <= accuracy
    return is_alone or errors.excess(accuracy) <= 1


def _accepted(mesh: Mesh, checked: Checked, accuracy: float) -> Stage:
    """Finer panels where the time step alone keeps the error above the accuracy, or else the result.

    Panels that were chosen on few paths are chosen on more of them first, as rough ones.
    """
    errors, accepted = checked.errors, Accepted(mesh, checked)
    if mesh.is_finest or not errors.largest()["total"] > accuracy >= errors.without("time_step"):
        return Done(accepted)
    bound = mesh.bound * (1 if mesh.pair < LAST_PAIR else FINER)
    return Panels(bound, bound, pair=min(mesh.pair + 1, LAST_PAIR), fallback=accepted)


def _nothing(fallback: Accepted | Anew | None, unsettled: Unsettled, accuracy: float) -> Stage:
    """What stands where panels lead to nothing."""
    match fallback:
        case Accepted():
            return Done(fallback)
        case Anew():
            return first(accuracy)
    return GiveUp(unsettled)
