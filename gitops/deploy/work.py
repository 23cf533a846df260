"""What carrying a plan out needs besides the plan."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from gitops.deploy.failures import Failures
from gitops.deploy.limits import Limits
from gitops.engine.docker import Docker
from gitops.engine.specification import ContainerSpec
from gitops.system.progress import Progress, silent


@dataclass(frozen=True)
class Work:
    """What applying needs besides a plan.

    Args:
        engine: the host's engine.
        fleet: the fleet's name, for labels.
        host: the host's name.
        generation: the commit that is applied.
        build: builds images, by name.
        secrets: makes a container's secrets readable to it.
        lack: says why there is too little room to replace what runs; empty where there is enough.
        tell: says what is being done.
        hide: takes secrets out of what a container said.
        progress: is told how many instances are done.
        state: directory for what must outlast this run: which instances failed, and changed limits; None:
            nothing is remembered.
    """

    engine: Docker
    fleet: str
    host: str
    generation: str
    build: Callable[..., None]
    secrets: Callable[[ContainerSpec], None]
    tell: Callable[[str], None]
    state: Path | None = None
    lack: Callable[[], str] = str
    progress: Progress = silent
    hide: Callable[[str], str] = str


@dataclass(frozen=True)
class Stage:
    """What all roll-outs of a host share.

    Args:
        work: what they are part of.
        specs: what each instance is to have.
        turn: held while the engine makes or starts a container.
        pause: waits some seconds; raises what is to end the waiting.
        failures: where failures are remembered.
        limits: where changed limits are remembered.
    """

    work: Work
    specs: Mapping[str, list[ContainerSpec]]
    turn: AbstractContextManager[object]
    pause: Callable[[float], None]
    failures: Failures
    limits: Limits
