"""The Python client: post a problem, fetch curves as NumPy arrays."""

from dlnflow.client.errors import ApiError, DlnflowError, JobFailed, ServiceUnavailable, WaitTimeout
from dlnflow.client.http import Client
from dlnflow.client.job import Job
from dlnflow.client.results import Conditional, Curves, Kernels, OrderParameters

__all__ = [
    "ApiError",
    "Client",
    "Conditional",
    "Curves",
    "DlnflowError",
    "Job",
    "JobFailed",
    "Kernels",
    "OrderParameters",
    "ServiceUnavailable",
    "WaitTimeout",
]
