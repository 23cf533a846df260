"""A throw-away instance: a copy of one that runs, gone when whoever asked for it is done with it, or dead."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from gitops.deploy.duplicate import Copy
from gitops.deploy.swept import WHAT, clear, drill_note, note_of_test, settle, write_note
from gitops.engine.docker import Docker
from gitops.engine.specification import ContainerSpec
from gitops.system.errors import InterruptedByUserError, UserError
from gitops.system.locks import exclusive
from gitops.system.places import Places

WAIT = 12 * 3600.0
"""Seconds to wait for other drills; a host has one at a time."""

_PAUSE = 0.05
"""Seconds between looks at a container: there are few of them, and somebody waits."""


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
        stop = Event()

        def pause(seconds: float) -> None:
            if stop.wait(min(seconds, _PAUSE)):
                raise InterruptedByUserError

        with ThreadPoolExecutor(max(1, len(specs))) as pool:
            try:
                list(pool.map(lambda spec: self._prove(spec, pause), specs))
            except BaseException:
                stop.set()
                raise

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

    def _prove(self, spec: ContainerSpec, pause: Callable[[float], object]) -> None:
        from gitops.deploy.waiting import patience  # noqa: PLC0415  # see above

        verdict = self.engine.prove(spec.name, self.copy.wait, patience(spec), pause)
        ended = spec.service in self.copy.lasting and self.engine.health(spec.name)[0] == "exited (0)"
        if ended or not verdict.well:
            state = "exited (0)" if ended else verdict.state
            raise UserError(f"{spec.service} is {state}", hint=verdict.said)

    def _start(self, spec: ContainerSpec) -> None:
        from gitops.deploy.waiting import wait_for  # noqa: PLC0415  # see above

        if spec.secrets and not Path(spec.secrets_place).is_dir():
            raise UserError(
                f"the secrets of {spec.subject} are not on this host", hint="gitops apply puts them there"
            )
        for on in spec.depends_on:
            wait_for(spec, on, self.container(on.service), self.engine, time.sleep)
        self.engine.create(spec, self.copy.fleet, self.copy.host, "")
        if secrets := self.copy.secrets.get(spec.service):
            self.engine.put(spec.name, "/run/secrets", secrets)
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
def throw_away(
    copy: Copy, engine: Docker, places: Places, *, wait: float = WAIT, test: bool = False
) -> Iterator[Throwaway]:
    """Make a copy's networks and empty volumes; when the block is left, all that there is of it is removed.

    Args:
        copy: what it consists of.
        engine: the host's engine.
        places: where it is noted.
        wait: seconds to wait for another drill to be over.
        test: it is a test's, and stands beside others; the name of its fleet is no other's.

    Raises:
        UserError: the engine refuses, or there is another one still.
    """
    note = note_of_test(copy.fleet, places) if test else drill_note(places)
    with exclusive(note, WHAT, wait=wait):
        clear(note, engine)
        write_note(note, json.dumps({"fleet": copy.fleet, "host": copy.host}))
        well = False
        try:
            for network in copy.networks:
                engine.ensure_network(network, copy.fleet, copy.host)
            for volume in copy.volumes:
                engine.ensure_volume(volume, copy.fleet, copy.host)
            yield Throwaway(copy, engine)
            well = True
        finally:
            clear(note, engine)
            if well:
                settle(note, places)
            else:  # something that was asked for may be on its way still
                note.touch()
