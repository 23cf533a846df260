"""Containers of a host: listed by their labels, made, started, stopped, and asked how they are."""

import contextlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from gitops.engine import labels
from gitops.engine.connected import Connected
from gitops.engine.connection import address, ask, telling
from gitops.engine.exec import ExecStream
from gitops.engine.observed import Observed, observed
from gitops.engine.request import create_request
from gitops.engine.specification import ContainerSpec


class Containers(Connected):
    """What runs. Every method raises UserError."""

    def containers(self, fleet: str, host: str) -> list[Observed]:
        """List every container of a host of a fleet, running or not, in one call."""
        filters = json.dumps({"label": [f"{labels.FLEET}={fleet}", f"{labels.HOST}={host}"]})
        entries = ask("cannot list containers", f"/containers/json?all=1&filters={quote(filters)}")
        return sorted((observed(entry) for entry in entries), key=lambda one: one.name)

    def running(self, fleet: str, host: str, instance: str, service: str) -> Observed | None:
        """Give the running container of an instance's service; None when there is none."""
        wanted = (instance, service, "running")
        found = (
            one for one in self.containers(fleet, host) if (one.instance, one.service, one.state) == wanted
        )
        return next(found, None)

    def create(self, spec: ContainerSpec, fleet: str, host: str, generation: str) -> str:
        """Create a container on all its networks, without starting it; give its id."""
        with telling(f"cannot create {spec.subject}"):
            made = self._create(create_request(spec, fleet, host, generation), spec.name)
            for network, aliases in spec.networks[1:]:
                self._api.connect_container_to_network(made, network, aliases=list(aliases))
            return made

    def start(self, container: str) -> None:
        """Start a container, by id or name, or let a paused one go on; one that runs stays as it is."""
        with telling(f"cannot start {container}"):
            if self._api.inspect_container(container)["State"]["Paused"]:
                self._api.unpause(container)
            else:
                self._api.start(container)

    def stop(self, container: str, timeout: float | None = None) -> None:
        """Stop a container; after `timeout` seconds (None: its own grace period) it is killed."""
        with telling(f"cannot stop {container}"):
            self._api.stop(container, timeout=None if timeout is None else max(1, round(timeout)))

    def remove(self, container: str) -> None:
        """Remove a container, stopped or not; one that is gone already is no error. Its volumes stay."""
        from docker.errors import NotFound  # noqa: PLC0415  # it takes 80 ms

        with telling(f"cannot remove {container}"), contextlib.suppress(NotFound):
            self._api.remove_container(container, force=True)

    def rename(self, container: str, name: str) -> None:
        """Give a container another name."""
        with telling(f"cannot rename {container}"):
            self._api.rename(container, name)

    def health(self, container: str) -> tuple[str, str]:
        """Give (state, what was last said): the health, or the engine's state where there is no healthcheck.

        The text is the last check's output, or the container's last lines where none ran.
        """
        with telling(f"cannot inspect {container}"):
            state: dict[str, Any] = self._api.inspect_container(container)["State"]
            health = state.get("Health") or {}
            if state["Status"] == "running" and health.get("Status", "none") != "none":
                checks = health.get("Log") or [{"Output": ""}]
                return str(health["Status"]), str(checks[-1]["Output"]).strip()
            lines = self._api.logs(container, tail=12).decode(errors="replace").strip()
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

    def wait(self, container: str) -> int:
        """Wait until a container ends, however long; give its exit status."""
        with telling(f"cannot wait for {container}"):
            return int(self._api.wait(container)["StatusCode"])

    def exec(
        self,
        container: str,
        command: Sequence[str],
        *,
        user: str | None = None,
        environment: Mapping[str, str] | None = None,
        workdir: str | None = None,
        stdin: Iterable[bytes] | None = None,
        timeout: float | None = None,
    ) -> ExecStream:
        """Run a command in a running container.

        Args:
            container: id or name.
            command: program and arguments.
            user: whom it runs as; None: the container's user.
            environment: variables besides the container's.
            workdir: where it starts; None: the container's directory.
            stdin: chunks for its standard input.
            timeout: seconds until reading raises TimeoutError; the command itself is not ended by that.
        """
        with telling(f"cannot run {command[0]} in {container}"):
            made: str = self._api.exec_create(
                container,
                list(command),
                user=user or "",
                environment=dict(environment or {}),
                workdir=workdir,
                stdin=stdin is not None,
            )["Id"]
        path = f"/v{self._api.api_version}/exec/{made}/start"
        socket = address().removeprefix("unix://")
        return ExecStream(socket, path, lambda: self._exit_status(made), stdin=stdin, timeout=timeout)

    def _exit_status(self, made: str) -> int:
        with telling("cannot ask for a command's exit status"):
            while (told := self._api.exec_inspect(made))["Running"]:
                time.sleep(0.02)
            return int(told["ExitCode"])
