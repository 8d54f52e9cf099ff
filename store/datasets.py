"""Data sets in the store: standardised matrices, addressed by their content, that belong to those who uploaded them."""

import io
import time
from datetime import UTC, datetime
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from dlnflow.solution import Array
from dlnflow.wire import matrix
from store import keys

STANDARDISATION = "each column centred and scaled to variance 1/d over all rows, d = columns"

Addition = Literal["created", "present", "full"]
Deletion = Literal["deleted", "left", "foreign", "unknown"]

# data set, its owners, all data sets; id, owner or '', when, most, what it is, matrix or ''
# -> 'created' | 'present' | 'full' | 'absent' where there is none and no matrix was given
ADD = """
local function own() if ARGV[2] ~= '' then redis.call('SADD', KEYS[2], ARGV[2]) end end
if redis.call('EXISTS', KEYS[1]) == 1 then
  own()
  return 'present'
end
if ARGV[6] == '' then return 'absent' end
if redis.call('ZCARD', KEYS[3]) >= tonumber(ARGV[4]) then return 'full' end
redis.call('HSET', KEYS[1], 'about', ARGV[5], 'matrix', ARGV[6])
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1])
own()
return 'created'
"""

# data set, its owners, all data sets; id, owner or '' for everybody
# -> 'deleted' | 'left' where others uploaded it too | 'foreign' where the one did not | 'unknown'
DELETE = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 'unknown' end
if ARGV[2] ~= '' then
  if redis.call('SREM', KEYS[2], ARGV[2]) == 0 then return 'foreign' end
  if redis.call('SCARD', KEYS[2]) > 0 then return 'left' end
end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('ZREM', KEYS[3], ARGV[1])
return 'deleted'
"""


class Dataset(BaseModel):
    """A data set: `rows` samples of `columns` = d parameters, standardised as described."""

    id: str
    rows: int
    columns: int
    standardisation: str = STANDARDISATION
    created_at: str
    links: dict[str, str]


class Datasets:
    """The data sets in the server behind `client`."""

    def __init__(self, client: Any, most: int, root: str = "") -> None:
        self._redis, self._most, self._root = client, most, root
        self._add, self._delete = (self._redis.register_script(script) for script in (ADD, DELETE))

    def add(self, values: Array, owner: str | None = None) -> tuple[Dataset, Addition]:
        """Standardise and keep a checked matrix for `owner`; 'full' where there are too many already, and nothing is kept."""
        address = matrix.matrix_id(values)
        now = time.time()
        created = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        rows, columns = values.shape
        dataset = Dataset(id=address, rows=rows, columns=columns, created_at=created, links=self._links(address))
        arguments = [address, owner or "", now, self._most, dataset.model_dump_json()]
        outcome = self._add(_names(address), [*arguments, b""])
        if outcome == b"absent":
            buffer = io.BytesIO()
            np.save(buffer, matrix.standardise(values), allow_pickle=False)
            outcome = self._add(_names(address), [*arguments, buffer.getvalue()])
        return self.get(address) or dataset, cast(Addition, outcome.decode())

    def get(self, dataset_id: str) -> Dataset | None:
        """What is known of a data set."""
        about = self._redis.hget(keys.dataset(dataset_id), "about")
        return Dataset.model_validate_json(about).model_copy(update={"links": self._links(dataset_id)}) if about else None

    def rows(self, dataset_id: str) -> NDArray[np.float32] | None:
        """The standardised matrix, shape (rows, columns)."""
        stored = self._redis.hget(keys.dataset(dataset_id), "matrix")
        return None if stored is None else np.load(io.BytesIO(stored), allow_pickle=False)

    def list(self) -> list[Dataset]:
        """All data sets, newest first."""
        found = (self.get(member.decode()) for member in self._redis.zrevrange(keys.DATASETS, 0, -1))
        return [dataset for dataset in found if dataset]

    def delete(self, dataset_id: str, owner: str | None = None) -> Deletion:
        """Forget a data set. Results that were computed from it stay.

        With `owner`, one that others uploaded too stays for them ('left'); one that this owner did not upload is 'foreign'.
        """
        return cast(Deletion, self._delete(_names(dataset_id), [dataset_id, owner or ""]).decode())

    def _links(self, dataset_id: str) -> dict[str, str]:
        return {"self": f"{self._root}/v1/datasets/{dataset_id}"}


def _names(dataset_id: str) -> list[str]:
    return [keys.dataset(dataset_id), keys.owners(dataset_id), keys.DATASETS]
