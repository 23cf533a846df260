"""A container's healthcheck, done by us: the engine looks when an interval is over, half a minute mostly."""

import time
from collections.abc import Callable

from gitops.agent.waiting import patience
from gitops.engine.docker import Docker
from gitops.engine.health import Verdict
from gitops.engine.specification import ContainerSpec
from gitops.system.errors import UserError


class _PassedError(Exception):
    """The container is well, although the engine has not looked yet."""


def prove(
    spec: ContainerSpec, wait: float, engine: Docker, pause: Callable[[float], object] = time.sleep
) -> Verdict:
    """Wait until a container has proved that it works, or that it does not; as the engine does, but sooner.

    Args:
        spec: the container's.
        wait: seconds that one without a healthcheck must run.
        engine: the host's.
        pause: waits some seconds; raises what is to end the waiting.
    """
    check = _Check(spec, engine)

    def check_and_pause(seconds: float) -> None:
        if check.passes():
            raise _PassedError
        pause(seconds)

    try:
        return engine.prove(spec.name, wait, patience(spec), check_and_pause)
    except _PassedError:
        return Verdict(well=True, state="", said="")


class _Check:
    """The healthcheck of a container's definition; what an image brings along is left to the engine."""

    def __init__(self, spec: ContainerSpec, engine: Docker) -> None:
        """Do nothing yet."""
        test = spec.healthcheck.test if spec.healthcheck else ()
        shell = ("/bin/sh", "-c") if test[:1] == ("CMD-SHELL",) else ()
        self._command = (*shell, *test[1:])
        self._timeout = spec.healthcheck.timeout / 1e9 if spec.healthcheck else 0
        self._container, self._engine = spec.name, engine

    def passes(self) -> bool:
        """Run it once, and tell whether it passes; one that hangs is not begun again."""
        if not self._command:
            return False
        try:
            with self._engine.exec(self._container, self._command, timeout=self._timeout) as stream:
                return stream.wait() == 0
        except TimeoutError:
            self._command = ()
        except UserError:  # the container does not run: the engine tells why
            pass
        return False
