"""Writes the reference of the HTTP interface from the application's own OpenAPI document, whenever the site is built."""

import os
from collections.abc import Iterator
from typing import Any

MARK = "<!-- openapi -->"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The page, with the reference in the place of the mark."""
    return markdown.replace(MARK, "\n".join(_reference(_document()))) if MARK in markdown else markdown


def _document() -> dict[str, Any]:
    from service.app import from_environment

    os.environ.setdefault("DLNFLOW_REDIS_URL", "redis://nowhere")  # is not connected to
    return from_environment().openapi()


def _reference(document: dict[str, Any]) -> Iterator[str]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield from _operation(f"{method.upper()} {path}", operation)
    yield "\n## Objects\n"
    for name, schema in sorted(document["components"]["schemas"].items()):
        yield from _schema(name, schema)


def _operation(title: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"\n### `{title}`\n\n{operation.get('description', operation.get('summary', ''))}\n"
    if parameters := operation.get("parameters"):
        yield "| parameter | where | type | meaning |\n| --- | --- | --- | --- |"
        yield from (
            f"| `{p['name']}` | {p['in']} | {_type(p['schema'])} | {_cell(p.get('description', p['schema'].get('description', '')))} |"
            for p in parameters
        )
    for media, body in operation.get("requestBody", {}).get("content", {}).items():
        yield f"\nBody ({media}): {_type(body['schema'])}\n"
    answers = (f"{status}: {_answer(answer)}" for status, answer in operation["responses"].items())
    yield f"\nAnswers: {'; '.join(answers)}.\n"


def _answer(answer: dict[str, Any]) -> str:
    schemas = [_type(content["schema"]) for content in answer.get("content", {}).values() if content.get("schema")]
    return ", ".join(schemas) or answer["description"]


def _schema(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f"\n### {name}\n\n{schema.get('description', '')}\n"
    if properties := schema.get("properties"):
        yield "| field | type | default | meaning |\n| --- | --- | --- | --- |"
        for field, found in properties.items():
            default = "required" if field in schema.get("required", []) else f"`{found.get('default')}`" if "default" in found else ""
            yield f"| `{field}` | {_type(found)} | {_cell(default)} | {_cell(found.get('description', ''))} |"


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    if several := schema.get("oneOf") or schema.get("anyOf"):
        return " or ".join(map(_type, several))
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    bounds = [f"{sign} {schema[key]:g}" for key, sign in BOUNDS.items() if key in schema]
    return " ".join([schema.get("type", "anything"), ", ".join(bounds)]).strip()


BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def _cell(text: str) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")
