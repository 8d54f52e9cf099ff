"""What of a result stands in one row of a table: of curves the last values and the smallest test loss, a prediction, a verdict."""

from typing import Any

from dlnflow.model.curves import FINAL
from dlnflow.solution import CURVES, ORDER_PARAMETERS

Document = dict[str, Any]

CURVE_COLUMNS = [column for name in CURVES for column in (name, f"{name}_stderr")]
ORDER_COLUMNS = [column for name in ORDER_PARAMETERS for column in (name, f"{name}_stderr")]
LEAST = ("least_test_loss", "least_test_loss_stderr", "least_test_loss_time")
CURVES_FINAL = ["time", *CURVE_COLUMNS, *ORDER_COLUMNS, *LEAST, "outcome"]
THEORY_SCALES = ("lazy", "lazy_slowest", "rich_onset", "search", "descent", "forgetting", "convergence")
THEORY_FINAL = ["solution", "regime", "convergence_rate"]
THEORY_FINAL += [f"final_{name}" for name in FINAL]
WORST = ("curve", "time", "of_allowed", "z_score", "relative_difference")

COLUMNS: dict[str, list[str]] = {
    "dmft": CURVES_FINAL,
    "simulation": CURVES_FINAL,
    "theory": THEORY_FINAL + [f"time_scale_{name}" for name in THEORY_SCALES],
    "comparison": ["verdict", *(f"worst_{name}" for name in WORST), "dmft_id", "simulation_id"],
}


def summarise(parts: dict[str, Document]) -> Document:
    """The columns of one job's row, from the parts of its result."""
    if "theory" in parts:
        theory = parts["theory"]
        return {name: theory[name] for name in THEORY_FINAL} | {
            f"time_scale_{name}": theory["time_scales"][name]["value"] for name in THEORY_SCALES
        }
    if "comparison" in parts:
        found = parts["comparison"]
        ids = {f"{kind}_id": job["id"] for kind, job in found["jobs"].items()}
        return {"verdict": found["verdict"]} | {f"worst_{name}": found["worst"][name] for name in WORST} | ids
    if "curves" not in parts:
        return {}
    last = {name: float(parts["curves"][name][-1]) for name in ("time", *CURVE_COLUMNS)}
    order_parameters = {name: float(parts["order-parameters"][name][-1]) for name in ORDER_COLUMNS}
    least = {name: float(parts["diagnostics"]["summary"][name]) for name in LEAST}
    return last | order_parameters | least | {"outcome": parts["diagnostics"]["outcome"]}
