"""What throw-away instances leave behind whose owners have died: found by their notes, and removed.

A note says what may have to be removed, and is locked (flock(2)) by whoever is going to do that; where
nobody has the lock, the next agent's tick, drill or test does. Nothing in it: nothing is left. What an owner
who died has asked for may come later, so it is looked for again until a minute has passed without any.
Drills share one note, `STATE/throw-away`, because a host has one at a time; tests have each their own below
`STATE/tests`.
"""

import contextlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

from gitops.engine.attached import remove_container
from gitops.engine.docker import Docker
from gitops.engine.leftovers import Leftovers
from gitops.system.errors import UserError
from gitops.system.locks import BusyError, exclusive
from gitops.system.places import Places

WHAT = "this host's throw-away instance"
"""What the lock of a note is on, for people."""

_ON_ITS_WAY = 60.0
"""Seconds in which the engine may still make what it was asked for by somebody who has died meanwhile."""

_FORGOTTEN = 12 * 3600.0
"""Seconds after which a test is not under way any more, whoever began it."""

_PAUSE = 0.1


def drill_note(places: Places) -> Path:
    """Give the note of drills."""
    return places.state / "throw-away"


def note_of_test(fleet: str, places: Places) -> Path:
    """Give the note of one test."""
    return places.state / "tests" / fleet


def abandoned(places: Places) -> bool:
    """Tell whether there may be a throw-away instance whose owner has died; asks no engine."""
    return any(_is_abandoned(note) for note in _notes(places))


def _is_abandoned(note: Path) -> bool:
    try:
        with exclusive(note, WHAT):
            return _left(note)
    except BusyError:
        return False


def sweep(engine: Docker, places: Places, tell: Callable[[str], object] = lambda _: None) -> None:
    """Remove a throw-away instance whose owner has died; where there is none, one look at a file tells.

    Args:
        engine: the host's engine.
        places: where it is noted.
        tell: is given a line when there was something.

    Raises:
        UserError: the engine is away or refuses; the next time it is tried again.
    """
    for note in _notes(places):
        with contextlib.suppress(BusyError), exclusive(note, WHAT):
            if _left(note):
                if clear(note, engine):
                    note.touch()
                    owner = "drill" if note == drill_note(places) else "test"
                    tell(f"removed a throw-away instance, whose {owner} has died")
                elif time.time() > note.stat().st_mtime + _ON_ITS_WAY:
                    settle(note, places)


def adopt(fleet: str, host: str, places: Places, *, age: float = _FORGOTTEN) -> None:
    """Note what old tests have left whose notes are lost, as a CI job's are, so that `sweep` removes it.

    Args:
        fleet: the fleet's name.
        host: what the host of tests is called.
        places: where it is noted.
        age: seconds after which no test is under way any more.

    Raises:
        UserError: the engine is away.
    """
    with Leftovers() as leftovers:
        found = leftovers.fleets(f"{fleet}.test-", host)
    for own, seconds in found.items():
        note = note_of_test(own, places)
        if seconds > age and not note.exists():
            note.parent.mkdir(parents=True, exist_ok=True)
            write_note(note, json.dumps({"fleet": own, "host": host}))


def _notes(places: Places) -> list[Path]:
    """Give the notes that name something."""
    try:
        tests = sorted((places.state / "tests").iterdir())
    except FileNotFoundError:
        tests = []
    return [note for note in (drill_note(places), *tests) if _left(note)]


def settle(note: Path, places: Places) -> None:
    """Say in a note, for who holds its lock, that nothing is left."""
    write_note(note, "")
    if note != drill_note(places):
        note.unlink()


def _left(note: Path) -> bool:
    try:
        return note.stat().st_size > 0
    except FileNotFoundError:
        return False


def clear(note: Path, engine: Docker) -> bool:
    """Remove what a note names, for who holds its lock; tell whether there was anything.

    A container that the engine is making is listed before it can be removed.
    """
    deadline, found, pause = time.monotonic() + _ON_ITS_WAY, False, 0.0
    while _remove(note, engine):
        if time.monotonic() > deadline:
            raise UserError(
                "the engine does not let go of a throw-away instance", hint="the next tick tries again"
            )
        found = True
        time.sleep(pause)  # most is gone at the first look
        pause = _PAUSE
    return found


def _remove(note: Path, engine: Docker) -> bool:
    """Remove once what a note names; tell whether there was anything."""
    try:
        said = json.loads(note.read_text())
        fleet, host = str(said["fleet"]), str(said["host"])
    except (ValueError, KeyError, TypeError):
        return False  # empty, or cut short before anything was made
    if "." not in fleet:
        raise UserError("names something that is no throw-away instance", file=note)
    containers, networks = engine.containers(fleet, host), engine.networks(fleet, host)
    for container in containers:
        remove_container(container.id)  # and what volumes without a name its image has made it
    with Leftovers() as leftovers:
        volumes = leftovers.volumes(fleet, host)
        if networks or volumes:
            from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  # mostly there is nothing

            with ThreadPoolExecutor(1) as pool:
                going = [pool.submit(leftovers.remove_volume, volume.name) for volume in volumes]
                for network in networks:
                    engine.remove_network(network)
            for one in going:
                one.result()
    return bool(containers or networks or volumes)


def write_note(note: Path, text: str) -> None:
    """Write the note in its place, because its lock is on it, and wait until the disk has it."""
    with note.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
