"""Reads the request for a job from a body: JSON in UTF-8, in which no object has a key twice."""

import codecs
import json
from typing import Any

from dlnflow.wire.requests import Request, request_adapter
from service.errors import Unprocessable


def read_request(body: bytes) -> Request:
    """The request; raises pydantic's ValidationError, or Unprocessable where a key stands twice."""
    body = body.removeprefix(codecs.BOM_UTF8)
    _require_single_keys(body)
    return request_adapter.validate_json(body, strict=True)


class _Object(list[tuple[str, Any]]):
    """The members of a JSON object, in order."""


def _require_single_keys(body: bytes) -> None:
    """Of two values for one key nobody knows which is meant."""
    try:
        twice = _repeated(json.loads(body, object_pairs_hook=_Object), "")
    except (ValueError, RecursionError):  # what is wrong with it is said by the reader of requests
        return
    if twice:
        raise Unprocessable(f"{twice}: this key stands twice in one object", field=twice, hint="Leave one of the two out.")


def _repeated(node: Any, path: str) -> str | None:
    """The dotted path of the first key that an object has twice."""
    if not isinstance(node, list):
        return None
    seen = set()
    for name, child in node if isinstance(node, _Object) else enumerate(node):
        if name in seen:
            return f"{path}{name}"
        seen.add(name)
        if below := _repeated(child, f"{path}{name}."):
            return below
    return None
