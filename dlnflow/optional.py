"""Packages that only some results need."""

import importlib
from typing import Any


def need(module: str, extra: str) -> Any:
    """The module, or an ImportError that names the package that is missing and how to install it, or why it cannot be loaded."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = (error.name or module).partition(".")[0]
        raise ImportError(f"{missing} is needed for this: pip install 'dlnflow[{extra}]'", name=missing) from error
    except ImportError as error:
        raise ImportError(f"{module} is installed and cannot be loaded: {error}") from error
