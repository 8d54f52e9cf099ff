"""One request, a whole map: the final test loss over samples and initial scale, a sweep of predictions on two axes."""

import matplotlib.pyplot as plt
import numpy as np
from common import check, run, save, sized

from dlnflow.client import Client

PROBLEM = {"aspect_ratio": 0.5, "target": {"kind": "bernoulli_gauss", "density": 0.1}, "noise_std": 0.1, "initial_scale": 1.0}


def main(client: Client) -> None:
    ratios = [float(x) for x in np.linspace(0.15, 0.95, sized(25, 5))]
    scales = [float(x) for x in np.geomspace(1e-3, 3, sized(20, 4))]
    axes = {"problem.aspect_ratio": ratios, "problem.initial_scale": scales}
    rows = client.submit(kind="sweep", base={"kind": "theory", "problem": PROBLEM}, axes=axes).result().rows
    error = np.array([row["final_parameter_error"] for row in rows]).reshape(len(ratios), len(scales))

    figure, ax = plt.subplots(figsize=(5, 3.4))
    mesh = ax.pcolormesh(ratios, scales, np.log10(error.T), shading="nearest")
    figure.colorbar(mesh, label="log₁₀ of the final parameter error")
    ax.set(yscale="log", xlabel="samples per parameter δ", ylabel="initial scale a")
    save(figure, "phase-map")

    check(f"{len(rows)} points, every one with a value", bool(np.isfinite(error).all()))
    best = [scales[i] for i in error.argmin(axis=1)]
    claim = f"the best a grows from {best[0]:.3g} to {best[-1]:.3g} towards δ = 1, where a sparse solution must fit the noise"
    check(claim, best[0] < best[-1])


if __name__ == "__main__":
    run(main)
