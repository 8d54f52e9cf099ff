"""What is printed, whatever the terminal or the pipe can show."""

import codecs
import os
import sys

PLAIN = {"±": "+-", "δ": "delta", "σ": "sigma", "λ": "lambda", "ρ": "rho", "η": "eta", "²": "^2", "…": "...", "−": "-", "·": "*"}
PLAIN |= {"┤": "|", "└": "+", "─": "-", "━": "-", "≥": ">=", "≤": "<=", "—": "-", "\u2800": " "}


def adapt() -> None:
    """Print other letters for those that the encoding of the output has not: an ASCII locale is no reason to fail."""
    codecs.register_error("dlnflow.plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="dlnflow.plain")


def finish() -> None:
    """Write out what is left; raises OSError where that fails, BrokenPipeError where nobody reads on."""
    if sys.stdout is not None:
        sys.stdout.flush()


def forget() -> None:
    """Let the end of the program write no more to an output that takes nothing."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    return "".join(PLAIN.get(letter, "*" if "\u2800" < letter <= "\u28ff" else "?") for letter in letters), error.end
