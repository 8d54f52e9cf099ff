"""The formats in which each part of a result can be had."""

from collections.abc import Callable
from dataclasses import dataclass

from dlnflow.wire import results, table


@dataclass(frozen=True)
class Format:
    """A way to print a document."""

    name: str
    media_type: str
    encode: Callable[[results.Document], bytes]
    accepted_as: tuple[str, ...]


# Names go from exact to general, and formats that are wished for alike in the order in which they are offered.
JSON = Format("json", "application/json", results.to_json, ("application/json", "application/*", "*/*"))
CSV = Format("csv", "text/csv", results.to_csv, ("text/csv", "text/*", "*/*"))
BINARY = ("application/octet-stream", "application/*", "*/*")
NPZ = Format("npz", "application/x-npz", results.to_npz, ("application/x-npz", "application/zip", *BINARY))
TABLE_CSV = Format("csv", "text/csv", table.to_csv, CSV.accepted_as)
PARQUET = Format("parquet", "application/vnd.apache.parquet", table.to_parquet, ("application/vnd.apache.parquet", *BINARY))

FORMATS: dict[str, tuple[Format, ...]] = {
    "curves": (JSON, CSV, NPZ),
    "order-parameters": (JSON, CSV, NPZ),
    "kernels": (JSON, NPZ),
    "theory": (JSON, NPZ),
    "comparison": (JSON, NPZ),
    "table": (JSON, TABLE_CSV, PARQUET),
    "diagnostics": (JSON, NPZ),
}
