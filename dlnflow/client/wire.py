"""Requests without a connection: what to send next is decided here once, for the synchronous and the asynchronous client.

An operation is a generator: it yields a `Call` and is sent the response (or the error of the connection), or yields a `Pause`
and is resumed after it; it returns its result. Clients only carry these steps out.
"""

import random
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx2

from dlnflow.client.address import Address
from dlnflow.client.answers import refusal, silence

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


def send(call: Call, retries: int, address: Address) -> Flow[httpx2.Response]:
    """One request, repeated where that can help; raises ApiError or ServiceUnavailable."""
    for attempt in range(max(retries, 0) + 1):
        answer = yield call
        last = attempt >= retries
        if isinstance(answer, Exception):
            if last or not isinstance(answer, httpx2.TransportError):
                raise silence(address, call, answer) from answer
            yield Pause(_delay(attempt, None))
            continue
        if answer.status_code not in RETRIED or last:
            break
        yield Pause(_delay(attempt, answer.headers.get("Retry-After")))
    if not answer.is_success:
        raise refusal(answer, address, call.path)
    response: httpx2.Response = answer
    return response


def _delay(attempt: int, retry_after: str | None) -> float:
    """Seconds before the next attempt: what the service asks for, else a jittered doubling."""
    if retry_after is not None and retry_after.isascii() and retry_after.isdigit():
        return min(float(retry_after), 60.0)
    doubled: float = min(LONGEST_DELAY, FIRST_DELAY * 2**attempt)
    return doubled * random.uniform(0.75, 1.25)
