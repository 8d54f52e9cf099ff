"""Packages that only some results need."""

import importlib
from typing import Any


def need(module: str, extra: str) -> Any:
    """The module, or an ImportError that says how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"{module.partition('.')[0]} is needed for this: pip install 'dlnflow[{extra}]'") from error
