"""Universality: data with other entries give the same curves; correlated real rows do not, and the comparison says by how much."""

import io

import matplotlib.pyplot as plt
import numpy as np
from common import agrees, check, run, save, sized

from dlnflow.client import Client

PROBLEM = {"aspect_ratio": 0.5, "target": {"kind": "bernoulli_gauss", "density": 0.1}, "noise_std": 0.1, "initial_scale": 0.3}
DESIGNS = {"Gaussian": "gaussian", "Rademacher": "rademacher", "Student t, 5 degrees": {"kind": "student_t", "degrees_of_freedom": 5}}


def main(client: Client) -> None:
    shared = {"kind": "comparison", "problem": PROBLEM, "horizon": 32.0, "accuracy": 0.01, "replicas": sized(16, 8)}
    jobs = {name: client.submit(**shared, design=design, dimension=sized(2000, 400)) for name, design in DESIGNS.items()}
    data = upload(client, correlated_rows(sized(600, 300), sized(1000, 400)))
    jobs["correlated rows"] = client.submit(**shared, design={"kind": "dataset", "id": data["id"]}, dimension=data["columns"])
    found = {name: job.result() for name, job in jobs.items()}

    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2))
    for number, (name, comparison) in enumerate(found.items()):
        curve = comparison.document["parameter_error"]
        time = np.array(comparison.time[1:])
        left.loglog(time[::2], curve["simulation"][1::2], f"C{number}{'xo+s'[number]}", label=name, ms=4, mfc="none")
        right.semilogx(time, np.array(curve["difference"])[1:] / np.array(curve["dmft"])[1:], f"C{number}-", label=name)
    left.loglog(time, found["Gaussian"].document["parameter_error"]["dmft"][1:], "k-", label="DMFT")
    left.set(xlabel="time", ylabel="parameter error")
    right.axhline(0, color="k", lw=0.8)
    right.set(xlabel="time", ylabel="relative deviation from DMFT")
    left.legend()
    save(figure, "universality")

    for name, comparison in found.items():
        expected = comparison.verdict == "deviate" if name == "correlated rows" else agrees(comparison)
        check(f"{name}: {comparison.explanation}", expected)


def correlated_rows(rows: int, columns: int) -> np.ndarray:
    """Rows whose neighbouring columns are correlated by 0.8, as in real data."""
    noise = np.random.default_rng(1).normal(size=(rows, columns))
    for column in range(1, columns):
        noise[:, column] = 0.8 * noise[:, column - 1] + 0.6 * noise[:, column]
    return noise


def upload(client: Client, matrix: np.ndarray) -> dict:
    """Send a matrix as an NPZ file."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, X=matrix)
    return client.send("POST", "/v1/datasets", content=buffer.getvalue(), headers={"Content-Type": "application/x-npz"}).json()


if __name__ == "__main__":
    run(main)
