"""A throw-away instance: a copy of one that runs, gone when whoever asked for it is done with it, or dead.

`STATE/throw-away` says what may have to be removed, and is locked (flock(2)) by whoever is going to do that;
where nobody has the lock, the next agent's tick or the next drill does. Nothing in it: nothing is left. What
an owner who died has asked for may come later, so ticks look again until a minute has passed without any.
"""

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gitops.agent.duplicate import SUFFIX, Copy
from gitops.engine.docker import Docker
from gitops.engine.leftovers import Leftovers
from gitops.engine.specification import ContainerSpec
from gitops.system.errors import UserError
from gitops.system.locks import BusyError, exclusive
from gitops.system.places import Places

WAIT = 12 * 3600.0
"""Seconds to wait for others that have a throw-away instance; a host has one at a time."""

_ON_ITS_WAY = 60.0
"""Seconds in which the engine may still make what it was asked for by somebody who has died meanwhile."""

_PAUSE = 0.1


@dataclass(frozen=True)
class Throwaway:
    """A throw-away instance that is being used. Methods raise UserError."""

    copy: Copy
    engine: Docker

    def container(self, service: str) -> str:
        """Give the name of a service's container."""
        return next(one.name for one in self.copy.containers if one.service == service)

    def directory(self, volume: str) -> Path | None:
        """Give the directory on this machine of a volume, as the app calls it; None where it has no such."""
        found = [one.name for one in self.copy.volumes if one.volume == volume]
        return self.engine.volume_path(found[0]) if found else None

    def start(self, services: Iterable[str]) -> None:
        """Make and start services that have not been, each after what it depends on, which starts too."""
        wanted = self.with_dependencies(services)
        there = {one.name for one in self.engine.containers(self.copy.fleet, self.copy.host)}
        for spec in self.copy.containers:
            if spec.service in wanted and spec.name not in there:
                self._start(spec)

    def prove(self, services: Iterable[str]) -> None:
        """Wait until services have proved that they work; raise when one does not."""
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  # an agent that only sweeps needs it not

        wanted = set(services)
        specs = [spec for spec in self.copy.containers if spec.service in wanted]
        with ThreadPoolExecutor(max(1, len(specs))) as pool:
            list(pool.map(self._prove, specs))

    def restart(self, services: Iterable[str]) -> None:
        """Stop services, and start them again."""
        wanted = set(services)
        own = [spec.name for spec in self.copy.containers if spec.service in wanted]
        for name in reversed(own):
            self.engine.stop(name)
        for name in own:
            self.engine.start(name)

    def has_health(self, service: str) -> bool:
        """Tell whether a service has a healthcheck, its own or its image's."""
        return any(one.has_health for one in self.copy.containers if one.service == service)

    def refuse_dead(self, service: str) -> None:
        """Raise when a service has ended."""
        state, said = self.engine.health(self.container(service))
        if state.startswith(("exited", "dead")):
            raise UserError(f"{service} is {state}", hint=said)

    def _prove(self, spec: ContainerSpec) -> None:
        from gitops.agent.waiting import patience  # noqa: PLC0415  # see above

        verdict = self.engine.prove(spec.name, self.copy.wait, patience(spec))
        ended = spec.service in self.copy.lasting and self.engine.health(spec.name)[0] == "exited (0)"
        if ended or not verdict.well:
            state = "exited (0)" if ended else verdict.state
            raise UserError(f"{spec.service} is {state}", hint=verdict.said)

    def _start(self, spec: ContainerSpec) -> None:
        from gitops.agent.waiting import wait_for  # noqa: PLC0415  # see above

        if spec.secrets and not Path(spec.secrets_place).is_dir():
            raise UserError(
                f"the secrets of {spec.subject} are not on this host", hint="gitops apply puts them there"
            )
        for on in spec.depends_on:
            wait_for(spec, on, self.container(on.service), self.engine, time.sleep)
        self.engine.create(spec, self.copy.fleet, self.copy.host, "")
        self.engine.start(spec.name)

    def with_dependencies(self, services: Iterable[str]) -> set[str]:
        """Give services with all that these depend on."""
        found: set[str] = set()
        line = list(services)
        while line:
            service = line.pop()
            if service not in found:
                found.add(service)
                line += [
                    on.service
                    for one in self.copy.containers
                    if one.service == service
                    for on in one.depends_on
                ]
        return found


@contextmanager
def throw_away(copy: Copy, engine: Docker, places: Places, *, wait: float = WAIT) -> Iterator[Throwaway]:
    """Make a copy's networks and empty volumes; when the block is left, all that there is of it is removed.

    Args:
        copy: what it consists of.
        engine: the host's engine.
        places: where it is noted.
        wait: seconds to wait for another throw-away instance to go.

    Raises:
        UserError: the engine refuses, or there is another one still.
    """
    note = _note(places)
    with exclusive(note, "this host's throw-away instance", wait=wait):
        _clear(note, engine)
        _write(note, json.dumps({"fleet": copy.fleet, "host": copy.host}))
        well = False
        try:
            for network in copy.networks:
                engine.ensure_network(network, copy.fleet, copy.host)
            for volume in copy.volumes:
                engine.ensure_volume(volume, copy.fleet, copy.host)
            yield Throwaway(copy, engine)
            well = True
        finally:
            _clear(note, engine)
            if well:
                _write(note, "")
            else:  # something that was asked for may be on its way still
                note.touch()


def abandoned(places: Places) -> bool:
    """Tell whether there may be a throw-away instance whose owner has died; asks no engine."""
    note = _note(places)
    if not _left(note):
        return False
    try:
        with exclusive(note, "this host's throw-away instance"):
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
    note = _note(places)
    if not _left(note):
        return
    with contextlib.suppress(BusyError), exclusive(note, "this host's throw-away instance"):
        if _left(note):
            if _clear(note, engine):
                note.touch()
                tell("removed a throw-away instance, whose drill has died")
            elif time.time() > note.stat().st_mtime + _ON_ITS_WAY:
                _write(note, "")


def _left(note: Path) -> bool:
    try:
        return note.stat().st_size > 0
    except FileNotFoundError:
        return False


def _clear(note: Path, engine: Docker) -> bool:
    """Remove what a note names, for who holds its lock; tell whether there was anything.

    A container that the engine is making is listed before it can be removed.
    """
    deadline, found = time.monotonic() + _ON_ITS_WAY, False
    while _remove(note, engine):
        if time.monotonic() > deadline:
            raise UserError(
                "the engine does not let go of a throw-away instance", hint="the next tick tries again"
            )
        found = True
        time.sleep(_PAUSE)
    return found


def _remove(note: Path, engine: Docker) -> bool:
    """Remove once what a note names; tell whether there was anything."""
    try:
        said = json.loads(note.read_text())
        fleet, host = str(said["fleet"]), str(said["host"])
    except (ValueError, KeyError, TypeError):
        return False  # empty, or cut short before anything was made
    if not fleet.endswith(SUFFIX):
        raise UserError("names something that is no throw-away instance", file=note)
    containers, networks = engine.containers(fleet, host), engine.networks(fleet, host)
    for container in containers:
        engine.remove(container.id)
    for network in networks:
        engine.remove_network(network)
    with Leftovers() as leftovers:
        volumes = leftovers.volumes(fleet, host)
        for volume in volumes:
            leftovers.remove_volume(volume.name)
    return bool(containers or networks or volumes)


def _note(places: Places) -> Path:
    return places.state / "throw-away"


def _write(note: Path, text: str) -> None:
    """Write the note in its place, because its lock is on it, and wait until the disk has it."""
    with note.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
