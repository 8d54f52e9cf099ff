"""Every script of this folder on one service; ends with status 1 where a claim fails."""

import importlib
import os
import time

from common import service

SCRIPTS = (
    "initialisation",
    "long_time",
    "rates",
    "incremental",
    "search_descent",
    "grokking",
    "universality",
    "finite_size",
    "truncated",
    "phase_map",
    "depth_and_scale",
    "stochastic_bias",
    "stochastic_flow",
    "edge_of_stability",
    "momentum",
    "running_mean",
    "jumps",
)


def main() -> None:
    """Run them in order, and all of them even where one fails."""
    failed = []
    with service() as client:
        for name in SCRIPTS:
            started = time.monotonic()
            print(f"\n== {name}", flush=True)
            try:
                importlib.import_module(name).main(client)
            except SystemExit:
                failed.append(name)
            print(f"  {time.monotonic() - started:.0f} s", flush=True)
    if failed:
        raise SystemExit(f"claims failed in: {', '.join(failed)}")


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    main()
