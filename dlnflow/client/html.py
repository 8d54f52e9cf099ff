"""Results in notebooks: tables of rows, and lists of what was found, without any library."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

MOST_ROWS = 60


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows with the same keys; the first MOST_ROWS of them."""
    if not rows:
        return "<p>no rows</p>"
    head = "".join(f"<th>{escape(name)}</th>" for name in rows[0])
    body = "".join("<tr>" + "".join(f"<td>{escape(cell(value))}</td>" for value in row.values()) + "</tr>" for row in rows[:MOST_ROWS])
    rest = f"<p>and {len(rows) - MOST_ROWS} more</p>" if len(rows) > MOST_ROWS else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{rest}"


def listing(items: Mapping[str, Any]) -> str:
    """Names and values."""
    return table([{"": name, "value": value} for name, value in items.items()])


def cell(value: Any) -> str:
    """A value as a table shows it."""
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
