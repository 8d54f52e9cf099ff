"""arXiv 2002.09277: at every depth a small scale finds sparse solutions, and the deeper the network, the larger a scale will do."""

import matplotlib.pyplot as plt
import numpy as np
from common import check, run, save, sized

from dlnflow.client import Client

PROBLEM = {"aspect_ratio": 0.5, "target": {"kind": "bernoulli_gauss", "density": 0.1}, "noise_std": 0.1, "initial_scale": 1.0}
DEPTHS = (1, 2, 3, 4)
SOLVED = {2: (0.5, 100.0), 3: (0.7, 60.0), 4: (0.8, 60.0)}  # the scale and the horizon of a solve at each depth


def main(client: Client) -> None:
    scales = [float(a) for a in np.geomspace(0.03, 3, sized(31, 7))]
    axes = {"problem.depth": list(DEPTHS), "problem.initial_scale": scales}
    sweep = client.submit(kind="sweep", base={"kind": "theory", "problem": PROBLEM}, axes=axes)
    sparsest = client.submit(kind="theory", problem=PROBLEM | {"weight_decay": 1e-9}).result().final_l1_norm
    depths = list(SOLVED)[: sized(3, 2)]
    jobs = {depth: [client.submit(**request(depth, kind)) for kind in ("dmft", "simulation")] for depth in depths}
    table = np.array([[row["final_l1_norm"], row["final_parameter_error"]] for row in sweep.result().rows]).reshape(len(DEPTHS), -1, 2)
    excess, error = table[..., 0] - sparsest, table[..., 1]

    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2))
    for number, depth in enumerate(DEPTHS):
        left.loglog(scales, excess[number], f"C{number}-", label=f"L = {depth}")
        right.loglog(scales, error[number], f"C{number}-", label=f"L = {depth}")
    left.set(xlabel="initial scale a", ylabel="E|w| above the minimum")
    right.set(xlabel="initial scale a", ylabel="final parameter error")
    left.legend()
    ends = {depth: [end(job.result().curves) for job in pair] for depth, pair in jobs.items()}
    for depth in depths:
        right.plot(SOLVED[depth][0], ends[depth][0][0], f"C{DEPTHS.index(depth)}o", mfc="none")
    save(figure, "depth-and-scale")

    check("E|w| above the minimum falls with a at every depth above 1", bool(np.all(np.diff(excess[1:], axis=1) > 0)))
    same = float(np.ptp(excess[0]) / excess[0].mean())
    check(f"depth 1 is the minimum ℓ2 norm at every scale, within {same:.1e}", same < 1e-6)
    here = int(np.argmin(np.abs(np.array(scales) - 0.3)))
    claim = ", ".join(f"{excess[number, here]:.4f}" for number in range(len(DEPTHS)))
    check(f"at a = {scales[here]:.2f} it falls with depth: {claim}", bool(np.all(np.diff(excess[:, here]) < 0)))
    for depth in depths:
        value = client.submit(kind="theory", problem=request(depth, "dmft")["problem"]).result().final_parameter_error
        for kind, (mean, stderr), tolerance in zip(("DMFT", "networks"), ends[depth], (0.02, sized(4, 15) / 100), strict=True):
            claim = f"L = {depth}, a = {SOLVED[depth][0]}: {kind} end at {mean:.5f} ± {stderr:.5f}, theory {value:.5f}"
            check(claim, abs(mean - value) < 4 * stderr + tolerance * value)


def request(depth: float, kind: str) -> dict:
    """A long solve, or networks run as long."""
    a, horizon = SOLVED[depth]
    own = {"accuracy": 0.01} if kind == "dmft" else {"dimension": sized(1500, 300), "replicas": sized(16, 4)}
    return {"kind": kind, "problem": PROBLEM | {"initial_scale": a, "depth": depth}, "horizon": horizon} | own


def end(curves) -> tuple[float, float]:
    """The last parameter error and its standard error."""
    return float(curves.parameter_error[-1]), float(curves.parameter_error_stderr[-1])


if __name__ == "__main__":
    run(main)
