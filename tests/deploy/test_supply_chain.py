"""The rules of the supply chain's check."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
specification = importlib.util.spec_from_file_location("supply_chain", ROOT / "deploy" / "supply_chain.py")
supply_chain = importlib.util.module_from_spec(specification)
specification.loader.exec_module(supply_chain)


@pytest.mark.parametrize("licence", ["MIT", "BSD-3-Clause AND 0BSD AND MIT", "Apache Software License; BSD License", "MPL-2.0 AND MIT"])
def test_licences_that_ask_for_credit_are_permitted(licence: str):
    assert supply_chain.permitted(licence)


@pytest.mark.parametrize("licence", ["GPL-3.0-only", "MIT AND AGPL-3.0", "UNKNOWN", "", "GNU Lesser General Public License"])
def test_others_are_findings(licence: str):
    assert not supply_chain.permitted(licence)


def test_the_image_names_the_version_of_the_package():
    namespace: dict[str, str] = {}
    exec((ROOT / "dlnflow" / "__init__.py").read_text(), namespace)
    assert f"ARG VERSION={namespace['__version__']}\n" in (ROOT / "Dockerfile").read_text()


def test_every_setting_of_the_compose_files_is_documented():
    """What docker-compose.yml reads from .env stands in .env.example, with the same default."""
    compose = (ROOT / "docker-compose.yml").read_text()
    example = dict(line.split("=", 1) for line in (ROOT / ".env.example").read_text().splitlines() if line and line[0] != "#")
    assert dict(re.findall(r"\$\{(\w+):-([^}]*)\}", compose)) == example
