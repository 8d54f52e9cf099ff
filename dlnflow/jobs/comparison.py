"""Whether a simulation and the mean-field theory of the same problem agree: differences in standard errors, and one verdict."""

from typing import Any

import numpy as np

from dlnflow.solution import CURVES, Array

Document = dict[str, Any]

LEVEL = 0.01  # probability that agreeing curves are said to deviate anywhere
FLOOR = 1e-3  # of a curve's largest value: what is below is not looked at relative to itself
ROUNDING = 1e-6  # relative; data are in single precision
FEWEST_REPLICAS = 4  # below which a standard error says nothing
CRITERION = (
    "The curves deviate where, at some time, |difference| exceeds critical_z · (standard error of the difference) + allowance · value. "
    f"critical_z is the two-sided quantile of Student's t with replicas − 1 degrees of freedom at level {LEVEL:g} divided by the number of "
    "values that are compared (Bonferroni; test_loss follows from parameter_error and is not counted twice). The allowance 1/√d is for the "
    f"finite size of the simulation; value is the mean-field curve, at least {FLOOR:g} of its largest."
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
    verdict, explanation = _verdict(worst, dmft_diagnostics, replicas)
    return {
        "time": dmft["time"],
        **curves,
        "verdict": verdict,
        "explanation": explanation,
        "criterion": {"rule": CRITERION, "critical_z": critical, "allowance": allowance, "level": LEVEL, "replicas": replicas},
        "worst": worst,
    }


def critical_z(replicas: int, compared: int) -> float:
    """How many standard errors one of `compared` differences may have."""
    from scipy.stats import t

    return float(t.isf(LEVEL / (2 * compared), replicas - 1))


def _difference(name: str, dmft: Document, simulation: Document) -> Document:
    difference = simulation[name] - dmft[name]
    stderr = np.sqrt(simulation[f"{name}_stderr"] ** 2 + dmft[f"{name}_stderr"] ** 2 + (ROUNDING * dmft[name]) ** 2)
    z_score = np.divide(difference, stderr, out=np.zeros_like(difference), where=stderr > 0)
    return {"dmft": dmft[name], "simulation": simulation[name], "difference": difference, "stderr": stderr, "z_score": z_score}


def _worst(time: Array, curves: dict[str, Document], critical: float, allowance: float) -> Document:
    """Where the curves are farthest apart, by their difference over what the criterion allows."""

    def ratio(curve: Document) -> Array:
        scale = np.maximum(np.abs(curve["dmft"]), FLOOR * np.abs(curve["dmft"]).max())
        allowed = critical * curve["stderr"] + allowance * scale
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


def _verdict(worst: Document, dmft_diagnostics: Document, replicas: int) -> tuple[str, str]:
    """One word, and the sentence behind it."""
    where = (
        f"farthest apart in {worst['curve']} at t = {worst['time']:.3g}: {worst['relative_difference']:+.2%}, "
        f"{worst['z_score']:+.1f} standard errors, {worst['of_allowed']:.0%} of what the criterion allows"
    )
    if dmft_diagnostics["outcome"] != "converged":
        where += f" (the mean-field solve did not converge: {dmft_diagnostics['advice']})"
    if replicas < FEWEST_REPLICAS:
        return "inconclusive", f"{replicas} replicas give no reliable standard error, use {FEWEST_REPLICAS} or more; {where}."
    if worst["of_allowed"] > 1:
        return "deviate", f"The simulation deviates from the mean-field theory, {where}."
    return "agree", f"The simulation agrees with the mean-field theory, {where}."
