"""Lazy, then rich: with a large initial scale and weight decay the network first interpolates like a linear model, and generalises late."""

import matplotlib.pyplot as plt
import numpy as np
from common import check, run, save, sized

from dlnflow.client import Client

PROBLEM = {
    "aspect_ratio": 0.5,
    "target": {"kind": "bernoulli_gauss", "density": 0.1},
    "noise_std": 0.0,
    "initial_scale": 4.0,
    "weight_decay": 0.02,
}
HORIZON = 400.0


def main(client: Client) -> None:
    comparison = client.submit(
        kind="comparison", problem=PROBLEM, horizon=HORIZON, accuracy=0.02, dimension=sized(2000, 300), replicas=sized(8, 4)
    )
    theory = client.submit(kind="theory", problem=PROBLEM).result()
    kernel = client.submit(kind="theory", problem=PROBLEM | {"weight_decay": 0.0}).result()
    found = comparison.result()
    scales = {name: theory.time_scales[name]["value"] for name in ("lazy", "rich_onset")}

    time, train, test = np.array(found.time), found.document["train_loss"], found.document["test_loss"]
    figure, ax = plt.subplots(figsize=(5.5, 3.4))
    for number, (name, curve) in enumerate((("train", train), ("test", test))):
        ax.loglog(time[1:], curve["dmft"][1:], f"C{number}-", label=f"{name} loss, DMFT")
        ax.loglog(time[1::3], curve["simulation"][1::3], f"C{number}x", label=f"{name} loss, networks")
    ax.axhline(kernel.final_test_loss, color="C1", ls=":", label="end of the lazy phase (λ = 0)")
    for name, value in scales.items():
        ax.axvline(value, color="k", lw=0.8, ls="--")
        ax.text(value, ax.get_ylim()[0] * 1.3, f" {name}", rotation=90, fontsize=7)
    ax.set(xlabel="time", ylabel="loss")
    ax.legend(loc="center left")
    save(figure, "grokking")

    test_loss, train_loss = np.array(test["dmft"]), np.array(train["dmft"])
    middle = np.searchsorted(time, np.sqrt(scales["lazy"] * scales["rich_onset"]))
    check(f"the regime is {theory.regime}", theory.regime == "lazy_then_rich")
    check(
        f"between the two times the train loss is {train_loss[middle] / train_loss[0]:.1%} of its start",
        train_loss[middle] < 0.05 * train_loss[0],
    )
    plateau = test_loss[middle] / kernel.final_test_loss
    check(f"and the test loss is {plateau:.3f} of the linear model's", abs(plateau - 1) < 0.1)
    drop = time[np.argmax(test_loss < kernel.final_test_loss / 2)]
    check(f"the test loss halves at t = {drop:.0f}, the rich onset is {scales['rich_onset']:.0f}", 0.5 < drop / scales["rich_onset"] < 2)
    print(f"  {found.verdict}: {found.explanation}")


if __name__ == "__main__":
    run(main)
