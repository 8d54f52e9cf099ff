"""Where gradient flow ends: theory against long DMFT solves and networks in nine problems, three for each kind of limit."""

import matplotlib.pyplot as plt
from common import agrees, check, run, save, sized

from dlnflow.client import Client

SPARSE = {"kind": "bernoulli_gauss", "density": 0.1}
GAUSSIAN = {"kind": "gaussian"}
ATOMS = {"kind": "discrete", "atoms": [-1.0, 0.0, 2.0], "probabilities": [0.1, 0.8, 0.1]}
PROBLEMS = {
    "interpolation, sparse": ({"aspect_ratio": 0.5, "target": SPARSE, "noise_std": 0.1, "initial_scale": 0.5}, 100.0),
    "interpolation, Gaussian": ({"aspect_ratio": 0.3, "target": GAUSSIAN, "noise_std": 0.5, "initial_scale": 1.0}, 20.0),
    "interpolation, atoms, u ≠ v": ({"aspect_ratio": 0.6, "target": ATOMS, "noise_std": 0.2, "initial_scale": {"u": 0.8, "v": 0.5}}, 150.0),
    "least squares, Gaussian": ({"aspect_ratio": 2.0, "target": GAUSSIAN, "noise_std": 0.5, "initial_scale": 1.0}, 60.0),
    "least squares, atoms": ({"aspect_ratio": 1.5, "target": ATOMS, "noise_std": 0.3, "initial_scale": 0.7}, 150.0),
    "least squares, sparse": ({"aspect_ratio": 3.0, "target": SPARSE, "noise_std": 0.5, "initial_scale": 0.5}, 60.0),
    "LASSO, sparse": ({"aspect_ratio": 0.8, "target": SPARSE, "noise_std": 0.2, "initial_scale": 0.5, "weight_decay": 0.1}, 150.0),
    "LASSO, Gaussian": ({"aspect_ratio": 2.0, "target": GAUSSIAN, "noise_std": 0.5, "initial_scale": 1.0, "weight_decay": 0.2}, 150.0),
    "LASSO, atoms": ({"aspect_ratio": 0.7, "target": ATOMS, "noise_std": 0.2, "initial_scale": 0.3, "weight_decay": 0.1}, 150.0),
}
LEFT = 0.01  # of the limit, that a curve may still have to go at its last time


def main(client: Client) -> None:
    comparisons = {name: client.submit(**request(problem, horizon)) for name, (problem, horizon) in PROBLEMS.items()}
    theory = {name: client.submit(kind="theory", problem=problem).result() for name, (problem, _) in PROBLEMS.items()}
    found = {name: job.result() for name, job in comparisons.items()}

    figure, axes = plt.subplots(3, 3, figsize=(9, 7.5))
    for ax, (name, comparison) in zip(axes.flat, found.items(), strict=True):
        curve = comparison.document["parameter_error"]
        ax.loglog(comparison.time[1:], curve["dmft"][1:], "C0-", label="DMFT")
        ax.loglog(comparison.time[1::4], curve["simulation"][1::4], "C1x", label="networks")
        ax.axhline(theory[name].final_parameter_error, color="k", ls=":", label="theory, t → ∞")
        ax.set(title=name)
    for ax in axes[:, 0]:
        ax.set(ylabel="parameter error")
    for ax in axes[-1]:
        ax.set(xlabel="time")
    axes[0, 0].legend()
    save(figure, "long-time")

    for name, comparison in found.items():
        value, curve = theory[name].final_parameter_error, comparison.document["parameter_error"]
        last, deviation = curve["dmft"][-1], curve["dmft"][-1] / value - 1
        check(f"{name}: DMFT ends at {last:.5f}, theory {value:.5f} ({deviation:+.1%})", abs(deviation) < 0.02)
        last, error = curve["simulation"][-1], curve["stderr"][-1]
        check(
            f"{name}: networks end at {last:.5f} ± {error:.5f} ({last / value - 1:+.1%} ± {error / value:.1%})",
            abs(last - value) < 3 * error + LEFT * value and error < sized(2, 15) / 100 * value,
        )
        check(comparison.explanation, agrees(comparison))


def request(problem: dict, horizon: float) -> dict:
    """A comparison that runs long enough."""
    sizes = {"dimension": sized(2000, 300), "replicas": sized(36, 8), "accuracy": 0.01}
    return {"kind": "comparison", "problem": problem, "horizon": horizon} | sizes


if __name__ == "__main__":
    run(main)
