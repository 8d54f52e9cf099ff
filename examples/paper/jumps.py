"""arXiv 2607.12332: as a → 0 weights jump one after another, on the time log(1/a) at depth 2 and a^(2−L) above."""

import matplotlib.pyplot as plt
import numpy as np
from common import check, run, save, sized

from dlnflow.client import Client

ATOMS = [0.5, 1.0, 2.0]
PROBLEM = {
    "aspect_ratio": 20.0,
    "target": {"kind": "discrete", "atoms": [0.0, *ATOMS], "probabilities": [0.85, 0.05, 0.05, 0.05]},
    "noise_std": 0.05,
}
SCALES = {2: (1e-2, 1e-4), 3: (0.1, 0.03)}


def main(client: Client) -> None:
    sizes = {"dimension": sized(500, 200), "replicas": sized(8, 3)}
    jobs = {(depth, a): client.submit(**request(depth, a), kind="simulation", **sizes) for depth, scales in SCALES.items() for a in scales}
    solved = {depth: client.submit(**request(depth, scales[0]), kind="dmft", accuracy=0.02) for depth, scales in SCALES.items()}
    found = {key: job.result().order_parameters for key, job in jobs.items()}
    theory = {depth: job.result().order_parameters for depth, job in solved.items()}

    figure, panels = plt.subplots(1, 2, figsize=(8, 3.2))
    for ax, (depth, scales) in zip(panels, SCALES.items(), strict=True):
        for number, atom in enumerate(ATOMS):
            wide, sharp, solve = found[depth, scales[0]], found[depth, scales[1]], theory[depth]
            ax.plot(wide.time / unit(depth, scales[0]), mean(wide, atom), f"C{number}--")
            ax.plot(sharp.time / unit(depth, scales[1]), mean(sharp, atom), f"C{number}-", label=f"w* = {atom:g}")
            ax.plot(solve.time[::4] / unit(depth, scales[0]), mean(solve, atom)[::4], f"C{number}.", ms=3)
        title = f"L = {depth}: a = {scales[0]:g} (dashed; dots: DMFT), {scales[1]:g}"
        ax.set(xlabel="time/log(1/a)" if depth == 2 else "time · (L − 2) a^(L−2)", ylabel="mean of w", title=title)
    panels[0].legend(fontsize=7, loc="lower right")
    save(figure, "jumps")

    for depth, scales in SCALES.items():
        jumps = {a: [when(found[depth, a], atom) / unit(depth, a) for atom in ATOMS] for a in scales}
        for a, values in jumps.items():
            listed = ", ".join(f"{value:.3f} (1/w* = {1 / atom:g})" for value, atom in zip(values, ATOMS, strict=True))
            print(f"  L = {depth}, a = {a:g}: jumps at {listed}")
        check(f"L = {depth}: larger weights jump first", all(np.all(np.diff(values) < 0) for values in jumps.values()))
        widths = [width(found[depth, a], 1.0) / unit(depth, a) for a in scales]
        check(f"L = {depth}: a smaller a makes jumps sharper, {widths[0]:.3f} to {widths[1]:.3f}", widths[1] < widths[0])
        apart = abs(when(theory[depth], 1.0) / when(found[depth, scales[0]], 1.0) - 1)
        check(f"L = {depth}: DMFT and networks agree on the jump of w* = 1 within {apart:.1%}", apart < sized(3, 10) / 100)


def unit(depth: float, a: float) -> float:
    """The time on which jumps come at about 1/w*, the first of them exactly as a → 0."""
    return float(np.log(1 / a)) if depth == 2 else a ** (2 - depth) / (depth - 2)


def request(depth: float, a: float) -> dict:
    """Even times up to two and a half times the last jump."""
    horizon = 3.5 * unit(depth, a)
    times = [float(t) for t in np.linspace(horizon / 200, horizon, 200)]
    return {"problem": PROBLEM | {"depth": depth, "initial_scale": a}, "horizon": horizon, "times": times}


def mean(order, atom: float):
    """The mean of w where w* is this atom."""
    return next(found.mean for found in order.conditional if found.given == f"w*={atom:g}")


def when(order, atom: float, share: float = 0.5) -> float:
    """When that mean passes a `share` of the atom."""
    value = mean(order, atom)
    after = int(np.argmax(value > share * atom))
    return float(np.interp(share * atom, value[after - 1 : after + 1], order.time[after - 1 : after + 1]))


def width(order, atom: float) -> float:
    """From a quarter to three quarters."""
    return when(order, atom, 0.75) - when(order, atom, 0.25)


if __name__ == "__main__":
    run(main)
