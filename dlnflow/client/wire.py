"""Requests without a connection: what to send next is decided here once, for the synchronous and the asynchronous client.

An operation is a generator: it yields a `Call` and is sent the response (or the error of the connection), or yields a `Pause`
and is resumed after it; it returns its result. Clients only carry these steps out.
"""

import random
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx2

from dlnflow.client.errors import ApiError, ServiceUnavailable

RETRIED = frozenset({408, 429, 500, 502, 503, 504})
FIRST_DELAY, LONGEST_DELAY = 0.5, 8.0


@dataclass(frozen=True)
class Call:
    """One HTTP request; `options` are those of httpx2's `request`."""

    method: str
    path: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Pause:
    """Do nothing for so many seconds."""

    seconds: float


T = TypeVar("T")
Flow = Generator[Call | Pause, Any, T]


def send(call: Call, retries: int) -> Flow[httpx2.Response]:
    """One request, repeated where that can help; raises ApiError or ServiceUnavailable."""
    for attempt in range(retries + 1):
        answer = yield call
        last = attempt == retries
        if isinstance(answer, httpx2.TransportError):
            if last:
                raise ServiceUnavailable(f"{call.method} {call.path}: {answer}; is the service running at DLNFLOW_URL?") from answer
            yield Pause(_delay(attempt, None))
            continue
        if answer.status_code not in RETRIED or last:
            break
        yield Pause(_delay(attempt, answer.headers.get("Retry-After")))
    if answer.is_error:
        raise ApiError(answer.status_code, problem_document(answer))
    response: httpx2.Response = answer
    return response


def problem_document(answer: httpx2.Response) -> dict[str, Any]:
    """The problem document of a refusal, whatever it was that answered."""
    try:
        document = answer.json()
    except ValueError:
        return {"detail": answer.text[:200]}
    return document if isinstance(document, dict) else {"detail": str(document)[:200]}


def _delay(attempt: int, retry_after: str | None) -> float:
    """Seconds before the next attempt: what the service asks for, else a jittered doubling."""
    if retry_after is not None and retry_after.isdigit():
        return min(float(retry_after), 60.0)
    doubled: float = min(LONGEST_DELAY, FIRST_DELAY * 2**attempt)
    return doubled * random.uniform(0.75, 1.25)
