"""`python -m benchmarks.chaos`: kills parts of a service at full size and prints what became of its jobs. Takes about twenty minutes."""

import tempfile
import time
from pathlib import Path

from tests.e2e.chaos import cancel_at_random, kill_under_load, kill_workers
from tests.e2e.stack import LONG, Stack


def main() -> None:
    """Everything, on one stack."""
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder) / "data").start()
        try:
            start = time.monotonic()
            killed, attempts = kill_workers(stack, 500, 30)
            print(f"500 jobs, workers killed {killed} times at work: none lost, {attempts} attempts were", flush=True)
            for name, word, seed in (("store", "-server unixsocket", 10_000), ("API", "uvicorn", 20_000)):
                acknowledged, answers = kill_under_load(stack, word, 5, seed)
                print(f"{name} killed 5 times under load: {acknowledged} acknowledged, none lost; answers {answers}", flush=True)
            free = cancel_at_random(stack, LONG, 200, 30_000)
            print(
                f"200 jobs cancelled at random: all ended, another running {free:.1f} s later, {time.monotonic() - start:.0f} s in all",
                flush=True,
            )
        finally:
            stack.close()


if __name__ == "__main__":
    main()
