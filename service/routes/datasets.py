"""Data sets: real rows for simulations to use in place of random ones."""

import logging

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from dlnflow.jobs import matrix
from dlnflow.jobs.datasets import Dataset
from service.access import Caller as Identity
from service.access import said
from service.context import Caller, Context, Service
from service.errors import Forbidden, NotFound, Problem, Unprocessable

log = logging.getLogger(__name__)

router = APIRouter(prefix="/v1/datasets", tags=["datasets"])

FILE = {"type": "string", "format": "binary"}
UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {name: {"schema": FILE} for name in ("text/csv", "application/x-npz", "application/vnd.apache.parquet")}
        | {"multipart/form-data": {"schema": {"type": "object", "properties": {"file": FILE}, "required": ["file"]}}},
    }
}


class DatasetList(BaseModel):
    """All data sets, newest first."""

    datasets: list[Dataset]


@router.post("", status_code=201, openapi_extra=UPLOAD, responses={200: {"model": Dataset}})
async def upload_dataset(request: Request, response: Response, service: Service, caller: Caller) -> Dataset:
    """Keep a matrix (CSV, NPZ or Parquet; rows are samples, columns parameters), as the body or as a form's file. Same numbers, same id."""
    dataset, outcome = await run_in_threadpool(_keep, service, await _content(request), caller)
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


def _keep(service: Context, content: bytes, caller: Identity | None) -> tuple[Dataset, str]:
    try:
        values = matrix.read(content)
    except matrix.BadMatrix as error:
        hint = "Send a matrix of finite real numbers, rows by columns, as CSV, NPZ or Parquet."
        raise Unprocessable(str(error), code="invalid_dataset", hint=hint) from None
    dataset, outcome = service.store.datasets.add(values, caller and caller.who)
    if outcome == "full":
        most = service.settings.max_datasets
        raise Problem(
            f"{most} data sets are kept already",
            status=429,
            code="too_many_datasets",
            hint="Delete one of yours.",
            headers={"Retry-After": "60"},
        )
    return dataset, outcome


def _unknown(dataset_id: str) -> NotFound:
    return NotFound(f"there is no data set {dataset_id}", code="unknown_dataset", hint="Upload it again with POST /v1/datasets.")
