"""What the scripts share: a service to ask, sizes, and how a figure and a check end.

A script uses the service at `DLNFLOW_URL`, or starts an embedded one for itself. `DLNFLOW_PAPER=quick` takes small sizes, for CI.
Figures go to `DLNFLOW_FIGURES`, by default this folder's `figures`.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from matplotlib.figure import Figure

sys.path.insert(0, str(Path(__file__).parents[1]))
from demo import embedded_stack

from dlnflow.client import Client, Comparison

QUICK = os.environ.get("DLNFLOW_PAPER") == "quick"
FIGURES = Path(os.environ.get("DLNFLOW_FIGURES") or Path(__file__).parent / "figures")

STYLE = {"figure.constrained_layout.use": True, "figure.dpi": 100, "legend.frameon": False, "legend.fontsize": 8, "font.size": 9}
mpl.rcParams.update(STYLE)


def sized(full: int, quick: int) -> int:
    """A size, by whether this is a quick run."""
    return quick if QUICK else full


@contextlib.contextmanager
def service() -> Iterator[Client]:
    """The service at `DLNFLOW_URL`, or one of our own."""
    if not os.environ.get("DLNFLOW_URL"):
        with embedded_stack() as client:
            yield client
        return
    with Client() as client:
        yield client


def save(figure: Figure, name: str) -> None:
    """Write a figure."""
    FIGURES.mkdir(exist_ok=True, parents=True)
    figure.savefig(FIGURES / f"{name}.png")
    print(f"figure: {FIGURES / name}.png")


def check(claim: str, holds: bool) -> None:
    """Print whether a claim holds; a script that finds one that does not ends with status 1."""
    print(f"{'holds' if holds else 'FAILS'}: {claim}", flush=True)
    if not holds:
        raise SystemExit(1)


def agrees(comparison: Comparison) -> bool:
    """The verdict; a quick run has too few networks to say more than that nothing deviates."""
    return comparison.verdict == "agree" or (QUICK and comparison.verdict == "inconclusive")


def run(main: Callable[[Client], None]) -> None:
    """Run a script's `main` on a service."""
    with service() as client:
        main(client)
