"""The Python client: post a problem, fetch curves as NumPy arrays."""

from typing import TYPE_CHECKING

from dlnflow.lazy import lazily

if TYPE_CHECKING:
    from dlnflow.client.arrays import Conditional, Curves, Kernels, OrderParameters
    from dlnflow.client.async_http import AsyncClient
    from dlnflow.client.async_job import AsyncJob
    from dlnflow.client.completed import as_completed, as_completed_async
    from dlnflow.client.errors import ApiError, DlnflowError, InvalidRequest, JobFailed, ServiceUnavailable, WaitTimeout
    from dlnflow.client.events import Update
    from dlnflow.client.http import Client
    from dlnflow.client.job import Job
    from dlnflow.client.results import Comparison, Result, Sweep, Theory

__all__ = [
    "ApiError",
    "AsyncClient",
    "AsyncJob",
    "Client",
    "Comparison",
    "Conditional",
    "Curves",
    "DlnflowError",
    "InvalidRequest",
    "Job",
    "JobFailed",
    "Kernels",
    "OrderParameters",
    "Result",
    "ServiceUnavailable",
    "Sweep",
    "Theory",
    "Update",
    "WaitTimeout",
    "as_completed",
    "as_completed_async",
]

_NAMES = {
    "dlnflow.client.arrays": "Conditional, Curves, Kernels, OrderParameters",
    "dlnflow.client.async_http": "AsyncClient",
    "dlnflow.client.async_job": "AsyncJob",
    "dlnflow.client.completed": "as_completed, as_completed_async",
    "dlnflow.client.errors": "ApiError, DlnflowError, InvalidRequest, JobFailed, ServiceUnavailable, WaitTimeout",
    "dlnflow.client.events": "Update",
    "dlnflow.client.http": "Client",
    "dlnflow.client.job": "Job",
    "dlnflow.client.results": "Comparison, Result, Sweep, Theory",
}
__getattr__, __dir__ = lazily(__name__, {name: home for home, names in _NAMES.items() for name in names.split(", ")})
