"""arXiv 2106.09524, 2602.06320: batches shrink the initial scale to a e^(−τ∫loss), and end where the flow from there does."""

import matplotlib.pyplot as plt
import numpy as np
from common import check, run, save, sized

from dlnflow.client import Client
from dlnflow.model import GradientDescent, Problem
from dlnflow.theory import effective_start, end_of_descent, temperature

PROBLEM = {"aspect_ratio": 0.5, "target": {"kind": "bernoulli_gauss", "density": 0.1}, "noise_std": 0.1, "initial_scale": 0.6}
HORIZON = float(sized(16, 12))
STEPS = {  # τ = η(1 − b)/(bδ)
    "whole": {"kind": "gradient_descent", "step_size": 0.05},
    "batches": {"kind": "gradient_descent", "step_size": 0.05, "batch_fraction": 0.05},
}


def main(client: Client) -> None:
    times = [float(t) for t in np.concatenate([np.arange(1, 60) * 0.05, np.linspace(3, HORIZON, 30)])]
    shared = {"problem": PROBLEM, "horizon": HORIZON, "times": times}
    sizes = {"dimension": sized(1500, 800), "replicas": sized(24, 16)}
    jobs = {
        name: (
            client.submit(**shared, kind="dmft", dynamics=steps, accuracy=0.05),
            client.submit(**shared, kind="simulation", dynamics=steps, **sizes),
        )
        for name, steps in STEPS.items()
    }
    found = {name: [job.result().curves for job in pair] for name, pair in jobs.items()}
    problem, batches = Problem(**PROBLEM), GradientDescent(**STEPS["batches"])
    whole = client.submit(kind="theory", problem=PROBLEM).result().final_parameter_error
    integrals = [integral(curves) for curves in found["batches"]]
    ends = [end_of_descent(problem, batches, value).parameter_error for value in integrals]

    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2))
    for number, (name, (dmft, networks)) in enumerate(found.items()):
        left.loglog(dmft.time, dmft.train_loss, f"C{number}-", label=name)
        left.loglog(networks.time[::4], networks.train_loss[::4], f"C{number}x", ms=4)
        right.semilogx(dmft.time, dmft.parameter_error, f"C{number}-", label=name)
        right.semilogx(networks.time[::4], networks.parameter_error[::4], f"C{number}x", ms=4)
    right.axhline(whole, color="C0", ls=":")
    right.axhline(ends[0], color="C1", ls=":", label="theory, t → ∞")
    left.set(xlabel="time", ylabel="train loss", title="lines: DMFT, ×: networks")
    right.set(xlabel="time", ylabel="parameter error")
    right.legend()
    save(figure, "stochastic-bias")

    tau, start = temperature(batches, 0.5), effective_start(problem, batches, integrals[0]).population[0].initial
    print(f"  τ = {tau:.3g}, ∫train_loss dt = {integrals[0]:.4f} (DMFT), {integrals[1]:.4f} (networks), a∞ = {start}")
    apart = abs(integrals[0] / integrals[1] - 1)
    check(f"DMFT and networks agree on ∫train_loss dt within {apart:.1%}", apart < sized(4, 15) / 100)
    for kind, curves, tolerance in zip(("DMFT", "networks"), found["batches"], (0.03, sized(5, 20) / 100), strict=True):
        mean, error = float(curves.parameter_error[-1]), float(curves.parameter_error_stderr[-1])
        claim = f"batches end at {mean:.5f} ± {error:.5f} ({kind}), theory {ends[0]:.5f}; the whole gradient ends at {whole:.5f}"
        check(claim, abs(mean - ends[0]) < 3 * error + tolerance * ends[0])
    check(f"batches find the better solution: {ends[0]:.5f} < {whole:.5f}", ends[0] < whole)


def integral(curves) -> float:
    """∫train_loss dt from t = 0, where it is (E[w*²] + σ²)/2."""
    time, loss = np.append(0.0, curves.time), np.append(0.055, curves.train_loss)
    return float(np.trapezoid(loss, time))


if __name__ == "__main__":
    run(main)
