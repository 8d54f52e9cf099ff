"""Data sets: real rows for simulations to use in place of random ones."""

import logging
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from dlnflow.wire import matrix
from service.access import Caller as Identity
from service.access import said
from service.context import Caller, Context, Service
from service.errors import Forbidden, NotFound, Problem, Unprocessable
from store.datasets import Dataset

log = logging.getLogger(__name__)

router = APIRouter(prefix="/v1/datasets", tags=["datasets"])

MEDIA_TYPES = (
    "text/csv",
    "application/x-npy",
    "application/x-npz",
    "application/vnd.apache.parquet",
    "application/vnd.apache.arrow.file",
)
FILE = {"type": "string", "format": "binary"}
UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {name: {"schema": FILE} for name in MEDIA_TYPES}
        | {"multipart/form-data": {"schema": {"type": "object", "properties": {"file": FILE}, "required": ["file"]}}},
    }
}


class Upload(Dataset):
    """A data set that was kept, and how its file was read: check that against what was meant."""

    format: Annotated[str, Field(description="csv, npy, npz, parquet or arrow")]
    header: Annotated[bool | None, Field(description="whether the first row of a text named the columns; null in other formats")]
    index: Annotated[bool, Field(description="whether a column that names the rows was left out")]
    names: Annotated[tuple[str, ...] | None, Field(description="the columns that are used, where they have names")]


Header = Annotated[bool | None, Query(description="whether the first row of a text names the columns; asked for where it may or may not")]
Index = Annotated[
    bool | None, Query(description="whether the first column names the rows and is left out; asked for where it may or may not")
]


class DatasetList(BaseModel):
    """All data sets, newest first."""

    datasets: list[Dataset]


@router.post("", status_code=201, openapi_extra=UPLOAD, responses={200: {"model": Upload}})
async def upload_dataset(
    request: Request, response: Response, service: Service, caller: Caller, header: Header = None, index: Index = None
) -> Upload:
    """Keep a matrix (CSV, NPY, NPZ, Parquet or Arrow; rows are samples), as the body or as a form's file. Same numbers, same id."""
    dataset, outcome = await run_in_threadpool(_keep, service, await _content(request), caller, header, index)
    response.status_code = 201 if outcome == "created" else 200
    response.headers["Location"] = dataset.links["self"]
    return dataset


@router.get("")
def list_datasets(service: Service) -> DatasetList:
    """The data sets that are kept."""
    return DatasetList(datasets=service.store.datasets.list())


@router.get("/{dataset_id}")
def read_dataset(dataset_id: str, service: Service) -> Dataset:
    """One data set's size and standardisation."""
    dataset = service.store.datasets.get(dataset_id)
    if dataset is None:
        raise _unknown(dataset_id)
    return dataset


@router.delete("/{dataset_id}", status_code=204)
def delete_dataset(dataset_id: str, service: Service, caller: Caller) -> None:
    """Forget a data set that the caller uploaded; it stays for others who did too. Results stay; a job that still needs it fails."""
    match service.store.datasets.delete(dataset_id, caller and caller.owner):
        case "unknown":
            raise _unknown(dataset_id)
        case "foreign":
            raise Forbidden(f"data set {dataset_id} was uploaded by others, and not by you", hint="An operator's key deletes all.")
        case "left":
            log.info("data set %s: given up by %s, others keep it", dataset_id, said(caller))
        case "deleted":
            log.info("data set %s: deleted by %s", dataset_id, said(caller))


async def _content(request: Request) -> bytes:
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return await request.body()
    try:
        async with request.form(max_files=1, max_fields=10) as form:
            files = [value for value in form.values() if isinstance(value, UploadFile)]
            if not files:
                raise _bad_form("the form holds no file")
            return await files[0].read()
    except HTTPException as error:  # not a form, or one with too much in it
        raise _bad_form(error.detail) from None


def _bad_form(detail: str) -> Unprocessable:
    return Unprocessable(detail, code="invalid_dataset", field="file", hint="Send the matrix as the form's only file.")


def _keep(service: Context, content: bytes, caller: Identity | None, header: bool | None, index: bool | None) -> tuple[Upload, str]:
    try:
        table = matrix.load(content, header, index)
    except matrix.BadMatrix as error:
        hint = f"Send a matrix of finite real numbers, rows by columns, as {matrix.FORMATS}; ?header= and ?index= say what holds names."
        raise Unprocessable(str(error), code="invalid_dataset", field="file", hint=hint) from None
    dataset, outcome = service.store.datasets.add(table.values, caller and caller.who)
    if outcome == "full":
        most = service.settings.max_datasets
        raise Problem(
            f"{most} data sets are kept already",
            status=429,
            code="too_many_datasets",
            hint="Delete one of yours.",
            headers={"Retry-After": "60"},
        )
    read: dict[str, Any] = {"format": table.format, "header": table.header, "index": bool(table.index), "names": table.names}
    return Upload(**dict(dataset) | read), outcome


def _unknown(dataset_id: str) -> NotFound:
    return NotFound(f"there is no data set {dataset_id}", code="unknown_dataset", hint="Upload it again with POST /v1/datasets.")
