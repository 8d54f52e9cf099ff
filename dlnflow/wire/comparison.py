"""Whether a simulation and the mean-field theory of the same problem agree: differences in standard errors, and one verdict."""

from bisect import bisect_left
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from dlnflow.solution import CURVES, Array

Document = dict[str, Any]

LEVEL = 0.01  # probability that agreeing curves are said to deviate anywhere
FLOOR = 1e-3  # of a curve's largest value: what is below is not looked at relative to itself
ROUNDING = 1e-6  # relative; data are in single precision
FEWEST_REPLICAS = 4  # below which a standard error says nothing
MOST_REPLICAS = 1000  # that a simulation may have
RESOLUTION = 0.2  # relative; a comparison that could not have seen this much is inconclusive
CRITERION = (
    "The curves deviate where, at some time, |difference| exceeds critical_z · (standard error of the difference) + allowance · value. "
    f"critical_z is the two-sided quantile of Student's t with replicas − 1 degrees of freedom at level {LEVEL:g} divided by the number of "
    "values that are compared (Bonferroni; test_loss follows from parameter_error and is not counted twice). The allowance 1/√d is for the "
    f"finite size of the simulation; value is the mean-field curve, at least {FLOOR:g} of its largest. The resolution is what the "
    "criterion allows relative to value: the median over times, of the curve where that is largest. A comparison without a deviation "
    f"whose resolution is above {RESOLUTION:g} is inconclusive."
)


def compare(dmft: Document, simulation: Document, dmft_diagnostics: Document, simulation_diagnostics: Document) -> Document:
    """The comparison of two `curves` documents on the same T times, with the diagnostics of their jobs.

    The mean-field curves may end before the others: T are their times. Per curve, all of shape (T,): the two values,
    `difference` = simulation − dmft, its `stderr` and `z_score` = difference/stderr.
    """
    simulation = {name: values[: len(dmft["time"])] for name, values in simulation.items()}
    curves = {name: _difference(name, dmft, simulation) for name in CURVES}
    replicas, dimension = simulation_diagnostics["replicas"], simulation_diagnostics["dimension"]
    critical, allowance = critical_z(replicas, 2 * len(dmft["time"])), dimension**-0.5
    worst = _worst(dmft["time"], curves, critical, allowance)

    def resolution(wanted: int) -> float:
        return _resolution(dmft, simulation, replicas, wanted, allowance)

    limit = Limit(resolution(replicas), _enough(resolution))
    verdict, explanation = _verdict(worst, dmft_diagnostics, replicas, limit)
    return {
        "time": dmft["time"],
        **curves,
        "verdict": verdict,
        "explanation": explanation,
        "resolution": limit.resolution,
        "replicas_needed": limit.replicas_needed,
        "criterion": {"rule": CRITERION, "critical_z": critical, "allowance": allowance, "level": LEVEL, "replicas": replicas},
        "worst": worst,
    }


class Limit(NamedTuple):
    """The relative `resolution` of a comparison, and the replicas that would bring it to RESOLUTION; None where no number of them does."""

    resolution: float
    replicas_needed: int | None


def critical_z(replicas: int, compared: int) -> float:
    """How many standard errors one of `compared` differences may have."""
    from scipy.stats import t

    return float(t.isf(LEVEL / (2 * compared), replicas - 1))


def _difference(name: str, dmft: Document, simulation: Document) -> Document:
    difference = simulation[name] - dmft[name]
    stderr = np.sqrt(simulation[f"{name}_stderr"] ** 2 + dmft[f"{name}_stderr"] ** 2 + (ROUNDING * dmft[name]) ** 2)
    z_score = np.divide(difference, stderr, out=np.zeros_like(difference), where=stderr > 0)
    return {"dmft": dmft[name], "simulation": simulation[name], "difference": difference, "stderr": stderr, "z_score": z_score}


def _scale(value: Array) -> Array:
    """What differences are relative to: the curve, or FLOOR of its largest value."""
    return np.asarray(np.maximum(np.abs(value), FLOOR * np.abs(value).max()))


def _resolution(dmft: Document, simulation: Document, replicas: int, wanted: int, allowance: float) -> float:
    """The resolution that `wanted` replicas would have, whose networks scatter as those of the `replicas` that there are."""
    critical = critical_z(wanted, 2 * len(dmft["time"]))

    def of(name: str) -> float:
        scatter = simulation[f"{name}_stderr"] * np.sqrt(replicas / wanted)
        allowed = critical * np.hypot(scatter, dmft[f"{name}_stderr"]) + allowance * _scale(dmft[name])
        return float(np.median(np.divide(allowed, _scale(dmft[name]), out=np.zeros_like(allowed), where=_scale(dmft[name]) > 0)))

    return max(map(of, CURVES))


def _enough(resolution: Callable[[int], float]) -> int | None:
    """The fewest replicas whose resolution is RESOLUTION; more never see less."""
    if resolution(MOST_REPLICAS) > RESOLUTION:
        return None
    return bisect_left(range(MOST_REPLICAS), True, lo=FEWEST_REPLICAS, key=lambda replicas: resolution(replicas) <= RESOLUTION)


def _worst(time: Array, curves: dict[str, Document], critical: float, allowance: float) -> Document:
    """Where the curves are farthest apart, by their difference over what the criterion allows."""

    def ratio(curve: Document) -> Array:
        allowed = critical * curve["stderr"] + allowance * _scale(curve["dmft"])
        return np.asarray(np.divide(np.abs(curve["difference"]), allowed, out=np.zeros_like(allowed), where=allowed > 0))

    ratios = {name: ratio(curve) for name, curve in curves.items()}
    name = max(ratios, key=lambda n: float(ratios[n].max()))
    at = int(ratios[name].argmax())
    value = float(curves[name]["dmft"][at])
    return {
        "curve": name,
        "time": float(time[at]),
        "of_allowed": float(ratios[name][at]),
        "z_score": float(curves[name]["z_score"][at]),
        "relative_difference": float(curves[name]["difference"][at]) / value if value else 0.0,
    }


def _verdict(worst: Document, dmft_diagnostics: Document, replicas: int, limit: Limit) -> tuple[str, str]:
    """One word, and the sentence behind it."""
    where = (
        f"farthest apart in {worst['curve']} at t = {worst['time']:.3g}: {worst['relative_difference']:+.2%}, "
        f"{worst['z_score']:+.1f} standard errors, {worst['of_allowed']:.0%} of what the criterion allows"
    )
    if dmft_diagnostics["outcome"] != "converged":
        where += f" (the mean-field solve did not converge: {dmft_diagnostics['advice']})"
    if replicas < FEWEST_REPLICAS:
        return "inconclusive", f"{replicas} replicas give no reliable standard error, {_remedy(limit)}; {where}."
    if worst["of_allowed"] > 1:
        return "deviate", f"The simulation deviates from the mean-field theory, {where}."
    if limit.resolution > RESOLUTION:
        return "inconclusive", f"could only have seen ±{limit.resolution:.0%}, {_remedy(limit)}; {where}."
    return "agree", f"The simulation agrees with the mean-field theory as far as ±{limit.resolution:.0%} can be seen, {where}."


def _remedy(limit: Limit) -> str:
    if limit.replicas_needed is not None:
        return f"use {limit.replicas_needed} replicas to see ±{RESOLUTION:.0%}"
    return f"no number of replicas would see ±{RESOLUTION:.0%}: use a larger dimension, or a smaller accuracy of the mean-field solve"
