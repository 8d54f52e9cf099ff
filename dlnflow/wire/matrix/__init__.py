"""A matrix of real data, rows by columns: read strictly, checked, and standardised.

One reader for files and for what is in memory, in the service, in the client and in `simulate(data=…)`. It does not guess in silence
whether a row holds names or a column numbers the rows: it refuses what may be either, and `header` and `index` say which.
"""

import os
from pathlib import Path

from numpy.typing import ArrayLike

from dlnflow.wire.matrix.files import FORMATS, read
from dlnflow.wire.matrix.fit import Misfit, misfit
from dlnflow.wire.matrix.memory import from_memory
from dlnflow.wire.matrix.standard import matrix_id, standardise
from dlnflow.wire.matrix.table import MAX_ENTRIES, BadMatrix, Table, check

__all__ = ["FORMATS", "MAX_ENTRIES", "BadMatrix", "Data", "Misfit", "Table", "load", "matrix_id", "misfit", "standardise"]

Data = ArrayLike | Path | bytes  # a matrix, the path of a file, or the content of one


def load(data: Data, header: bool | None = None, index: bool | None = None) -> Table:
    """The matrix in an array, a frame or a file; raises BadMatrix.

    `header` says whether the first row of a CSV file names the columns, `index` whether the first column names the rows and is left out.
    Where they are None, that is found out; what may be either is refused.
    """
    if isinstance(data, str | os.PathLike):
        data = Path(os.path.expanduser(data)).read_bytes()
    return check(read(bytes(data), header, index) if isinstance(data, bytes | bytearray) else from_memory(data, index))
