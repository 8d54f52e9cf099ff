"""A program that the stack runs, starts again when it dies, and never leaves behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence

from store.parent import die_with_parent

FASTEST_RESTART_SECONDS, SLOWEST_RESTART_SECONDS = 0.5, 10.0
STEADY_SECONDS = 30.0


class Child:
    """One program. It gets `death_signal` when this process is killed."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        grace_seconds: float = 10.0,
        death_signal: signal.Signals = signal.SIGKILL,
        keep_open: Sequence[int] = (),
        hide: bytes = b"",
    ) -> None:
        """`hide` is a word; lines that hold it are left out of what the program prints."""
        self.name, self._hide = name, hide
        self._command, self._environment = list(command), dict(environment)
        self._grace, self._death_signal, self._keep_open = grace_seconds, death_signal, keep_open
        self._process: subprocess.Popen[bytes] | None = None
        self._started, self._pause = 0.0, FASTEST_RESTART_SECONDS

    def start(self) -> None:
        """Start the program in a session of its own, so that Ctrl-C reaches only the stack, which stops all in order."""
        parent, death_signal = os.getpid(), self._death_signal
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if self._hide else None,
            start_new_session=True,
            pass_fds=self._keep_open,
            preexec_fn=lambda: die_with_parent(parent, death_signal),
        )
        if self._hide:
            threading.Thread(target=self._pass_on, args=(self._process,), name=self.name, daemon=True).start()

    def _pass_on(self, process: subprocess.Popen[bytes]) -> None:
        """Print what the program prints, but for some lines, until it ends."""
        assert process.stdout is not None
        with process.stdout as printed:
            for line in printed:
                if self._hide not in line:
                    sys.stderr.buffer.write(line)
                    sys.stderr.flush()

    def ended(self) -> bool:
        """Whether the program does not run (any more)."""
        return self._process is None or self._process.poll() is not None

    def keep_alive(self) -> None:
        """Start the program again where it has ended, more slowly if it does so at once."""
        if self._process is None or self._process.poll() is None:
            return
        lived = time.monotonic() - self._started
        self._pause = FASTEST_RESTART_SECONDS if lived > STEADY_SECONDS else self._pause
        if lived < self._pause:
            return
        self._pause = min(2 * self._pause, SLOWEST_RESTART_SECONDS)
        print(f"dlnflow: the {self.name} ended with status {self._process.returncode}; starting it again", file=sys.stderr, flush=True)
        self.start()

    def stop(self) -> None:
        """Ask the program to stop, and kill it where it does not."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(self._grace)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
