"""Every code block of the documents runs, against a real stack."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.e2e.stack import Stack

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PARSERS = {"json": json.loads, "toml": tomllib.loads}
ELSEWHERE = {"nginx"}  # run by tests/e2e/test_proxy.py
SECONDS = 120


def blocks(page: Path, language: str) -> list[str]:
    return [body for found, body in FENCE.findall(page.read_text()) if found == language]


def commands(block: str) -> list[str]:
    """What stands after `$ `, with the lines that a quote or a backslash leaves open; the rest is output."""
    found: list[str] = []
    opened = False
    for line in block.splitlines():
        if opened:
            found[-1] += "\n" + line
        elif line.startswith("$ "):
            found.append(line[2:])
        else:
            continue
        opened = unfinished(found[-1])
    return found


def unfinished(command: str) -> bool:
    try:
        shlex.split(command)
    except ValueError:
        return True
    return command.endswith("\\")


def named(pages: list[Path]) -> list:
    return [pytest.param(page, id=str(page.relative_to(ROOT))) for page in pages]


def run(command: list[str], stack: Stack, folder: Path) -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {
        "DLNFLOW_URL": str(stack.client.base_url),
        "DLNFLOW_DATA": str(stack.data),
        "MPLBACKEND": "Agg",
        "PATH": path,
    }
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", named([page for page in PAGES if blocks(page, "python")]))
def test_python(page: Path, stack: Stack, tmp_path: Path):
    """The blocks of a page run one after the other, as a reader would."""
    script = tmp_path / "page.py"
    script.write_text("\n".join(blocks(page, "python")).replace("http://127.0.0.1:8000", str(stack.client.base_url).rstrip("/")))
    run([sys.executable, "-W", "error", str(script)], stack, tmp_path)


@pytest.mark.parametrize("page", named([page for page in PAGES if blocks(page, "console")]))
def test_console(page: Path, stack: Stack, tmp_path: Path):
    lines = [command for block in blocks(page, "console") for command in commands(block)]
    script = "\n".join(["set -euo pipefail", *lines]).replace("localhost:8000", f"127.0.0.1:{stack.port}")
    run(["bash", "-c", script], stack, tmp_path)


def test_no_block_is_of_a_kind_that_nothing_checks():
    for page in PAGES:
        for language, body in FENCE.findall(page.read_text()):
            assert language in {"python", "console", *PARSERS, *ELSEWHERE}, f"{page}: {body[:60]}"
            PARSERS.get(language, str)(body)


@pytest.mark.parametrize("page", named([*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]))
def test_links_to_files_lead_somewhere(page: Path):
    """As the repository is read; the links of the site are checked when it is built."""
    for target in re.findall(r"\]\(([^)#\s]+)", FENCE.sub("", page.read_text())):
        assert re.match(r"\w+:", target) or (page.parent / target).exists(), target
