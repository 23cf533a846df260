"""Which jobs run: of each one at a time, with a note that outlives whoever watches over it.

`STATE/running/INSTANCE.JOB` says what was begun, and is locked (flock(2)) by the runner, which removes it at
the end. So one look into the directory tells what runs, and a note that nobody has locked is of a runner that
was killed: what it began is to be ended, and to be recorded.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from gitops.system.errors import UserError
from gitops.system.marked import started
from gitops.system.places import Places


class Note(NamedTuple):
    """What a runner has begun.

    Args:
        instance: whose job.
        job: its name.
        mark: tells its processes from all others (gitops.system.marked).
        began: when, RFC 3339 in UTC.
        runner: number of the runner's process.
        ticks: when that process began, as `gitops.system.marked.started` says it.
        grace: seconds that its processes get between TERM and KILL.
        generation: the commit whose definition it follows.
        container: where it runs, the engine's id; empty while it waits for its service, and on the host.
        command: the engine's name of the command in that container; empty where it has none.
        own: name of the container that it has for itself; empty where it has none.
        log: the file with its output, as from the host's state directory.
        tries: how often it was begun.
        notify: who is to hear of its end, as in its definition.
    """

    instance: str
    job: str
    mark: str
    began: str
    runner: int
    ticks: int
    grace: float
    generation: str = ""
    container: str = ""
    command: str = ""
    own: str = ""
    log: str = ""
    tries: int = 1
    notify: str = "failure"


class Claim:
    """The right to run a job; given back by `release`, or by the kernel when this process ends."""

    def __init__(self, path: Path, descriptor: int) -> None:
        """Take over a locked file."""
        self._path = path
        self._descriptor = descriptor
        self.left = _parse(os.pread(descriptor, 1 << 16, 0))
        """The note of a runner before that was killed; None where all is well."""

    def say(self, note: Note) -> None:
        """Note what is about to be begun. Where that cannot be written, the job is not kept from running."""
        content = json.dumps(note._asdict()).encode()
        with suppress(OSError):
            os.pwrite(self._descriptor, content, 0)
            os.ftruncate(self._descriptor, len(content))

    def give_up(self) -> None:
        """Leave everything as it was found, the note of a runner before too."""
        os.close(self._descriptor)

    def release(self) -> None:
        """Let the next one run: nothing is left of this one."""
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)


def claim(places: Places, instance: str, job: str) -> Claim | None:
    """Claim the right to run a job; None while another has it.

    Raises:
        UserError: the place for the note cannot be written.
    """
    path = _directory(places) / f"{instance}.{job}"
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise UserError(f"cannot be written: {error.strerror}", file=path) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with suppress(FileNotFoundError):
                if os.path.samestat(path.stat(), os.fstat(descriptor)):
                    return Claim(path, descriptor)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # whoever had it has removed it since it was opened


def notes(places: Places) -> list[tuple[Note, bool]]:
    """Give what was begun and has not ended, in the order of names, and whether its runner lives."""
    found = []
    for path in _files(places):
        with suppress(FileNotFoundError):
            note = _parse(path.read_bytes())
            if note:
                found.append((note, _lives(note)))
    return found


def note_of(places: Places, instance: str, job: str) -> Note | None:
    """Give what a living runner has noted of a job; None where none runs."""
    living = (note for note, lives in notes(places) if lives)
    return next((note for note in living if (note.instance, note.job) == (instance, job)), None)


def any_left(places: Places) -> bool:
    """Tell whether something was left by a runner that was killed; asks no engine."""
    return not all(lives for _, lives in notes(places))


def _lives(note: Note) -> bool:
    return started(note.runner) == note.ticks != 0


def _parse(content: bytes) -> Note | None:
    try:
        return Note(**json.loads(content))
    except (ValueError, TypeError):
        return None  # empty, or cut short before anything was begun


def _files(places: Places) -> Iterator[Path]:
    with suppress(FileNotFoundError):
        yield from sorted(_directory(places).iterdir())


def _directory(places: Places) -> Path:
    return places.state / "running"
