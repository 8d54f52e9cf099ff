"""Every error that leaves the service is a problem document (RFC 9457).

Problem
├── Unprocessable   422, names the field
├── Forbidden       403
├── NotFound        404
├── Conflict        409
├── Gone            410
└── Unavailable     503
"""

import logging
from collections.abc import Mapping
from urllib.parse import quote

import redis
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import openapi
from service.validation import describe
from store import trouble
from store.jobs import StoreFull

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: "Bad request",
    401: "Not authorised",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Wrong state",
    410: "No longer kept",
    413: "Body too large",
    415: "Unsupported media type",
    422: "Invalid request",
    429: "Too many",
    500: "Internal error",
    503: "Not available",
}
CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed"}


class Problem(Exception):
    """An error that is meant for the user: `detail` says what happened, `hint` what to try."""

    status = 500
    code = "internal"

    def __init__(
        self,
        detail: str,
        *,
        status: int | None = None,
        code: str | None = None,
        field: str | None = None,
        hint: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail, self.field, self.hint, self.headers = detail, field, hint, dict(headers or {})
        self.status = status or self.status
        self.code = code or self.code

    def response(self) -> JSONResponse:
        """The problem document."""
        content = {
            "type": "about:blank",
            "title": TITLES.get(self.status, "Error"),
            "status": self.status,
            "detail": _sayable(self.detail),
            "code": self.code,
            "field": self.field and _sayable(self.field),
            "hint": self.hint,
        }
        filled = {name: value for name, value in content.items() if value is not None}
        return JSONResponse(filled, self.status, self.headers, MEDIA_TYPE)


def _sayable(text: str) -> str:
    """What a client sent may hold halves of characters, which have no place in UTF-8."""
    return text.encode(errors="replace").decode()


class Unprocessable(Problem):
    """The request can be read but not carried out."""

    status, code = 422, "invalid_request"


class Forbidden(Problem):
    """It belongs to somebody else."""

    status, code = 403, "not_yours"


class NotFound(Problem):
    """There is nothing at this address."""

    status, code = 404, "not_found"


class Conflict(Problem):
    """The job is in the wrong state for this."""

    status, code = 409, "wrong_state"


class Gone(Problem):
    """It was here and is not kept any longer."""

    status, code = 410, "expired"


class Unavailable(Problem):
    """A part of the service is away; trying again helps."""

    status, code = 503, "unavailable"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"Retry-After": "2"})


class NothingMore(Exception):
    """There was something here and there is no more to come: 204, at which those who follow events do not ask again."""


class Unforeseen:
    """Middleware that answers for faults of ours, inside all others, so that this answer has the headers that every other has."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI interface."""
        began = False

        async def begin(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            await self._app(scope, receive, begin)
        except Exception:
            if scope["type"] != "http" or began:
                raise
            log.exception("%s %s", scope["method"], scope["path"])
            problem = Problem("the service failed in a way that it should not; its log says how")
            await problem.response()(scope, receive, send)


def install(app: FastAPI) -> None:
    """Turn every error into its problem document."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(ValidationError, _invalid)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(redis.RedisError, _store)
    app.add_exception_handler(StoreFull, _store_full)
    app.add_exception_handler(NothingMore, _nothing)


async def _problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return error.response()


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ValidationError | RequestValidationError)
    wrong = describe(error.errors())
    return Unprocessable(wrong.detail, code=wrong.code, field=wrong.field, hint=wrong.hint).response()


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    if error.status_code == 404 and (elsewhere := _without_slash(request, path)):
        return RedirectResponse(elsewhere)
    detail = {404: f"there is nothing at {request.url.path}", 405: f"{request.method} is not possible at {request.url.path}"}
    text = detail.get(error.status_code, str(error.detail))
    code = CODES.get(error.status_code, "error")
    headers = dict(error.headers or {})
    if error.status_code == 405 and (methods := openapi.allowed(request.app, path)):
        headers["Allow"] = methods
    return Problem(text, status=error.status_code, code=code, headers=headers).response()


def _without_slash(request: Request, path: str) -> str | None:
    """Where a path without the slashes at its end leads somewhere: that place. It names no host, which a proxy may have changed."""
    bare = path.rstrip("/")
    if bare == path or not (openapi.allowed(request.app, bare) or bare == "/docs"):
        return None
    query = f"?{request.url.query}" if request.url.query else ""
    return quote(request.scope.get("root_path", "") + bare) + query


async def _store(_: Request, error: Exception) -> JSONResponse:
    """What the state of the store explains passes; what it does not is a fault of ours."""
    sentence = trouble.meaning(error)
    if sentence is None:
        raise error
    return Unavailable(sentence).response()


async def _store_full(_: Request, error: Exception) -> JSONResponse:
    return Unavailable(trouble.FULL).response()


async def _nothing(_: Request, error: Exception) -> Response:
    return Response(status_code=204)
