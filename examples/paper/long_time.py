"""Where gradient flow ends: theory against long DMFT solves and networks in four problems, one for each kind of limit."""

import matplotlib.pyplot as plt
from common import check, run, save, sized

from dlnflow.client import Client

SPARSE = {"kind": "bernoulli_gauss", "density": 0.1}
ATOMS = {"kind": "discrete", "atoms": [-1.0, 0.0, 2.0], "probabilities": [0.1, 0.8, 0.1]}
PROBLEMS = {
    "interpolation": ({"aspect_ratio": 0.5, "target": SPARSE, "noise_std": 0.1, "initial_scale": 0.5}, 100.0),
    "interpolation, atoms, u ≠ v": ({"aspect_ratio": 0.6, "target": ATOMS, "noise_std": 0.2, "initial_scale": {"u": 0.8, "v": 0.5}}, 150.0),
    "least squares": ({"aspect_ratio": 2.0, "target": {"kind": "gaussian"}, "noise_std": 0.5, "initial_scale": 1.0}, 60.0),
    "LASSO": ({"aspect_ratio": 0.8, "target": SPARSE, "noise_std": 0.2, "initial_scale": 0.5, "weight_decay": 0.1}, 150.0),
}


def main(client: Client) -> None:
    comparisons = {name: client.submit(**request(problem, horizon)) for name, (problem, horizon) in PROBLEMS.items()}
    theory = {name: client.submit(kind="theory", problem=problem).result() for name, (problem, _) in PROBLEMS.items()}
    found = {name: job.result() for name, job in comparisons.items()}

    figure, axes = plt.subplots(1, len(PROBLEMS), figsize=(11, 2.8))
    for ax, (name, comparison) in zip(axes, found.items(), strict=True):
        curve = comparison.document["parameter_error"]
        ax.loglog(comparison.time[1:], curve["dmft"][1:], "C0-", label="DMFT")
        ax.loglog(comparison.time[1::4], curve["simulation"][1::4], "C1x", label="networks")
        ax.axhline(theory[name].final_parameter_error, color="k", ls=":", label="theory, t → ∞")
        ax.set(title=name, xlabel="time")
    axes[0].set_ylabel("parameter error")
    axes[0].legend()
    save(figure, "long-time")

    for name, comparison in found.items():
        value, curve = theory[name].final_parameter_error, comparison.document["parameter_error"]
        for kind, tolerance in (("dmft", 0.02), ("simulation", sized(2, 8) / 100)):
            last = curve[kind][-1]
            check(f"{name}: {kind} ends at {last:.5f}, theory {value:.5f} ({last / value - 1:+.1%})", abs(last / value - 1) < tolerance)
        print(f"  {comparison.verdict}: {comparison.explanation}")


def request(problem: dict, horizon: float) -> dict:
    """A comparison that runs long enough."""
    sizes = {"dimension": sized(2000, 300), "replicas": sized(16, 8), "accuracy": 0.01}
    return {"kind": "comparison", "problem": problem, "horizon": horizon} | sizes


if __name__ == "__main__":
    run(main)
