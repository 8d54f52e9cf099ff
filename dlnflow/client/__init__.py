"""The Python client: post a problem, fetch curves as NumPy arrays."""

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
