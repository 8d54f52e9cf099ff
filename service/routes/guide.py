"""The guide at `/guide`: the documents of this project as pages that are made here, so that they are read without any other host."""

import re
from functools import cache
from html import escape
from itertools import pairwise
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from markdown_it import MarkdownIt

from service.errors import NotFound

FOLDER = Path(__file__).parents[2] / "docs"
FIRST = "index.md"
SHOWN = (".md", ".png")
HELP = re.compile(r"^::: (\S+)$", re.MULTILINE)  # where the site puts what a docstring says

router = APIRouter(include_in_schema=False)


@router.get("/guide")
def first(request: Request) -> Response:
    """The first document, at its own address, which the links of documents are relative to."""
    return RedirectResponse(f"{request.scope.get('root_path', '')}/guide/{FIRST}")


@router.get("/guide/{path:path}")
def document(path: str, request: Request) -> Response:
    """One document, or a figure of one."""
    file = (FOLDER / path).resolve()
    if not (file.is_relative_to(FOLDER) and file.suffix in SHOWN and file.is_file()):
        raise NotFound(f"there is no document {path}", hint=f"The first is /guide/{FIRST}.")
    if file.suffix != ".md":
        return FileResponse(file)
    return HTMLResponse(_page(file, request.scope.get("root_path", "")))


def _page(file: Path, root: str) -> str:
    """A document as a page; its text is read anew, so that it is that of the file."""
    tokens = _markdown().parse(HELP.sub(r"- `help(\1)` in Python", file.read_text()))
    titles = []
    for heading, inline in pairwise(tokens):
        if heading.type == "heading_open":
            heading.attrSet("id", re.sub(r"[^\w]+", "-", inline.content.lower()).strip("-"))
            titles.append(inline.content)
    body = _markdown().renderer.render(tokens, _markdown().options, {})
    return PAGE.format(title=escape(titles[0]), root=escape(root), body=body)


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark").enable("table")


PAGE = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>{title} · dlnflow</title>
    <link rel="icon" href="{root}/page/icon.svg" />
    <link rel="stylesheet" href="{root}/page/style.css" />
  </head>
  <body class="guide">
    <nav aria-label="Views">
      <a href="{root}/">Explore</a> <a href="{root}/#form">All settings, sweeps, jobs</a> <a href="{root}/guide/index.md">Guide</a>
      <a href="{root}/guide/tutorial.md">Tutorial</a> <a href="{root}/docs">HTTP interface</a>
    </nav>
    <main>
{body}
    </main>
  </body>
</html>
"""
