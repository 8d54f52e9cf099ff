"""The shape of the service's documents, as far as the client relies on it: what else is in them, it hands on."""

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter

from dlnflow.wire.job import Status


class Record(BaseModel):
    """A job as it stands."""

    model_config = ConfigDict(strict=True)

    id: str
    kind: str
    status: Status
    progress: float
    request: dict[str, Any]
    links: dict[str, str]


class Page(BaseModel):
    """One page of a list of jobs."""

    model_config = ConfigDict(strict=True)

    jobs: list[Record]
    cursor: str | None


class Upload(BaseModel):
    """A data set that was kept."""

    model_config = ConfigDict(strict=True)

    id: str
    rows: int
    columns: int


class Uploads(BaseModel):
    """All data sets."""

    model_config = ConfigDict(strict=True)

    datasets: list[Upload]


Object = dict[str, Any]


def read_json(shape: Any, content: bytes) -> Object:
    """The JSON object in `content`; raises ValueError where it has not this `shape`."""
    return require(shape, json.loads(content))


def require(shape: Any, document: Any) -> Object:
    """The document as it is; raises ValueError where it has not this `shape`."""
    TypeAdapter(shape).validate_python(document)
    found: Object = document
    return found
