"""Data sets in the store: standardised matrices, addressed by their content."""

import io
import time
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from dlnflow.jobs import keys, matrix
from dlnflow.solution import Array

STANDARDISATION = "each column centred and scaled to variance 1/d over all rows, d = columns"


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

    def __init__(self, client: Any, most: int) -> None:
        self._redis, self._most = client, most

    def add(self, values: Array) -> tuple[Dataset, Literal["created", "present", "full"]]:
        """Standardise and keep a checked matrix; 'full' where there are too many already, and nothing is kept."""
        address = matrix.matrix_id(values)
        if present := self.get(address):
            return present, "present"
        now = time.time()
        created = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        rows, columns = values.shape
        dataset = Dataset(id=address, rows=rows, columns=columns, created_at=created, links={"self": f"/v1/datasets/{address}"})
        if self._redis.zcard(keys.DATASETS) >= self._most:
            return dataset, "full"
        buffer = io.BytesIO()
        np.save(buffer, matrix.standardise(values), allow_pickle=False)
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.hset(keys.dataset(address), mapping={"about": dataset.model_dump_json(), "matrix": buffer.getvalue()})
        pipeline.zadd(keys.DATASETS, {address: now})
        pipeline.execute()
        return dataset, "created"

    def get(self, dataset_id: str) -> Dataset | None:
        """What is known of a data set."""
        about = self._redis.hget(keys.dataset(dataset_id), "about")
        return Dataset.model_validate_json(about) if about else None

    def rows(self, dataset_id: str) -> NDArray[np.float32] | None:
        """The standardised matrix, shape (rows, columns)."""
        stored = self._redis.hget(keys.dataset(dataset_id), "matrix")
        return None if stored is None else np.load(io.BytesIO(stored), allow_pickle=False)

    def list(self) -> list[Dataset]:
        """All data sets, newest first."""
        found = (self.get(member.decode()) for member in self._redis.zrevrange(keys.DATASETS, 0, -1))
        return [dataset for dataset in found if dataset]

    def delete(self, dataset_id: str) -> bool:
        """Forget a data set; False where there is none. Results that were computed from it stay."""
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.delete(keys.dataset(dataset_id))
        pipeline.zrem(keys.DATASETS, dataset_id)
        return bool(pipeline.execute()[0])
