"""Long programs that threads wait for, all of which one call from another thread ends."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Lock

from gitops.system.run import CommandError, start


class Interrupted(Exception):  # noqa: N818  # nothing went wrong: somebody said stop
    """A program did not run, or not to its end, because `stop` was called."""


class Processes:
    """Runs programs in as many threads as call it, until it is stopped."""

    def __init__(self) -> None:
        """Begin with none."""
        self._lock = Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def run(
        self,
        args: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        told: Callable[[str], None] | None = None,
    ) -> None:
        """Run a program to its end; its standard output is thrown away.

        Args:
            args: the program and its arguments.
            env: variables added to this process's own.
            cwd: where it runs.
            told: called with each line of its standard error as it comes.

        Raises:
            CommandError: its exit status was not 0; what it wrote to standard error is in it.
            Interrupted: `stop` was called.
        """
        with self._lock:
            if self._stopped:
                raise Interrupted
            process = start(args, stdout=subprocess.DEVNULL, env=env, cwd=cwd)
            self._running.add(process)
        lines: list[str] = []
        try:
            for line in process.stderr or ():
                lines.append(line.decode(errors="replace").rstrip())
                if told:
                    told(lines[-1])
            status = process.wait()
        finally:
            with self._lock:
                self._running.discard(process)
            _end(process)
            if process.stderr:
                process.stderr.close()
        if self._stopped:
            raise Interrupted
        if status:
            raise CommandError(
                [str(arg) for arg in args], f"exit status {status}", "\n".join(lines), status=status
            )

    def stop(self) -> None:
        """End every running program, gently, and run no other."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.terminate()

    def check(self) -> None:
        """Raise Interrupted when `stop` was called; for work between two programs."""
        if self._stopped:
            raise Interrupted


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
