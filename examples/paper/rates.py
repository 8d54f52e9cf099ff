"""How fast the train loss decays: DMFT and networks against the convergence rate γ, and the trade-off of γ with the final error along a."""

import matplotlib.pyplot as plt
import numpy as np
from common import check, run, save, sized

from dlnflow.client import Client

PROBLEM = {"aspect_ratio": 0.5, "target": {"kind": "bernoulli_gauss", "density": 0.1}, "noise_std": 0.1, "initial_scale": 1.0}
HORIZON = {0.3: 60.0, 0.5: 40.0, 1.0: 16.0}
EDGE = 1.5  # an edge of the spectrum that opens like a square root makes the loss decay as t^(−3/2) e^(−2γt)
TOLERANCE = sized(5, 25) / 100  # of γ: the power law is only reached slowly, and a network has one slowest mode
GROUPS = 6  # of networks: their fits give one with an honest error


def main(client: Client) -> None:
    shown = list(HORIZON)[sized(0, 1) :]
    scales = [float(a) for a in np.geomspace(1e-3, 10, sized(41, 9))]
    sweep = client.submit(kind="sweep", base={"kind": "theory", "problem": PROBLEM}, axes={"problem.initial_scale": scales})
    problem = {a: PROBLEM | {"initial_scale": a} for a in shown}
    jobs = {a: client.submit(kind="dmft", problem=problem[a], horizon=HORIZON[a], accuracy=0.01, times=times(a)) for a in shown}
    sizes = {"dimension": sized(2000, 300), "replicas": sized(4, 2)}
    groups = {
        a: [
            client.submit(kind="simulation", problem=problem[a], horizon=HORIZON[a], times=times(a), seed=seed, **sizes)
            for seed in range(GROUPS)
        ]
        for a in shown
    }
    rate = {a: client.submit(kind="theory", problem=problem[a]).result().convergence_rate for a in shown}
    curves = {a: job.result().curves for a, job in jobs.items()}
    networks = {a: [job.result().curves for job in jobs] for a, jobs in groups.items()}
    rows = sweep.result().rows

    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2))
    for number, a in enumerate(shown):
        time, loss = curves[a].time, curves[a].train_loss
        left.semilogy(time * rate[a], loss, f"C{number}-", label=f"a = {a:g}, DMFT")
        mean = np.mean([group.train_loss for group in networks[a]], axis=0)
        left.semilogy(time[::5] * rate[a], mean[::5], f"C{number}x", label=f"a = {a:g}, networks", ms=4)
        left.semilogy(time * rate[a], loss[-1] * law(time, rate[a]) / law(time[-1], rate[a]), "k:", zorder=3)
    left.set(xlabel="γ t", ylabel="train loss", title="dotted: t^(−3/2) e^(−2γt)")
    left.legend()
    points = right.scatter([r["convergence_rate"] for r in rows], [r["final_parameter_error"] for r in rows], c=np.log10(scales), s=12)
    figure.colorbar(points, label="log₁₀ a")
    right.set(xscale="log", xlabel="convergence rate γ", ylabel="final parameter error", title="a smaller error is reached more slowly")
    save(figure, "rates")

    for a in shown:
        fitted, error = fit(curves[a], rate[a])
        claim = f"a = {a:g}: fitted rate {fitted:.4f} ± {error:.4f}, theory γ = {rate[a]:.4f} ({fitted / rate[a] - 1:+.1%})"
        check(claim, abs(fitted - rate[a]) < 3 * error + TOLERANCE * rate[a])
        fits = [fit(group, rate[a])[0] for group in networks[a]]
        fitted, error = np.mean(fits), np.std(fits, ddof=1) / np.sqrt(GROUPS)
        claim = f"a = {a:g}: networks {fitted:.4f} ± {error:.4f} ({fitted / rate[a] - 1:+.1%})"
        check(claim, abs(fitted - rate[a]) < 3 * error + TOLERANCE * rate[a])
    speed, error = (np.array([row[name] for row in rows]) for name in ("convergence_rate", "final_parameter_error"))
    best = int(error.argmin())
    check(f"the rate falls with a, from {speed[-1]:.3g} to {speed[0]:.3g}", bool(np.all(np.diff(speed) > 0)))
    claim = f"a smaller final error costs a slower rate, down to {error[best]:.4f} at a = {scales[best]:.2g} and γ = {speed[best]:.3g}"
    check(claim, bool(np.all(np.diff(error[best:]) > 0)))


def times(a: float) -> list[float]:
    """Even times, for a decay that is exponential."""
    return [float(t) for t in np.linspace(HORIZON[a] / 60, HORIZON[a], 60)]


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
