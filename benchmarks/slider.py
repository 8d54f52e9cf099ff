"""How soon the picture of the Explore view follows a slider: milliseconds from a move to the curves drawn, in a real browser.

Each of 50 moves goes to a value that was not asked for before, one after the other, about a second apart as a hand that looks does.
"""

import json
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from playwright.sync_api import sync_playwright

from tests.e2e.stack import Stack

MOVES = 50
CHROMIUM = "/usr/bin/chromium"
# Moves the slider and waits for the frame in which its settings are drawn; [milliseconds until theory, until curves].
MOVE = """([name, at]) => new Promise((resolve) => {
  const range = document.querySelector(`.slider[data-name="${name}"] input[type=range]`), picture = document.getElementById("picture");
  const before = picture.dataset.settings, start = performance.now(), theory = document.getElementById("explore-theory").textContent;
  let told = null;
  const look = () => {
    if (told === null && document.getElementById("explore-theory").textContent !== theory) told = performance.now() - start;
    if (picture.dataset.settings !== before) return resolve([told ?? performance.now() - start, performance.now() - start]);
    requestAnimationFrame(look);
  };
  range.value = at;
  range.dispatchEvent(new Event("input", { bubbles: true }));
  requestAnimationFrame(look);
})"""


def solve_milliseconds(stack: Stack) -> float:
    """The solver's own time in the newest coarse job."""
    jobs = stack.client.get("/v1/jobs", params={"kind": "dmft", "status": "succeeded", "limit": 10}).json()["jobs"]
    newest = next(job for job in jobs if job["request"]["accuracy"] == 0.05)
    return 1000 * float(stack.client.get(f"/v1/jobs/{newest['id']}/diagnostics").json()["wall_time"])


def main() -> None:
    """Print median and 95th percentile by slider and in all."""
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        stack = Stack(Path(folder) / "data").start()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(str(stack.client.base_url))
            page.wait_for_selector("#explore-said[data-settled=yes]", timeout=60_000)
            moves = [("initial_scale", 500 + 4 * i) for i in range(20)] + [("aspect_ratio", 400 + 10 * i) for i in range(20)]
            moves += [("noise_std", 40 + 4 * i) for i in range(MOVES - len(moves))]
            found: dict[str, list[list[float]]] = {}
            for name, at in moves:
                theory, curves = page.evaluate(MOVE, [name, at])
                page.wait_for_selector("#explore-said[data-settled=yes]", timeout=60_000)
                found.setdefault(name, []).append([theory, curves, curves - solve_milliseconds(stack)])
                time.sleep(0.1)
        finally:
            browser.close()
            stack.close()
    found["all"] = [move for several in found.values() for move in several]
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; `rest`: curves less what the solver took")
    for name, several in found.items():
        both = np.percentile(np.array(several), [50, 95], axis=0).round().T.tolist()
        print(json.dumps({"slider": name, "moves": len(several), **dict(zip(("theory", "curves", "rest"), both, strict=True))}))


if __name__ == "__main__":
    main()
