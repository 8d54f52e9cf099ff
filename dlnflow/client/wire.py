"""Requests without a connection: what to send next is decided here once, for the synchronous and the asynchronous client.

An operation is a generator: it yields a `Call` and is sent the response (or the error of the connection), or yields a `Pause`
and is resumed after it; it returns its result. Clients only carry these steps out.
"""

import random
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx2

from dlnflow.client.address import Address
from dlnflow.client.answers import refusal, silence

RETRIED = frozenset({408, 429, 500, 502, 503, 504})
FIRST_DELAY, LONGEST_DELAY, LONGEST_ASKED = 0.5, 8.0, 60.0  # seconds
SHORTEST = 0.05  # seconds for a request that is to end now


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


def send(call: Call, retries: int, address: Address, deadline: float | None = None) -> Flow[httpx2.Response]:
    """One request, repeated where that can help, but not after the `deadline` of time.monotonic; raises ApiError or ServiceUnavailable."""
    for attempt in range(max(retries, 0) + 1):
        answer = yield call if deadline is None else replace(call, options=call.options | {"timeout": max(_left(deadline), SHORTEST)})
        if attempt >= retries or not _passes(answer) or (deadline is not None and not _left(deadline)):
            break
        pause = _delay(attempt, None if isinstance(answer, Exception) else answer.headers)
        yield Pause(pause if deadline is None else min(pause, _left(deadline)))
    if isinstance(answer, Exception):
        raise silence(address, call, answer) from answer
    if not answer.is_success:
        raise refusal(answer, address, call.path)
    response: httpx2.Response = answer
    return response


def _passes(answer: httpx2.Response | httpx2.RequestError) -> bool:
    """Whether this is a failure that may be over the next time."""
    return isinstance(answer, httpx2.TransportError) if isinstance(answer, Exception) else answer.status_code in RETRIED


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())


def _delay(attempt: int, headers: Mapping[str, str] | None) -> float:
    """Seconds before the next attempt: what the service asks for, else a jittered doubling."""
    asked = None if headers is None else _asked(headers)
    if asked is not None:
        return min(max(asked, 0.0), LONGEST_ASKED)
    doubled: float = min(LONGEST_DELAY, FIRST_DELAY * 2**attempt)
    return doubled * random.uniform(0.75, 1.25)


def _asked(headers: Mapping[str, str]) -> float | None:
    """Seconds in Retry-After, which may be a number or a date; a date counts from that of the answer, whose clock it is of."""
    text = headers.get("Retry-After", "")
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return parsedate_to_datetime(text).timestamp() - parsedate_to_datetime(headers.get("Date", "")).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
