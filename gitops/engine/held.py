"""Containers that stand still for a while, and never for longer than whoever asked for it lives.

`RUNTIME/held/CONTAINER-ID` says what was done, and why; its owner keeps it locked (flock(2)). Files are
written while nobody changes containers, under the lock of the host's engine. So whoever changes them next
sees every hold, leaves those alone whose owner lives, and ends those whose owner has died: a lock that is
free says so. After a reboot there are neither files nor containers that are paused.
"""

import contextlib
import fcntl
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Literal

from gitops.engine.connection import AwayError
from gitops.engine.observed import Observed
from gitops.system.errors import Problem, UserError
from gitops.system.locks import exclusive
from gitops.system.places import Places

if TYPE_CHECKING:
    from gitops.engine.docker import Docker

WAIT = 3600.0
"""Seconds to wait for a roll-out that is under way."""

_LAG = 5.0
"""Seconds for which the engine's list may lag behind."""

_PAUSED, _STOPPED = "paused", "exited"


@dataclass
class Standstill:
    """How long containers stood still: seconds, known when the block is left."""

    seconds: float = 0


@dataclass(frozen=True)
class _Note:
    """What a hold's file says; an empty one was cut short before anything was done.

    Args:
        container: its name.
        order: its place among those that were held together, in the order in which they start.
        state: the state that a held container is in, in the engine's words.
        why: what needs it to stand still.
    """

    container: str = ""
    order: int = 0
    state: str = ""
    why: str = ""


def engine_lock(places: Places) -> Path:
    """Give the lock of who changes what runs on the host's engine."""
    return places.runtime / "apply.lock"


@contextmanager
def hold(
    engine: "Docker",
    containers: Sequence[Observed],
    how: Literal["pause", "stop"],
    places: Places,
    why: str,
) -> Iterator[Standstill]:
    """Let containers stand still while the block runs, and go on afterwards, however it ends.

    Args:
        engine: the engine of this host.
        containers: which, in the order in which they start; they stop in the opposite one. Those of the same
            names are taken that are there when no roll-out is under way. One that does not run is left alone,
            save where it stands still for somebody who has died: it goes on when this block is left.
        how: `pause` freezes their processes, `stop` ends them.
        places: where it is noted.
        why: what needs them to stand still, for people: `backup of alice`.

    Raises:
        UserError: a roll-out does not end, somebody else holds one of them, or the engine refuses. When one
            cannot go on, the others do all the same, and whoever frees holds tries again.
    """
    still = Standstill()
    with ExitStack() as owned:
        with exclusive(engine_lock(places), "this host's engine", wait=WAIT):
            state = _PAUSED if how == "pause" else _STOPPED
            left = _left_behind({one.name for one in containers}, state, places)
            free(engine, places, but=left)
            found = _holdable(engine, containers, left, places)
            for order, one in enumerate(found):
                note = _Note(one.name, order, state, why)
                owned.enter_context(_owned(_directory(places) / one.id, note))
        began = monotonic()
        try:
            for one in reversed(found):
                if one.state != state:  # what stands still already was left so
                    (engine.pause if how == "pause" else engine.stop)(one.id)
            _until_listed(engine, found, state)
            yield still
        finally:
            _go_on(engine, found, places)
            still.seconds = monotonic() - began


def living(places: Places) -> dict[str, str]:
    """Give the containers that stand still for somebody who lives: id, and why."""
    return {path.name: _read(path).why for path in _files(places) if _has_owner(path)}


def any_held(places: Places) -> bool:
    """Tell whether any container is held, by the living or the dead; asks no engine."""
    return bool(_files(places))


def free(
    engine: "Docker",
    places: Places,
    tell: Callable[[str], object] = lambda _: None,
    *,
    but: Collection[str] = (),
) -> None:
    """Let containers go on whose holder has died; only under the engine's lock.

    Args:
        engine: the engine of this host.
        places: where holds are noted.
        tell: is given a line for each container, and for each that cannot be started any more.
        but: ids of containers that are left as they are.

    Raises:
        AwayError: no engine answers; the next time it is tried again.
    """
    left = {
        path.name: _read(path) for path in _files(places) if path.name not in but and not _has_owner(path)
    }
    there = {one.id: one for one in engine.named([note.container for note in left.values()])}
    for container, note in sorted(left.items(), key=lambda one: one[1].order):
        if container in there and there[container].state == note.state:
            tell(f"start {there[container].subject}: it stood still for a {note.why}, which has died")
            try:
                engine.start(container)
            except AwayError:
                raise
            except UserError as error:
                tell(str(error))
        (_directory(places) / container).unlink()


def _left_behind(names: Collection[str], state: str, places: Places) -> set[str]:
    """Give the ids of those containers that were brought into a state by somebody who has died."""
    return {
        path.name
        for path in _files(places)
        if (note := _read(path)).container in names and note.state == state and not _has_owner(path)
    }


def _holdable(
    engine: "Docker", containers: Sequence[Observed], left: Collection[str], places: Places
) -> list[Observed]:
    """Look at containers anew; give those that run, and those that were left standing still.

    Raises:
        UserError: somebody holds one of them.
    """
    now = {one.name: one for one in engine.named([one.name for one in containers])}
    found = [now[one.name] for one in containers if one.name in now]
    held = living(places)
    for one in found:
        if one.id in held:
            raise UserError(f"{one.subject} stands still for a {held[one.id]}", hint="try again later")
    return [one for one in found if one.id in left or one.state in {"running", "restarting"}]


def _until_listed(engine: "Docker", containers: Sequence[Observed], state: str) -> None:
    """Wait until the list says so: Docker 26's has a container running for up to 50 ms after its end."""
    names, end = [one.name for one in containers], monotonic() + _LAG
    while any(one.state != state for one in engine.named(names)) and monotonic() < end:
        sleep(0.02)


def _go_on(engine: "Docker", containers: Sequence[Observed], places: Places) -> None:
    problems: list[Problem] = []
    for one in containers:
        try:
            engine.start(one.id)
            (_directory(places) / one.id).unlink(missing_ok=True)
        except UserError as error:
            problems += error.problems
    if problems:
        raise UserError.of(problems)


@contextmanager
def _owned(path: Path, note: _Note) -> Iterator[None]:
    """Keep a file locked that says what is done to a container; only under the engine's lock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # nobody has it for longer than a look
        json.dump(asdict(note), file)
        file.flush()
        yield


def _has_owner(path: Path) -> bool:
    with contextlib.suppress(FileNotFoundError), path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _read(path: Path) -> _Note:
    with contextlib.suppress(FileNotFoundError, ValueError, TypeError):
        return _Note(**json.loads(path.read_text()))
    return _Note()


def _directory(places: Places) -> Path:
    return places.runtime / "held"


def _files(places: Places) -> list[Path]:
    try:
        return list(_directory(places).iterdir())
    except FileNotFoundError:
        return []
