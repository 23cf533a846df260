"""The one way to run a program: an argument list, never a shell; logged; with an error that can be read."""

import logging
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn

from gitops.system.errors import UserError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """What a program left behind: its exit status and what it wrote, decoded as UTF-8."""

    status: int
    stdout: str
    stderr: str


class CommandError(UserError):
    """A program ended with a status other than 0, took too long, or is not installed."""

    def __init__(self, args: Sequence[str], reason: str, stderr: str = "", *, status: int = -1) -> None:
        """Say which command failed and how; its last lines of standard error are the hint."""
        self.status = status
        self.stderr = stderr
        tail = "\n  ".join(stderr.strip().splitlines()[-12:])
        super().__init__(f"{shlex.join(args)}: {reason}", hint=tail)


def run(
    args: Sequence[str | Path],
    *,
    stdin: bytes | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    check: bool = True,
    timeout: float | None = None,
) -> Result:
    """Run a program to its end and collect what it writes.

    Args:
        args: the program and its arguments; found on PATH.
        stdin: what it reads; nothing (not the terminal) when None.
        env: variables added to this process's own; messages are always in English, in UTF-8.
        cwd: where it runs.
        check: raise when its exit status is not 0.
        timeout: seconds it may take, after which it is killed.

    Raises:
        CommandError: it failed (where check), took too long, or does not exist.
    """
    words = [str(arg) for arg in args]
    log.debug("run %s", shlex.join(words))
    try:
        done = subprocess.run(
            words,
            input=b"" if stdin is None else stdin,
            capture_output=True,
            env=_environment(env),
            cwd=cwd,
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError as error:
        raise CommandError(words, f"{error.filename} does not exist or is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise CommandError(words, f"took longer than {timeout:g} s", _text(error.stderr)) from error
    result = Result(done.returncode, _text(done.stdout), _text(done.stderr))
    if check and result.status != 0:
        raise CommandError(words, f"exit status {result.status}", result.stderr, status=result.status)
    return result


def start(
    args: Sequence[str | Path],
    *,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    stdout: int | IO[bytes] = subprocess.PIPE,
    stderr: int | IO[bytes] = subprocess.PIPE,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    inherited: Sequence[int] = (),
    session: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a program whose input or output is streamed; the caller waits for it. Arguments as for `run`.

    Standard error is a pipe, if nothing else is said, so that a failure can be told. `inherited` are
    descriptors that the program gets besides its first three. With `session` the program is not reached by
    what the terminal sends to this one, Ctrl-C say.
    """
    words = [str(arg) for arg in args]
    log.debug("start %s", shlex.join(words))
    try:
        return subprocess.Popen(
            words,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=_environment(env),
            cwd=cwd,
            pass_fds=inherited,
            start_new_session=session,
        )
    except FileNotFoundError as error:
        raise CommandError(words, f"{error.filename} does not exist or is not installed") from error


def attend(args: Sequence[str | Path]) -> None:
    """Run a program that talks with the user on the terminal, an editor for example, to its end.

    Raises:
        CommandError: its exit status was not 0, or it does not exist.
    """
    words = [str(arg) for arg in args]
    log.debug("attend %s", shlex.join(words))
    try:
        status = subprocess.run(words, check=False).returncode
    except FileNotFoundError as error:
        raise CommandError(words, f"{error.filename} does not exist or is not installed") from error
    if status != 0:
        raise CommandError(words, f"exit status {status}", status=status)


def become(args: Sequence[str | Path]) -> NoReturn:
    """Go on as a program, which gets this one's input, output, terminal and end.

    Raises:
        CommandError: it does not exist.
    """
    words = [str(arg) for arg in args]
    log.debug("become %s", shlex.join(words))
    sys.stdout.flush()
    try:
        os.execvp(words[0], words)  # noqa: S606  # an argument list, never a shell
    except FileNotFoundError as error:
        raise CommandError(words[:1], f"{words[0]} does not exist or is not installed") from error


def _environment(added: Mapping[str, str] | None) -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C.UTF-8", "LANGUAGE": "", **(added or {})}


def _text(data: bytes | None) -> str:
    return (data or b"").decode("utf-8", errors="replace")
