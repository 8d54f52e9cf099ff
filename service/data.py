"""Requests that use a data set, held to what it has before they are stored."""

from typing import Any

from dlnflow.wire.matrix import misfit
from dlnflow.wire.requests import Request, SimulationFields, SweepRequest
from service.context import Context
from service.errors import Unprocessable
from store.datasets import Dataset


def with_data(service: Context, request: Request) -> Request:
    """The request with `dimension` set to the columns of its data set; 422 where the data set is not there or does not fit."""
    known: dict[str, Dataset] = {}
    if isinstance(request, SweepRequest):
        sweep = request.model_copy(update={"base": _filled(service, known, request.base, "base.")})
        if isinstance(sweep.base, SimulationFields) and (_data(sweep.base) or "design" in sweep.axes):
            for index in range(sweep.size):
                _check(service, known, sweep.child(index), "axes.")
        return sweep
    filled: Request = _filled(service, known, request, "")
    return filled


def _data(request: Any) -> str | None:
    design = getattr(request, "design", None)
    return design.dataset if design else None


def _filled(service: Context, known: dict[str, Dataset], request: Any, prefix: str) -> Any:
    if (wanted := _data(request)) is None:
        return request
    columns = _dataset(service, known, wanted, f"{prefix}design.id").columns
    if "dimension" not in request.model_fields_set:
        request = type(request).model_validate(request.model_dump() | {"dimension": columns})
    _check(service, known, request, prefix)
    return request


def _check(service: Context, known: dict[str, Dataset], request: Any, prefix: str) -> None:
    if (wanted := _data(request)) is None:
        return
    dataset = _dataset(service, known, wanted, f"{prefix}design.id")
    if wrong := misfit(request, dataset.rows, dataset.columns):
        field = prefix + wrong.field
        raise Unprocessable(f"{field}: {wrong.reason}", field=field, hint=wrong.hint)


def _dataset(service: Context, known: dict[str, Dataset], dataset_id: str, field: str) -> Dataset:
    if dataset_id not in known:
        found = service.store.datasets.get(dataset_id)
        if found is None:
            raise Unprocessable(f"{field}: there is no data set {dataset_id}", field=field, hint="Upload it with POST /v1/datasets.")
        known[dataset_id] = found
    return known[dataset_id]
