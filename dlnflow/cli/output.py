"""Files to write, refused before anything is computed for them."""

import os
from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path


def writable(*endings: str) -> Callable[[str], str]:
    """A type of argparse: the path of a file with one of these `endings` in a folder that can be written to."""

    def path(text: str) -> str:
        found = Path(os.path.expanduser(text))
        if found.suffix.lower() not in endings:
            raise ArgumentTypeError(f"{text}: a file is written as {', '.join(endings[:-1])} or {endings[-1]}")
        if found.is_dir() or not found.parent.is_dir():
            raise ArgumentTypeError(f"{text}: this is a folder" if found.is_dir() else f"{text}: there is no folder {found.parent}")
        if not os.access(found if found.exists() else found.parent, os.W_OK):
            raise ArgumentTypeError(f"{text}: this cannot be written")
        return str(found)

    return path
