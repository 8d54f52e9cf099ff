"""What came back: an answer of the service, its refusal, or that of something else at its address."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2

from dlnflow.client.address import Address
from dlnflow.client.errors import NOT_THE_SERVICE, ApiError, ServiceUnavailable

EXCERPT = 80  # letters of an answer that a message shows


def refusal(answer: httpx2.Response, address: Address, path: str) -> ApiError:
    """Why an answer that is no success is none."""
    try:
        document = answer.json()
    except ValueError:
        return foreign(answer, address, path)
    if not isinstance(document, dict) or not isinstance(document.get("code"), str):
        return foreign(answer, address, path)
    return ApiError(answer.status_code, document, f"{address}{path}")


def foreign(answer: httpx2.Response, address: Address, path: str) -> ApiError:
    """An answer that no dlnflow service would give: a redirect, a login page, another program's."""
    where, through = f"{address}{path}", f" through the proxy {address.proxy}" if address.proxy else ""
    if answer.is_redirect:
        detail = f"{where} sends on to {answer.headers.get('Location')}{through}"
    else:
        kind, excerpt = answer.headers.get("Content-Type", "no content type"), " ".join(answer.text[: 4 * EXCERPT].split())[:EXCERPT]
        detail = f"{where} does not answer as a dlnflow service does{through}: {kind}, {excerpt!r}"
    document = {
        "code": NOT_THE_SERVICE,
        "detail": detail,
        "hint": "Give the address of the service itself: DLNFLOW_URL, --url or Client(url)",
    }
    return ApiError(answer.status_code, document, where)


@contextmanager
def reading(answer: httpx2.Response, address: Address, path: str) -> Iterator[None]:
    """Whatever fails while an answer is read says that it is not what a dlnflow service answers."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        raise foreign(answer, address, path) from error


def silence(address: Address, call: Any, error: Exception) -> ServiceUnavailable:
    """No answer: the address that was tried, and what to do."""
    reason = str(error) or type(error).__name__
    advice = "Start one with `make serve`, or give the address of one: --url, Client(url) or DLNFLOW_URL."
    if address.proxy:
        reason += f", through the proxy {address.proxy}"
        advice = f"The proxy is the environment's: take http_proxy and the like out of it, or put {address.url.host} into no_proxy."
    return ServiceUnavailable(
        f"no dlnflow service answers at {address}: {reason} ({call.method} {call.path})\n"
        f"{advice}\n"
        "Without any service: `dlnflow solve` in the terminal, `dlnflow.solve` and `dlnflow.simulate` in Python."
    )
