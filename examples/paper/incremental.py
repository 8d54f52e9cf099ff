"""Incremental learning: at a small initial scale the atoms of w* are learned one after another, at 1/|w*| in units of log(1/a)."""

import matplotlib.pyplot as plt
import numpy as np
from common import check, run, save, sized

from dlnflow.client import Client

ATOMS = [0.0, 0.5, 1.0, 2.0]
TARGET = {"kind": "discrete", "atoms": ATOMS, "probabilities": [0.85, 0.05, 0.05, 0.05]}
PROBLEM = {"aspect_ratio": 2.0, "target": TARGET, "noise_std": 0.05}
SOLVED, SIMULATED = [0.1, 0.01], [1e-3, 1e-4]
LAST = 4.0  # the last slow time


def main(client: Client) -> None:
    solved = {a: client.submit(**request(a), kind="dmft", accuracy=0.02) for a in SOLVED}
    sizes = {"dimension": sized(2000, 400), "replicas": sized(12, 2)}
    simulated = {a: client.submit(**request(a), kind="simulation", **sizes) for a in [0.01, *SIMULATED]}
    theory = {a: job.result().order_parameters for a, job in solved.items()}
    networks = {a: job.result().order_parameters for a, job in simulated.items()}

    figure, axes = plt.subplots(1, 2, figsize=(8.5, 3.2), sharey=True)
    for number, (a, found) in enumerate((theory | {a: networks[a] for a in SIMULATED}).items()):
        for atom, conditional in zip(ATOMS, found.conditional, strict=True):
            label = f"a = {a:g}, {'DMFT' if a in SOLVED else 'networks'}" if atom == ATOMS[-1] else None
            axes[0].plot(found.time / np.log(1 / a), conditional.mean, f"C{number}-", label=label, lw=1)
    axes[0].set(xlabel="slow time t / log(1/a)", ylabel="mean of w given w*", title="steps at 1/w* as a → 0")
    for atom in ATOMS[1:]:
        axes[0].plot([1 / atom, 1 / atom], [0, atom], "k:", lw=0.8)
    axes[0].legend(loc="upper left", bbox_to_anchor=(0.45, 0.95))
    for number, (one, other) in enumerate(zip(theory[0.01].conditional, networks[0.01].conditional, strict=True)):
        axes[1].semilogx(theory[0.01].time[1:], one.mean[1:], f"C{number}-", label=f"{one.given}, DMFT")
        axes[1].semilogx(networks[0.01].time[1::3], other.mean[1::3], f"C{number}x")
    axes[1].set(xlabel="time", title="a = 0.01; crosses: networks")
    axes[1].legend()
    save(figure, "incremental")

    slow = {a: [activation(found, i) / np.log(1 / a) for i in (1, 2, 3)] for a, found in (theory | networks).items()}
    for a, times in sorted(slow.items(), reverse=True):
        print(f"  a = {a:g}: slow activation times of w* = 0.5, 1, 2: " + ", ".join(f"{t:.3f}" for t in times))
    smallest = np.array(slow[min(slow)]) * ATOMS[1:]
    check(f"at the smallest a they are {', '.join(f'{x:.2f}' for x in smallest)} of 1/w*", bool(np.all(np.abs(smallest - 1) < 0.25)))
    off = [float(np.abs(np.array(slow[a]) * ATOMS[1:] - 1).mean()) for a in sorted(slow, reverse=True)]
    check(f"and come closer as a falls: mean deviation {', '.join(f'{x:.2f}' for x in off)}", off[-1] < off[0])
    together = max(abs(activation(theory[0.01], i) / activation(networks[0.01], i) - 1) for i in (1, 2, 3))
    check(f"DMFT and networks agree on them within {together:.1%}", together < sized(3, 10) / 100)


def request(a: float) -> dict:
    """Even times on the slow scale."""
    end = LAST * np.log(1 / a)
    times = [float(t) for t in np.linspace(end / 120, end, 120)]
    return {"problem": PROBLEM | {"initial_scale": a}, "horizon": times[-1], "times": times}


def activation(found, atom: int) -> float:
    """When the mean of w given one atom crosses half the atom."""
    mean = found.conditional[atom].mean / ATOMS[atom]
    after = int(np.argmax(mean > 0.5))
    return float(np.interp(0.5, mean[after - 1 : after + 1], found.time[after - 1 : after + 1]))


if __name__ == "__main__":
    run(main)
