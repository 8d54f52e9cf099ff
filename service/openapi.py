"""The OpenAPI document: what FastAPI sees, and what it cannot see: bodies that are read by hand, formats of results, problem documents."""

import json
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi

from dlnflow.wire.fields import models
from dlnflow.wire.requests import request_adapter
from service import formats

_schema = request_adapter.json_schema(ref_template="#/components/schemas/{model}")
_models: dict[str, Any] = _schema.pop("$defs")


def _say_default(field: dict[str, Any]) -> None:
    """Put it into words, for makers of clients."""
    default = field.pop("default", None)
    if default is not None:
        said = default.get("kind") if isinstance(default, dict) else json.dumps(default)
        field["description"] = f"{field['description']}; {said} where left out"


for _model in models():
    for _name, _info in _model.model_fields.items():
        _field = _models[_model.__name__]["properties"][_name]
        # they stumble over objects, and take what may be null, or has a default, for what is always there
        if isinstance(_field.get("default"), dict | None) or _info.exclude_if:
            _say_default(_field)

EXAMPLE = {
    "kind": "dmft",
    "problem": {
        "aspect_ratio": 0.5,
        "target": {"kind": "bernoulli_gauss", "density": 0.1, "std": 1.0},
        "noise_std": 0.1,
        "initial_scale": 0.3,
        "weight_decay": 0.0,
    },
    "horizon": 32.0,
    "accuracy": 0.01,
    "seed": 0,
}
REQUEST_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": _schema, "example": EXAMPLE}}},
}
PROBLEM: dict[str, Any] = {
    "title": "ProblemDocument",
    "description": "An error (RFC 9457): `detail` says what happened, `hint` what to try, `code` is for programs, `field` a dotted path.",
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "field": {"type": "string"},
        "hint": {"type": "string"},
    },
    "required": ["type", "title", "status", "detail", "code"],
}
PROBLEMS = {
    400: ("the body is not what its media type says", "bad_request"),
    401: ("missing or wrong key", "unauthorized"),
    403: ("it belongs to others", "not_yours"),
    404: ("there is nothing with this id", "unknown_job"),
    406: ("none of the formats that are accepted", "not_acceptable"),
    409: ("the job is in the wrong state for this", "not_finished"),
    410: ("what was here is no longer kept", "expired"),
    413: ("the body is too large", "body_too_large"),
    415: ("the body has another media type", "unsupported_media_type"),
    422: ("the request cannot be carried out; `field` says where and `hint` what to try", "invalid_request"),
    429: ("too many jobs or requests; `Retry-After` says when to come back", "too_many_requests"),
    503: ("the store or the workers are away, or the store is full", "unavailable"),
}
SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "a key made by `python -m service keys create NAME`"},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "the same key"},
}
MEDIA: dict[str, dict[str, Any]] = {
    "csv": {"text/csv": {"schema": {"type": "string"}}},
    "npz": {"application/x-npz": {"schema": {"type": "string", "format": "binary"}}},
    "parquet": {"application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}}},
    "svg": {"image/svg+xml": {"schema": {"type": "string"}}},
    "png": {"image/png": {"schema": {"type": "string", "format": "binary"}}},
    "prometheus": {"text/plain": {"schema": {"type": "string"}}},
}
FORMATS = {part: tuple(format.name for format in offered) for part, offered in formats.FORMATS.items()} | {
    "plot.svg": ("svg",),
    "plot.png": ("png",),
    "metrics": ("prometheus",),
}


def install(app: FastAPI, *, keys: bool) -> None:
    """Describe `app`, once it is asked for; `keys` says whether they are needed here."""

    def document() -> dict[str, Any]:
        if not app.openapi_schema:
            schema = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
            schema["components"]["schemas"] |= _models | {"ProblemDocument": PROBLEM}
            schema["components"]["schemas"].pop("HTTPValidationError", None)
            schema["components"]["schemas"].pop("ValidationError", None)
            for name in ("Job", "SubmittedJob"):
                schema["components"]["schemas"][name]["properties"]["request"] = _schema
            if keys:
                schema["components"]["securitySchemes"] = SECURITY
            for path, operations in schema["paths"].items():
                for method, operation in operations.items():
                    _complete(path, method, operation, keys)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


async def require_known_parameters(request: Request) -> None:
    """A dependency of routes: 422 where the query has a name that means nothing here, or one twice."""
    from service.errors import Unprocessable  # which needs `allowed`

    operation = request.app.openapi()["paths"][request.scope["route"].path][request.method.lower()]
    known = [parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "query"]
    names = [name for name, _ in request.query_params.multi_items()]
    for name in names:
        if name not in known and (name, request.query_params[name]) != ("format", "json"):  # which every result has
            hint = f"There are {', '.join(known)}." if known else "This address takes none."
            raise Unprocessable(f"{name}: there is no such parameter here", field=name, hint=hint)
        if names.count(name) > 1:
            raise Unprocessable(f"{name}: this parameter stands twice", field=name, hint="Leave one of the two out.")


def allowed(app: FastAPI, path: str) -> str:
    """The methods that are possible at an address, for the header Allow."""
    paths = app.openapi()["paths"].items()
    found = {method.upper() for template, operations in paths if _fits(template, path) for method in operations}
    return ", ".join(sorted(found | ({"HEAD"} if "GET" in found else set())))


def _fits(template: str, path: str) -> bool:
    wanted, given = template.split("/"), path.split("/")
    return len(wanted) == len(given) and all(a == b or a.startswith("{") for a, b in zip(wanted, given, strict=True))


def _complete(path: str, method: str, operation: dict[str, Any], keys: bool) -> None:
    """Put in the formats and the problems of one operation."""
    if keys and path.startswith("/v1"):
        operation["security"] = [{name: []} for name in SECURITY]
    responses, part = operation["responses"], path.rpartition("/")[2]
    if part in FORMATS:
        described = responses["200"].get("content", {}) if "json" in FORMATS[part] else {}
        others = {name: media for format in FORMATS[part] if format != "json" for name, media in MEDIA[format].items()}
        responses["200"]["content"] = described | others
        if part != "metrics":
            responses["304"] = {"description": "the client has it already"}
    for status in _problems(path, method, operation):
        detail, code = PROBLEMS[status]
        example = {"type": "about:blank", "title": detail, "status": status, "detail": detail, "code": code}
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}, "example": example}}
        responses[str(status)] = {"description": detail, "content": content}


def _problems(path: str, method: str, operation: dict[str, Any]) -> Iterator[int]:
    if path == "/healthz":
        return
    yield 503
    if not path.startswith("/v1"):
        return
    yield from (401, 429)
    if operation.get("parameters") or "requestBody" in operation:
        yield 422
    if "requestBody" in operation:
        yield from (413, 415)
        if "multipart/form-data" in operation["requestBody"]["content"]:
            yield 400
    if "{" in path:
        yield from (403, 404, 410) if method == "delete" else (404, 410)
        if method == "delete" or path.count("/") > 3:
            yield from (406, 409)
