"""How fast the train loss decays: DMFT and networks against the convergence rate γ, and the trade-off of γ with the final error along a."""

import matplotlib.pyplot as plt
import numpy as np
from common import check, run, save, sized

from dlnflow.client import Client

PROBLEM = {"aspect_ratio": 0.5, "target": {"kind": "bernoulli_gauss", "density": 0.1}, "noise_std": 0.1, "initial_scale": 1.0}
CASES = [  # δ, a, σ and horizon; with more data than parameters only a loss without noise goes to zero
    (0.5, 1.0, 0.1, 16.0),
    (2.0, 1.0, 0.0, 15.0),
    (0.5, 0.3, 0.1, 60.0),
    (0.5, 0.5, 0.1, 40.0),
    (2.0, 0.5, 0.0, 40.0),
    (3.0, 0.3, 0.0, 60.0),
][: sized(6, 2)]
EDGE = 1.5  # an edge of the spectrum that opens like a square root makes the loss decay as t^(−3/2) e^(−2γt)
TOLERANCE = sized(5, 25) / 100  # of γ: the power law is only reached slowly, and a network has one slowest mode
GROUPS = 6  # of networks: their fits give one with an honest error


def main(client: Client) -> None:
    scales = [float(a) for a in np.geomspace(1e-3, 10, sized(41, 9))]
    sweep = client.submit(kind="sweep", base={"kind": "theory", "problem": PROBLEM}, axes={"problem.initial_scale": scales})
    sizes = {"dimension": sized(2000, 300), "replicas": sized(4, 2)}
    jobs = []
    for delta, a, noise, horizon in CASES:
        problem = PROBLEM | {"aspect_ratio": delta, "initial_scale": a, "noise_std": noise}
        shared = {"problem": problem, "horizon": horizon, "times": [float(t) for t in np.linspace(horizon / 60, horizon, 60)]}
        groups = [client.submit(**shared, **sizes, kind="simulation", seed=seed) for seed in range(GROUPS)]
        jobs.append((client.submit(kind="theory", problem=problem), client.submit(**shared, kind="dmft", accuracy=0.01), groups))
    found = [
        (theory.result().convergence_rate, dmft.result().curves, [job.result().curves for job in groups]) for theory, dmft, groups in jobs
    ]
    rows = sweep.result().rows

    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2))
    for number, ((delta, a, _, _), (rate, curves, networks)) in enumerate(zip(CASES, found, strict=True)):
        time, start = curves.time, curves.train_loss[0]
        left.semilogy(time * rate, curves.train_loss / start, f"C{number}-", label=f"δ = {delta:g}, a = {a:g}")
        mean = np.mean([group.train_loss for group in networks], axis=0)
        left.semilogy(time[::5] * rate, mean[::5] / start, f"C{number}x", ms=4)
        left.semilogy(time * rate, curves.train_loss[-1] / start * law(time, rate) / law(time[-1], rate), "k:", zorder=3)
    left.set(xlabel="γ t", ylabel="train loss, of that at the first time", title="×: networks, dotted: t^(−3/2) e^(−2γt)")
    left.legend(fontsize=7)
    points = right.scatter([r["convergence_rate"] for r in rows], [r["final_parameter_error"] for r in rows], c=np.log10(scales), s=12)
    figure.colorbar(points, label="log₁₀ a")
    right.set(xscale="log", xlabel="convergence rate γ", ylabel="final parameter error", title="a smaller error is reached more slowly")
    save(figure, "rates")

    for (delta, a, _, _), (rate, curves, networks) in zip(CASES, found, strict=True):
        here = f"δ = {delta:g}, a = {a:g}"
        fitted, error = fit(curves, rate)
        claim = f"{here}: fitted rate {fitted:.4f} ± {error:.4f}, theory γ = {rate:.4f} ({fitted / rate - 1:+.1%})"
        check(claim, abs(fitted - rate) < 3 * error + TOLERANCE * rate)
        fits = [fit(group, rate)[0] for group in networks]
        fitted, error = np.mean(fits), np.std(fits, ddof=1) / np.sqrt(GROUPS)
        claim = f"{here}: networks {fitted:.4f} ± {error:.4f} ({fitted / rate - 1:+.1%})"
        check(claim, abs(fitted - rate) < 3 * error + TOLERANCE * rate)
    speed, error = (np.array([row[name] for row in rows]) for name in ("convergence_rate", "final_parameter_error"))
    best = int(error.argmin())
    check(f"the rate falls with a, from {speed[-1]:.3g} to {speed[0]:.3g}", bool(np.all(np.diff(speed) > 0)))
    claim = f"a smaller final error costs a slower rate, down to {error[best]:.4f} at a = {scales[best]:.2g} and γ = {speed[best]:.3g}"
    check(claim, bool(np.all(np.diff(error[best:]) > 0)))


def law(time, rate: float):
    """The decay at late times, up to a factor."""
    return time**-EDGE * np.exp(-2 * rate * time)


def fit(curves, rate: float) -> tuple[float, float]:
    """γ and its standard error from a weighted fit of log(loss t^(3/2)) over the last half of the times."""
    late = curves.time > curves.time[-1] / 2
    time, loss, stderr = curves.time[late], curves.train_loss[late], curves.train_loss_stderr[late]
    coefficients, covariance = np.polyfit(time, np.log(loss * time**EDGE), 1, w=loss / stderr, cov="unscaled")
    return -coefficients[0] / 2, float(np.sqrt(covariance[0, 0])) / 2


if __name__ == "__main__":
    run(main)
