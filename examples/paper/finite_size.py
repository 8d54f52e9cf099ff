"""Finite networks approach the mean-field limit as 1/√d: the typical deviation of one network, and the exponent with its error."""

import matplotlib.pyplot as plt
import numpy as np
from common import check, run, save, sized

from dlnflow.client import Client

PROBLEM = {"aspect_ratio": 0.5, "target": {"kind": "bernoulli_gauss", "density": 0.1}, "noise_std": 0.1, "initial_scale": 0.3}
SHARED = {"problem": PROBLEM, "horizon": 8.0, "times": [0.5, 1.0, 2.0, 4.0, 8.0]}


def main(client: Client) -> None:
    dimensions = [2**power * sized(400, 100) for power in range(sized(5, 3))]
    replicas = [min(1000, max(16, sized(200_000, 40_000) // d)) for d in dimensions]
    solve = client.submit(**SHARED, kind="dmft", accuracy=0.003)
    jobs = [client.submit(**SHARED, kind="simulation", dimension=d, replicas=r) for d, r in zip(dimensions, replicas, strict=True)]
    limit = solve.result().curves
    spread = {name: [deviation(job.result().curves, limit, name, r) for job, r in zip(jobs, replicas, strict=True)] for name in NAMES}

    figure, ax = plt.subplots(figsize=(4.8, 3.4))
    for number, (name, values) in enumerate(spread.items()):
        exponent, error = slope(dimensions, values, replicas)
        ax.loglog(dimensions, values, f"C{number}o", label=f"{name}: exponent {exponent:.3f} ± {error:.3f}")
        ax.loglog(dimensions, values[0] * (np.array(dimensions) / dimensions[0]) ** -0.5, f"C{number}:")
    ax.set(xlabel="dimension d", ylabel="typical relative deviation of one network", title="dotted: 1/√d")
    ax.set_xticks(dimensions, map(str, dimensions))
    ax.minorticks_off()
    ax.legend()
    save(figure, "finite-size")

    for name, values in spread.items():
        exponent, error = slope(dimensions, values, replicas)
        check(f"{name} deviates as d^({exponent:.3f} ± {error:.3f}), expected −1/2", abs(exponent + 0.5) < 3 * error + 0.03)


NAMES = ("parameter_error", "train_loss")


def deviation(curves, limit, name: str, replicas: int) -> float:
    """Root mean square over times of one network's deviation from the limit: the spread of networks and the shift of their mean."""
    mean, stderr, exact = (np.array(x) for x in (getattr(curves, name), getattr(curves, f"{name}_stderr"), getattr(limit, name)))
    return float(np.sqrt(np.mean((replicas * stderr**2 + np.maximum((mean - exact) ** 2 - stderr**2, 0)) / exact**2)))


def slope(dimensions: list[int], values: list[float], replicas: list[int]) -> tuple[float, float]:
    """The exponent, and its error from that of a standard deviation over so many replicas, 1/√(2(R − 1))."""
    weights = np.sqrt(2 * (np.array(replicas) - 1))
    coefficients, covariance = np.polyfit(np.log(dimensions), np.log(values), 1, w=weights, cov="unscaled")
    return float(coefficients[0]), float(np.sqrt(covariance[0, 0]))


if __name__ == "__main__":
    run(main)
