"""Lazy, then rich: with a large initial scale and weight decay the network first interpolates like a linear model, and generalises late."""

import matplotlib.pyplot as plt
import numpy as np
from common import agrees, check, run, save, sized

from dlnflow.client import Client

PROBLEM = {
    "aspect_ratio": 0.5,
    "target": {"kind": "bernoulli_gauss", "density": 0.1},
    "noise_std": 0.0,
    "initial_scale": 4.0,
    "weight_decay": 0.02,
}
HORIZON = 400.0
LARGER = [8.0, 16.0][: sized(2, 1)]  # initial scales that move the onset


def main(client: Client) -> None:
    comparison = client.submit(
        kind="comparison", problem=PROBLEM, horizon=HORIZON, accuracy=0.02, dimension=sized(2000, 300), replicas=sized(16, 4)
    )
    scales = {a: client.submit(kind="theory", problem=PROBLEM | {"initial_scale": a}).result().time_scales for a in [4.0, *LARGER]}
    late = {a: [client.submit(**request(a, scales[a]["lazy"]["value"], kind)) for kind in ("dmft", "simulation")] for a in scales}
    theory = client.submit(kind="theory", problem=PROBLEM).result()
    kernel = client.submit(kind="theory", problem=PROBLEM | {"weight_decay": 0.0}).result()
    found = comparison.result()
    marks = {name: theory.time_scales[name]["value"] for name in ("lazy", "rich_onset")}
    curves = {a: [job.result().curves for job in jobs] for a, jobs in late.items()}

    time, train, test = np.array(found.time), found.document["train_loss"], found.document["test_loss"]
    figure, ax = plt.subplots(figsize=(5.5, 3.4))
    for number, (name, curve) in enumerate((("train", train), ("test", test))):
        ax.loglog(time[1:], curve["dmft"][1:], f"C{number}-", label=f"{name} loss, DMFT")
        ax.loglog(time[1::3], curve["simulation"][1::3], f"C{number}x", label=f"{name} loss, networks")
    ax.axhline(kernel.final_test_loss, color="C1", ls=":", label="end of the lazy phase (λ = 0)")
    for name, value in marks.items():
        ax.axvline(value, color="k", lw=0.8, ls="--")
        ax.text(value, ax.get_ylim()[0] * 1.3, f" {name}", rotation=90, fontsize=7)
    ax.set(xlabel="time", ylabel="loss")
    ax.legend(loc="center", fontsize=7)
    save(figure, "grokking")

    test_loss, train_loss = np.array(test["dmft"]), np.array(train["dmft"])
    middle = np.searchsorted(time, np.sqrt(marks["lazy"] * marks["rich_onset"]))
    check(f"the regime is {theory.regime}", theory.regime == "lazy_then_rich")
    check(
        f"between the two times the train loss is {train_loss[middle] / train_loss[0]:.1%} of its start",
        train_loss[middle] < 0.05 * train_loss[0],
    )
    plateau = test_loss[middle] / kernel.final_test_loss
    check(f"and the test loss is {plateau:.3f} of the linear model's", abs(plateau - 1) < 0.1)
    check(found.explanation, agrees(found))
    for kind, which in (("DMFT", 0), ("networks", 1)):
        lazy = {a: first_decay(c[which]) for a, c in curves.items()}
        ratios = [lazy[a] / scales[a]["lazy"]["value"] for a in lazy]
        check(
            f"{kind}: the first decay takes {', '.join(f'{x:.3f}' for x in ratios)} of the lazy time",
            bool(np.all(np.abs(np.array(ratios) - 1) < sized(5, 30) / 100)),
        )
        drops = {a: halving(c[which], kernel.final_test_loss) for a, c in curves.items()}
        onsets = ", ".join(f"{drops[a]:.0f} (onset {scales[a]['rich_onset']['value']:.0f})" for a in drops)
        slope = np.polyfit(np.log(list(drops)), list(drops.values()), 1)[0] * PROBLEM["weight_decay"]
        claim = f"{kind}: the test loss halves at t = {onsets}, later by {slope:.3f}/λ per unit of log a, as the onset by 1/λ"
        check(claim, abs(slope - 1) < 0.05)


def request(a: float, lazy: float, kind: str) -> dict:
    """The first hundredth of the lazy phase, and from t = 1 to the end, on enough times to see when the test loss falls."""
    times = [0.0, lazy / 100, *(float(t) for t in np.geomspace(1, HORIZON, 80))]
    own = {"accuracy": 0.02} if kind == "dmft" else {"dimension": sized(2000, 300), "replicas": sized(8, 4)}
    return {"kind": kind, "problem": PROBLEM | {"initial_scale": a}, "horizon": HORIZON, "times": times} | own


def first_decay(curves) -> float:
    """The time in which w − w* would fall by e at the speed of the first step."""
    return -2 * curves.time[1] / float(np.log(curves.parameter_error[1] / curves.parameter_error[0]))


def halving(curves, plateau: float) -> float:
    """When the test loss has fallen to half its plateau."""
    after = int(np.argmax(curves.test_loss < plateau / 2))
    return float(np.interp(-plateau / 2, -curves.test_loss[after - 1 : after + 1], curves.time[after - 1 : after + 1]))


if __name__ == "__main__":
    run(main)
