"""The OpenAPI document. The body of a submission is read by hand, so its schema is put in here."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from dlnflow.jobs.requests import request_adapter

_schema = request_adapter.json_schema(ref_template="#/components/schemas/{model}")
_models: dict[str, Any] = _schema.pop("$defs")

REQUEST_BODY: dict[str, Any] = {"requestBody": {"required": True, "content": {"application/json": {"schema": _schema}}}}


def install(app: FastAPI) -> None:
    """Describe `app`, once it is asked for."""

    def document() -> dict[str, Any]:
        if not app.openapi_schema:
            schema = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
            schema["components"]["schemas"] |= _models
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]
