"""The solution depends on the initial scale: from minimum l2 norm (a large) to minimum l1 norm (a small), theory, DMFT and networks."""

import matplotlib.pyplot as plt
import numpy as np
from common import check, run, save, sized

from dlnflow.client import Client

PROBLEM = {"aspect_ratio": 0.5, "target": {"kind": "bernoulli_gauss", "density": 0.1}, "noise_std": 0.1, "initial_scale": 1.0}
HORIZON = {0.1: 2000.0, 0.2: 500.0, 0.5: 100.0, 1.0: 40.0, 3.0: 10.0}


def main(client: Client) -> None:
    scales = [float(a) for a in np.geomspace(1e-4, 10, sized(41, 9))]
    sweep = client.submit(kind="sweep", base={"kind": "theory", "problem": PROBLEM}, axes={"problem.initial_scale": scales})
    shown = list(HORIZON)[sized(0, 2) :]
    jobs = {a: [client.submit(**request(a, kind)) for kind in ("dmft", "simulation")] for a in shown}
    theory = {a: client.submit(kind="theory", problem=PROBLEM | {"initial_scale": a}).result() for a in shown}
    found = {a: [job.result() for job in pair] for a, pair in jobs.items()}
    rows = sweep.result().rows

    figure, axes = plt.subplots(1, 2, figsize=(8, 3.2))
    for ax, name, label in zip(axes, ("parameter_error", "l1_norm"), ("final parameter error", "final E|w|"), strict=True):
        ax.semilogx(scales, [row[f"final_{name}"] for row in rows], "k-", label="theory")
        for number, (marker, kind) in enumerate((("o", "DMFT"), ("x", "networks"))):
            ends = [end(found[a][number], name) for a in shown]
            ax.errorbar(shown, [e[0] for e in ends], [e[1] for e in ends], fmt=marker, label=f"{kind}, t large, ± 1 s.e.", mfc="none")
        ax.set(xlabel="initial scale a", ylabel=label)
        ax.legend()
    save(figure, "initialisation")

    for a in shown:
        value = theory[a].final_parameter_error
        for kind, result, tolerance in (("DMFT", found[a][0], 0.02), ("networks", found[a][1], 0.05)):
            mean, error = end(result, "parameter_error")
            claim = f"a = {a:g}: {kind} end at {mean:.5f} ± {error:.5f}, theory {value:.5f}"
            check(claim, abs(mean - value) < max(4 * error, tolerance * value))
    l1, l2 = ([row[name] for row in rows] for name in ("final_l1_norm", "final_norm"))
    check(f"E|w| falls with a, from {l1[-1]:.4f} to {l1[0]:.4f}", bool(np.all(np.diff(l1) > 0)))
    check(f"E[w²] falls as a grows, from {l2[0]:.4f} to {l2[-1]:.4f}", bool(np.all(np.diff(l2) < 0)))


def request(a: float, kind: str) -> dict:
    """A long solve, or networks run as long."""
    own = {"accuracy": 0.01} if kind == "dmft" else {"dimension": sized(2000, 300), "replicas": sized(24, 4)}
    return {"kind": kind, "problem": PROBLEM | {"initial_scale": a}, "horizon": HORIZON[a]} | own


def end(result, name: str) -> tuple[float, float]:
    """The last value of a curve and its standard error."""
    part = result.curves if name == "parameter_error" else result.order_parameters
    return float(getattr(part, name)[-1]), float(getattr(part, f"{name}_stderr")[-1])


if __name__ == "__main__":
    run(main)
