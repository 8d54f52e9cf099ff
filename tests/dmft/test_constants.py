"""Every number a solver is tuned by stands in one file, with its unit, its meaning and where it comes from."""

import ast
import re
from pathlib import Path

import pytest

from dlnflow.dmft import constants
from dlnflow.dmft.descent import constants as of_descent

FILES = [Path(constants.__file__), Path(of_descent.__file__)]
OTHERS = {"sampling.py"}  # whose few numbers stand beside the laws that they belong to
MODULES = [path for file in FILES for path in sorted(file.parent.glob("*.py")) if path.name not in OTHERS | {"constants.py"}]


def assigned(tree: ast.Module) -> list[ast.Assign]:
    """The module's assignments of numbers."""
    return [node for node in tree.body if isinstance(node, ast.Assign) and any(is_number(part) for part in ast.walk(node.value))]


def is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


@pytest.mark.parametrize(("file", "least"), [(FILES[0], 100), (FILES[1], 50)], ids=["flow", "descent"])
def test_every_constant_says_its_unit_and_its_source(file, least):
    body = ast.parse(file.read_text()).body[1:]
    assert len(body) > least
    for assignment, note in zip(body[::2], body[1::2], strict=True):
        assert isinstance(assignment, ast.Assign)
        assert isinstance(note, ast.Expr) and isinstance(note.value, ast.Constant)
        assert re.match(r"[^.]+\. [A-Z].*Source:\s.+\.$", note.value.value, re.DOTALL), note.value.value


@pytest.mark.parametrize("module", MODULES, ids=[f"{path.parent.name}/{path.name}" for path in MODULES])
def test_other_modules_have_no_numbers_of_their_own(module):
    """But those of formats."""
    tree = ast.parse(module.read_text())
    assert {target.id for node in assigned(tree) for target in node.targets if isinstance(target, ast.Name)} <= {"FORMAT"}
