"""Which format a client gets: `?format=` first, then `Accept`."""

from collections.abc import Callable
from dataclasses import dataclass

from dlnflow.jobs import results, table
from service.errors import Problem, Unprocessable


@dataclass(frozen=True)
class Format:
    """A way to print a document."""

    name: str
    media_type: str
    encode: Callable[[results.Document], bytes]
    accepted_as: tuple[str, ...]


JSON = Format("json", "application/json", results.to_json, ("application/json", "application/*", "*/*"))
CSV = Format("csv", "text/csv", results.to_csv, ("text/csv", "text/*"))
NPZ = Format("npz", "application/x-npz", results.to_npz, ("application/x-npz", "application/octet-stream", "application/zip"))
TABLE_CSV = Format("csv", "text/csv", table.to_csv, ("text/csv", "text/*"))
PARQUET = Format(
    "parquet", "application/vnd.apache.parquet", table.to_parquet, ("application/vnd.apache.parquet", "application/octet-stream")
)

FORMATS: dict[str, tuple[Format, ...]] = {
    "curves": (JSON, CSV, NPZ),
    "order-parameters": (JSON, CSV, NPZ),
    "kernels": (JSON, NPZ),
    "theory": (JSON, NPZ),
    "comparison": (JSON, NPZ),
    "table": (JSON, TABLE_CSV, PARQUET),
    "diagnostics": (JSON, NPZ),
}


def choose(part: str, name: str | None, accept: str | None) -> Format:
    """The format of one part of a result, or a 422 (`?format=`) or 406 (`Accept`) that lists what there is."""
    offered = FORMATS[part]
    known = f"Use one of {', '.join(f.name for f in offered)}."
    if name is not None:
        for candidate in offered:
            if candidate.name == name:
                return candidate
        raise Unprocessable(f"format: {part} cannot be had as {name!r}", field="format", hint=known)
    for media_type in _preferred(accept or "*/*"):
        for candidate in offered:
            if media_type in candidate.accepted_as:
                return candidate
    raise Problem(f"{part} cannot be had as {accept}", status=406, code="not_acceptable", hint=known)


def _preferred(accept: str) -> list[str]:
    """The media types of an Accept header, best first, without those that are refused with q=0."""
    ranked: list[tuple[float, str]] = []
    for item in accept.split(","):
        media_type, *parameters = (piece.strip().lower() for piece in item.split(";"))
        quality = next((_quality(p) for p in parameters if p.startswith("q=")), 1.0)
        if quality > 0:
            ranked.append((-quality, media_type))
    return [media_type for _, media_type in sorted(ranked, key=lambda pair: pair[0])]


def _quality(parameter: str) -> float:
    try:
        return float(parameter.removeprefix("q="))
    except ValueError:
        return 0.0
