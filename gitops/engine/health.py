"""How a container is: what its healthcheck says, or whether it keeps running where it has none."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any
from urllib.parse import quote

from gitops.engine.connected import Connected
from gitops.engine.connection import ask, telling

_DYING_PATIENCE = 10.0
"""Seconds in which a container that dies and is started again must come to itself."""

_LINES = 12
"""Lines of a container's output that tell how it ended."""

_PAUSE = 0.2
_LONGEST_PAUSE = 1.0


@dataclass(frozen=True)
class Verdict:
    """How a container turned out.

    Args:
        well: whether it works.
        state: how it is, in a word or two.
        said: what its healthcheck said, and its own last lines.
    """

    well: bool
    state: str
    said: str = ""


class Health(Connected):
    """Asking containers how they are. Every method raises UserError."""

    def health(self, container: str) -> tuple[str, str]:
        """Give (state, what was last said): the health, or the engine's state where there is no healthcheck.

        The text is the last check's output, or the container's last lines where none ran.
        """
        with telling(f"cannot inspect {container}"):
            state: dict[str, Any] = self._api.inspect_container(container)["State"]
            health = state.get("Health") or {}
            if state["Status"] == "running" and health.get("Status", "none") != "none":
                checks = health.get("Log") or [{"Output": ""}]
                return _status(health), str(checks[-1]["Output"]).strip()
            lines = self._lines(container)
            if state["Status"] == "exited":
                return f"exited ({state['ExitCode']})", lines
            return str(state["Status"]), lines

    def wait_healthy(
        self, container: str, timeout: float, pause: Callable[[float], object] = time.sleep
    ) -> tuple[str, str]:
        """Wait until a container is healthy (or just runs, without a healthcheck), or is not going to be.

        Args:
            container: id or name.
            timeout: seconds after which `starting` is the answer; a container that keeps dying gets 10.
            pause: waits some seconds; raises what is to end the waiting.

        Returns:
            As `health`: it is well when the first is `healthy` or `running`.
        """
        begun = time.monotonic()
        patience = {"starting": timeout, "created": timeout, "restarting": min(timeout, 10)}
        while time.monotonic() - begun < patience.get((found := self.health(container))[0], 0):
            pause(0.2)
        return found

    def prove(
        self, container: str, wait: float, patience: float, pause: Callable[[float], object] = time.sleep
    ) -> Verdict:
        """Wait until a container has proved that it works, or that it does not.

        It works when it is healthy; without a healthcheck, when it has run for a while without dying once; or
        when it is one that ends, and has ended well.

        Args:
            container: id or name.
            wait: seconds that one without a healthcheck must run.
            patience: seconds that one with a healthcheck may take to become healthy.
            pause: waits some seconds; raises what is to end the waiting.
        """
        begun = time.monotonic()
        first = now = self._inspect(container)
        pauses = _pauses(wait if "Health" not in now["State"] else 0)
        while (state := self._judged(now, first, time.monotonic() - begun, wait, patience)) is None:
            pause(next(pauses))
            now = self._inspect(container)
        return Verdict(state == "", state, "" if state == "" else self._words(container, now))

    def _judged(
        self, now: dict[str, Any], first: dict[str, Any], passed: float, wait: float, patience: float
    ) -> str | None:
        """Say what is wrong with a container; nothing when it works; None when that cannot be told yet."""
        state: str = now["State"]["Status"]
        health = _status(now["State"].get("Health") or {})
        lives = (now["RestartCount"], now["State"]["StartedAt"])
        died = lives != (first["RestartCount"], first["State"]["StartedAt"]) or state == "restarting"
        if state == "running" and health != "none":
            if health == "starting":
                return None if passed < patience else "not healthy yet"
            return "" if health == "healthy" else health
        if state in {"running", "restarting"}:
            if died and (health == "none" or passed >= _DYING_PATIENCE):
                return "dying again and again"
            return "" if state == "running" and passed >= wait else None
        if state == "exited":
            ends = now["HostConfig"]["RestartPolicy"]["Name"] in {"", "no", "on-failure"}
            status = now["State"]["ExitCode"]
            return "" if ends and status == 0 else f"exited ({status})"
        return state

    def _words(self, container: str, now: dict[str, Any]) -> str:
        """Give what a container's newest check said, and what it printed itself: mostly that says why."""
        checks = (now["State"].get("Health") or {}).get("Log") or [{"Output": ""}]
        with telling(f"cannot read the log of {container}"):
            lines = self._lines(container)
        return "\n".join(filter(None, (str(checks[-1]["Output"]).strip(), lines)))

    def _lines(self, container: str) -> str:
        return str(self._api.logs(container, tail=_LINES).decode(errors="replace").strip())

    def _inspect(self, container: str) -> dict[str, Any]:
        found: dict[str, Any] = ask(f"cannot inspect {container}", f"/containers/{quote(container)}/json")
        return found


def _status(health: dict[str, Any]) -> str:
    """Give what a healthcheck says; `none` where there is none.

    The engine calls a container unhealthy that was paused, and does so until the next check.
    """
    status = str(health.get("Status", "none"))
    return "starting" if status == "unhealthy" and health.get("FailingStreak") == 0 else status


def _pauses(wait: float) -> Iterator[float]:
    """Give the seconds between looks: longer ones while a container only has to go on for so many seconds."""
    pause = _PAUSE
    while wait > 0:
        yield min(pause, wait)
        wait -= pause
        pause = min(2 * pause, _LONGEST_PAUSE)
    yield from repeat(_PAUSE)
