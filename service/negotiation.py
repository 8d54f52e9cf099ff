"""Which format a client gets: `?format=` first, then `Accept`."""

from service.errors import Problem, Unprocessable
from service.formats import FORMATS, Format


def choose(part: str, name: str | None, accept: str | None) -> Format:
    """The format of one part of a result, or a 422 (`?format=`) or 406 (`Accept`) that lists what there is."""
    offered = FORMATS[part]
    known = f"Use one of {', '.join(f.name for f in offered)}."
    if name is not None:
        for candidate in offered:
            if candidate.name == name:
                return candidate
        raise Unprocessable(f"format: {part} cannot be had as {name!r}", field="format", hint=known)
    wishes = qualities(accept or "*/*")
    best = max(offered, key=lambda candidate: _wish(candidate, wishes))
    if _wish(best, wishes)[0] > 0:
        return best
    raise Problem(f"{part} cannot be had as {accept}", status=406, code="not_acceptable", hint=known)


def qualities(header: str) -> dict[str, float]:
    """How much each item of an Accept… header is wished for, in its order; 0 is refused."""
    found: dict[str, float] = {}
    for item in header.split(","):
        name, *parameters = (piece.strip().lower() for piece in item.split(";"))
        found.setdefault(name, next((_quality(p) for p in parameters if p.startswith("q=")), 1.0))
    return found


def accepts(header: str, coding: str) -> bool:
    """Whether a header Accept-Encoding takes a coding other than none at all."""
    wishes = qualities(header)
    return wishes.get(coding, wishes.get("*", 0.0)) > 0


def _wish(candidate: Format, wishes: dict[str, float]) -> tuple[float, int]:
    """How much a format is wished for, by the most exact of its names that the header has, and how early that stands there."""
    order = list(wishes)
    for name in candidate.accepted_as:
        if name in wishes:
            return wishes[name], -order.index(name)
    return 0.0, 0


def _quality(parameter: str) -> float:
    try:
        quality = float(parameter.removeprefix("q="))
    except ValueError:
        return 0.0
    return quality if 0 <= quality <= 1 else 0.0
