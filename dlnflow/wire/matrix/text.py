"""CSV: numbers between commas, semicolons or tabs, in UTF-8, under a row of names or without one."""

import csv
import io
import re
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import Any

import numpy as np

from dlnflow.solution import Array
from dlnflow.wire.matrix.table import HOW_INDEX, BadMatrix, Table, require_entries

Row = list[str]

HOW_HEADER = "say header=true where it names the columns, or header=false where it is data"
COUNTED = "(rows and columns count from 0, after the header)"
DELIMITERS = ("\t", ";", ",")  # in this order: a comma beside one of the others stands within numbers
NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
INTEGER = re.compile(r"\s*[+-]?\d+\s*", re.ASCII)
DECIMAL_COMMA = re.compile(r"\s*[+-]?\d*,\d+([eE][+-]?\d+)?\s*", re.ASCII)
MISSING = frozenset({"", "na", "n/a", "#n/a", "<na>", "nan", "null", "none", "nil", "missing", "-", ".", "?", "inf", "infinity"})


def read_csv(content: bytes, header: bool | None, index: bool | None) -> Table:
    """The table in a text; raises BadMatrix where it is none, or where `header` or `index` has to be given."""
    text = _Text(content)
    first, second = text.head
    if len(first) < 2 and first != [""]:
        raise BadMatrix(f"the first row is one cell, {_shown(first[0])}; cells stand between commas, semicolons or tabs")
    require_entries(content.count(text.delimiter.encode()))
    named = text.names_columns(index) if header is None else header
    shorter = named and len(second) == len(first) + 1  # as R writes row names
    if shorter and not second[-1].strip():
        raise BadMatrix(f"the rows end in {text.delimiter!r}, after which a cell is missing; take it away")
    if shorter and index is None:
        raise BadMatrix(f"the rows have one cell more than the first row, and may begin with their names; {HOW_INDEX}")
    if not (second if named else first) or first == [""]:
        return Table(np.empty((0, len(first))), "csv", header=named, index=index)
    skipped = int(bool(index))
    unnamed = shorter and skipped  # the column of the row names has no name
    values = text.numbers(named, len(first) + unnamed, index)
    names = tuple(first[skipped - unnamed :]) if named else None
    return Table(values[:, skipped:], "csv", names, named, index)


class _Text:
    """A text by rows; `head` are the first two."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._start = [*islice(self._lines(), 2), "", ""][:2]
        self.delimiter = self._find_delimiter()
        rows = [*islice(self._rows(), 2), [], []]
        self.head: tuple[Row, Row] = rows[0] or [""], rows[1]

    def names_columns(self, index: bool | None) -> bool:
        """Whether the first row holds names; raises BadMatrix where it may or may not."""
        first, second = self.head
        cells = first[1:] if index or _is_missing(first[0]) else first
        numbers = [cell for cell in cells if NUMBER.fullmatch(cell)]
        words = [cell for cell in cells if not (NUMBER.fullmatch(cell) or DECIMAL_COMMA.fullmatch(cell) or _is_missing(cell))]
        if words == cells[:1] and numbers and second and not NUMBER.fullmatch(second[0]):
            raise BadMatrix(_may_be_index(words[0]))
        if words and numbers:
            raise BadMatrix(f"the first row holds numbers and words, {_shown(words[0])} among them; {HOW_HEADER}")
        if cells and len(numbers) == len(cells) and self._may_name(cells, second):
            raise BadMatrix(f"the first row, {_shown(', '.join(first))}, may name the columns; {HOW_HEADER}")
        return bool(words)

    def numbers(self, named: bool, width: int, index: bool | None) -> Array:
        """The numbers (rows, `width`) below the header; the first column is NaN where it is an `index`."""
        lines = self._lines()
        if named:
            next(self._rows(lines))
        unread: Any = {0: lambda _: np.nan} if index else None
        try:
            values: Array = np.loadtxt(lines, delimiter=self.delimiter, ndmin=2, comments=None, quotechar='"', converters=unread)
        except ValueError as error:
            if isinstance(error, BadMatrix):
                raise
            raise BadMatrix(self._what_is_wrong(named, width, index) or str(error)[:200]) from None
        if values.shape[1] != width:
            raise BadMatrix(f"the first row has {width} cells and the others have {values.shape[1]}")
        return values

    def _what_is_wrong(self, named: bool, width: int, index: bool | None) -> str | None:
        """The first cell that is no number, or row that is longer or shorter than the first."""
        for row, cells in enumerate(islice(self._rows(), int(named), None)):
            if len(cells) != width:
                ending = "; a delimiter at its end makes a cell more, which is missing" if not cells[-1].strip() else ""
                return f"row {row} has {len(cells)} cells, not {width}{ending} {COUNTED}"
            for column, cell in enumerate(cells):
                if not NUMBER.fullmatch(cell) and not (index and column == 0):
                    return self._wrong_cell(row, column, cell, index)
        return None

    def _wrong_cell(self, row: int, column: int, cell: str, index: bool | None) -> str:
        where = f"row {row}, column {column} {COUNTED}"
        if _is_missing(cell):
            return f"an entry is missing, {_shown(cell)}: {where}"
        if DECIMAL_COMMA.fullmatch(cell):
            return f"{_shown(cell)} has a decimal comma, where a point is needed: {where}"
        if row == column == 0 and index is None:
            return _may_be_index(cell)
        return f"{_shown(cell)} is no number: {where}"

    def _may_name(self, cells: Row, second: Row) -> bool:
        """Whether numbers look like names: they differ, and rise or fall, or are integers or quoted where the next row's are not."""
        values = [float(cell) for cell in cells]
        steps = {(b > a) - (b < a) for a, b in pairwise(values)}
        integers = all(map(INTEGER.fullmatch, cells)) and not all(map(INTEGER.fullmatch, second))
        quoted = '"' in self._start[0] and '"' not in self._start[1]
        return len(set(values)) == len(values) and (steps in ({1}, {-1}) or integers or quoted)

    def _find_delimiter(self) -> str:
        first, second = (re.sub('"[^"]*"', "", line) for line in self._start)
        both = [mark for mark in DELIMITERS if mark in first and mark in (second or first)]
        return both[0] if both else ","

    def _rows(self, lines: Iterator[str] | None = None) -> Iterator[Row]:
        try:
            yield from csv.reader(lines or self._lines(), delimiter=self.delimiter)
        except csv.Error as error:
            raise BadMatrix(f"the file is not CSV: {error}") from None

    def _lines(self) -> Iterator[str]:
        """Lines that are not empty, whether they end as in Unix, in Windows or with carriage returns only."""
        try:
            yield from (line for line in io.TextIOWrapper(io.BytesIO(self._content), encoding="utf-8-sig", newline=None) if line.strip())
        except UnicodeDecodeError:
            raise BadMatrix("the file is none of CSV in UTF-8, NPY, NPZ, Parquet and Arrow") from None


def _may_be_index(cell: str) -> str:
    return f"the first column begins with {_shown(cell)} and may name the rows; {HOW_INDEX}"


def _is_missing(cell: str) -> bool:
    return cell.strip().lower().lstrip("+") in MISSING


def _shown(cell: str) -> str:
    return repr(cell if len(cell) <= 40 else f"{cell[:40]}…")
