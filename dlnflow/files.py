"""Files written as a whole or not at all: what was there stays whole where the disk is full or the program is stopped."""

import os
import shutil
from contextlib import suppress
from pathlib import Path


def write(path: str | Path, content: bytes) -> None:
    """Put `content` into the file at `path`, which may begin with ~; raises OSError, and leaves the file then as it was."""
    file = Path(os.path.expanduser(path)).resolve()
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        if file.exists():
            shutil.copymode(file, part)
        os.replace(part, file)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
