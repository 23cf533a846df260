"""Database clients, run inside the container; passwords stay off command lines and out of `inspect`."""

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gitops.backup.login import Login
from gitops.engine.docker import Docker
from gitops.engine.exec import ExecStream
from gitops.system.errors import UserError

WHOLE = "-- the whole script"
"""Last line of what is given to `run_whole`; a comment in SQL."""

_PREPARE = r"""
tools=$1 variable=$2 file=$3; shift 3
if [ -n "$file" ]; then password=$(cat -- "$file") || exit 1; export "$variable=$password"; fi
for tool in $tools; do command -v "$tool" >/dev/null && break; done
"""

_RUN = f'{_PREPARE} exec "$tool" "$@"'

_RUN_WHOLE = f"""{_PREPARE}
script=$(cat)
case $script in
*"{WHOLE}") printf '%s\\n' "$script" | "$tool" "$@" ;;
*) echo 'only a part of the script arrived' >&2; exit 1 ;;
esac
"""

# Its input is nothing but a line to us: when that is cut, however we ended, the tool and its own are ended.
# Every process is waited for: orphans go to the container's first process, and where that is PostgreSQL, it
# takes the end of one by a signal for the crash of a server process, and throws everybody out.
_RUN_TIED = rf"""{_PREPARE}
exec 3<&0
setsid "$tool" "$@" </dev/null 3<&- & running=$!
{{ read -r _ <&3; kill -- "-$running"; }} >/dev/null 2>&1 & watching=$!
exec 3<&-
wait "$running"; status=$?
kill "$watching" 2>/dev/null
wait "$watching"
exit "$status"
"""


@dataclass(frozen=True)
class Client:
    """Who runs a kind's tools, where, and as whom they connect.

    Where `tools` are asked for, they are names of one tool, apart by spaces: the first that the container has
    is taken.

    Args:
        engine: the engine of this host.
        container: id or name.
        user: the container's user that they run as; None: the one that its own processes do.
        variable: the environment variable from which they take a password.
        login: who connects; only the password is passed on here.
    """

    engine: Docker
    container: str
    user: str | None
    variable: str
    login: Login

    def run(self, tools: str, *args: str, stdin: Iterable[bytes] | None = None) -> bytes:
        """Run a tool to its good end and give its output. It goes on to its end also when we do not.

        Raises:
            UserError: it ended badly; the hint is what it said.
        """
        return self._collect(_RUN, tools, args, stdin)

    def run_whole(self, tools: str, *args: str, script: Iterable[bytes]) -> bytes:
        """Run a tool on a script, as `run` does, once the script has arrived up to its last line, `WHOLE`."""
        return self._collect(_RUN_WHOLE, tools, args, script)

    def stream(self, tools: str, *args: str, timeout: float | None = None) -> Generator[bytes, None, str]:
        """Give a tool's output as it comes. The tool ends when the iteration is given up, or gitops dies.

        Args:
            tools: as above.
            args: its arguments.
            timeout: seconds until it counts as failed.

        Returns:
            The end of what it wrote to standard error.

        Raises:
            UserError: it ended badly, or the time is up.
        """
        over = threading.Event()
        try:
            with self._start(_RUN_TIED, tools, args, _then_wait(b"", over), timeout) as stream:
                yield from stream
                self._finish(stream, tools)
                return stream.stderr.decode(errors="replace")
        except TimeoutError as error:
            raise UserError(
                f"{tools.split(maxsplit=1)[0]} in {self.container} took longer than {timeout} s"
            ) from error
        finally:
            over.set()

    @contextmanager
    def session(self, tools: str, *args: str, begin: bytes) -> Iterator["Session"]:
        """Run a tool that reads `begin` and then waits for more, until the session is finished.

        Its input ends when the block is left, or gitops dies.
        """
        over = threading.Event()
        with self._start(_RUN, tools, args, _then_wait(begin, over)) as stream:
            try:
                yield Session(stream, over, lambda: self._finish(stream, tools))
            finally:
                over.set()

    def _collect(self, script: str, tools: str, args: Iterable[str], stdin: Iterable[bytes] | None) -> bytes:
        with self._start(script, tools, args, stdin) as stream:
            output = b"".join(stream)
            self._finish(stream, tools)
        return output

    def _start(
        self,
        script: str,
        tools: str,
        args: Iterable[str],
        stdin: Iterable[bytes] | None,
        timeout: float | None = None,
    ) -> ExecStream:
        command = ["sh", "-c", script, "sh", tools, self.variable, self.login.password_file or "", *args]
        return self.engine.exec(self.container, command, user=self.user, stdin=stdin, timeout=timeout)

    def _finish(self, stream: ExecStream, tools: str) -> None:
        status = stream.wait()
        if status:
            raise UserError(
                f"{tools.split(maxsplit=1)[0]} in {self.container} ended with exit status {status}",
                hint=stream.stderr.decode(errors="replace").strip(),
            )


def at_work(engine: Docker, container: str, *, to_come: bool = False) -> bool:
    """Tell whether a tool that some client began, of this process or one that has died, still runs there.

    With `to_come`, or is about to run.
    """
    commands = engine.commands(container, to_come=to_come)
    return any(_PREPARE in word for command in commands for word in command)


class Session:
    """A tool that has read what it was given and keeps its connection to the server."""

    def __init__(self, stream: ExecStream, over: threading.Event, finish: Callable[[], None]) -> None:
        """Take over a tool that runs: `over` ends its input, `finish` raises unless it ended well."""
        self._stream = stream
        self._over = over
        self._finish = finish
        self._unread = b""

    def first_line(self) -> str:
        """Wait for the first line of its output.

        Raises:
            UserError: it ended without one.
        """
        for chunk in self._stream:
            self._unread += chunk
            line, newline, rest = self._unread.partition(b"\n")
            if newline:
                self._unread = rest
                return line.decode()
        self.rest()
        raise UserError("a database's client ended without an answer")

    def rest(self) -> list[str]:
        """End its input, and give the remaining lines of its output.

        Raises:
            UserError: it ended badly.
        """
        self._over.set()
        output = self._unread + b"".join(self._stream)
        self._finish()
        return output.decode().splitlines()


def _then_wait(begin: bytes, over: threading.Event) -> Iterator[bytes]:
    yield begin
    over.wait()
