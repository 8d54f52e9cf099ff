"""The guide that the service shows: every document, its figures and links, nothing from other hosts, and nothing else of the folder."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import pytest

from tests.service.test_app import open_client, pings

__all__ = ["open_client", "pings"]

DOCS = Path(__file__).parents[2] / "docs"
DOCUMENTS = sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md"))


class Addresses(HTMLParser):
    """What a page leads to and what it loads, and the names within it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links, self.loads, self.names = list[str](), list[str](), set[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        (self.links if tag == "a" else self.loads).extend(value for name, value in found.items() if name in ("href", "src") and value)
        self.names |= {found["id"]} if found.get("id") else set()


def test_every_document_is_shown_and_every_link_leads_somewhere(store, open_client):
    http = open_client(store)
    assert http.get("/guide", follow_redirects=True).status_code == 200
    pages = {f"/guide/{name}": Addresses(http.get(f"/guide/{name}").text) for name in DOCUMENTS}
    for address, page in pages.items():
        for path in page.loads:
            assert http.get(urljoin(address, path)).status_code == 200, (address, path)
        for link in page.links:
            target, _, name = urljoin(address, link).partition("#")
            if not target.startswith("https://"):
                assert http.get(target).status_code == 200, (address, link)
            assert not name or target not in pages or name in pages[target].names, (address, link)


def test_a_document_is_its_text(store, open_client):
    text = open_client(store).get("/guide/notation.md").text
    assert "<h1" in text and "<table>" in text and "E|w|" in text
    assert ":::" not in open_client(store).get("/guide/reference/python.md").text


@pytest.mark.parametrize("path", ["hooks/openapi.py", "../README.md", "..%2fREADME.md", "nothing.md", "", "howto"])
def test_nothing_else_is_shown(store, open_client, path):
    answer = open_client(store).get(f"/guide/{path}", follow_redirects=False)
    assert answer.status_code in (404, 307), answer.text
    assert re.search("/guide", answer.headers.get("location", "/guide"))
