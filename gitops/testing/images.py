"""An image's tests: each command in a container of its own, without network."""

import shlex
import time
import uuid
from collections.abc import Callable
from threading import Event

from gitops.deploy.desired import CAPABILITIES
from gitops.deploy.duplicate import Copy
from gitops.deploy.throwaway import throw_away
from gitops.engine import attached
from gitops.engine.connection import AwayError, FullError
from gitops.engine.docker import Docker
from gitops.engine.specification import ContainerSpec, HealthSpec
from gitops.fleet.fleet import Fleet
from gitops.fleet.tests import CommandTest
from gitops.system.errors import InterruptedByUserError, UserError
from gitops.system.places import Places
from gitops.system.progress import Progress
from gitops.testing.outcome import LONGEST, Outcome, judged, tail

HOST = "test"
"""What the host of whatever tests make is called."""

_LOOK = 0.5  # seconds between looks at whether somebody said stop
_NO_HEALTH = HealthSpec(("NONE",), 0, 0, 0, 0)


def suffix() -> str:
    """Give what is put behind a fleet's name for one test's things, another one each time."""
    return f".test-{uuid.uuid4().hex[:8]}"


def try_image(
    fleet: Fleet,
    image: str,
    reference: str,
    engine: Docker,
    places: Places,
    *,
    tell: Callable[[Outcome], object],
    progress: Progress,
    stop: Event,
) -> None:
    """Run an image's tests.

    Args:
        fleet: the definitions.
        image: the image.
        reference: what the engine calls it; it must be there.
        engine: where its containers run.
        places: where it is noted what must be removed.
        tell: is given each outcome.
        progress: is told of what is being tried.
        stop: once set, nothing more is tried.

    Raises:
        UserError: the engine refuses.
    """
    own = fleet.settings.name + suffix()
    specs = [
        _container(own, image, reference, number, test)
        for number, test in enumerate(fleet.images[image].test)
    ]
    copy = Copy(own, HOST, tuple(specs), (), (), frozenset(), 0)
    with throw_away(copy, engine, places, test=True):
        for spec, test in zip(specs, fleet.images[image].test, strict=True):
            began = time.monotonic()
            progress(image, shown(test.command))
            wrong, output = _try(spec, test, copy, engine, stop)
            tell(Outcome("image", image, shown(test.command), wrong, output, time.monotonic() - began))


def shown(command: tuple[str, ...]) -> str:
    """Write a command as its definition has it: a string that a shell reads, or words."""
    return command[2] if command[:2] == ("/bin/sh", "-c") else shlex.join(command)


def _container(fleet: str, image: str, reference: str, number: int, test: CommandTest) -> ContainerSpec:
    return ContainerSpec(
        name=f"{fleet}.{image}.{number}",
        instance=image,
        service=str(number),
        image=reference,
        image_name=image,
        networks=(),
        entrypoint=test.command[:1],
        command=test.command[1:],
        healthcheck=_NO_HEALTH,
        restart="no",
        user=test.user,
        capabilities=CAPABILITIES,
    )


def _try(spec: ContainerSpec, test: CommandTest, copy: Copy, engine: Docker, stop: Event) -> tuple[str, str]:
    """Run one test; give what is wrong, and what was written last."""
    deadline = time.monotonic() + test.timeout
    made = engine.create(spec, copy.fleet, copy.host, "")
    stream, said = attached.attach(made), b""
    try:
        try:
            engine.start(made)
        except (AwayError, FullError):
            raise
        except UserError as error:  # there is no such program, mostly
            return f"cannot be started: {error.problems[0].message.rpartition('exec: ')[2]}", ""
        while True:
            if stop.is_set():
                raise InterruptedByUserError
            left = deadline - time.monotonic()
            try:
                if not (piece := stream.read(max(0.0, min(left, _LOOK)))):
                    break
            except TimeoutError:
                if left <= 0:
                    return f"not done within {test.timeout:g} s", tail(said)
            else:
                said = (said + piece)[-LONGEST:]
        status = attached.container_status(made, 60)
    finally:
        stream.close()
        attached.remove_container(made)
    return judged(status, test.status, said.decode(errors="replace"), test.text), tail(said)
