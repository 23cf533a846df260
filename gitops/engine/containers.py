"""Containers of a host: listed by their labels, made, started, changed, stopped and removed."""

import contextlib
import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gitops.engine.connection import address, ask, tell, telling
from gitops.engine.exec import ExecStream
from gitops.engine.health import Health
from gitops.engine.listed import listed
from gitops.engine.namesakes import unambiguously
from gitops.engine.observed import Observed, observed
from gitops.engine.request import create_request, limits, restart_policy
from gitops.system.errors import UserError

if TYPE_CHECKING:
    from gitops.engine.specification import ContainerSpec

_IN_USE = "is already in use by container"
_LATE = 10.0
"""Seconds that an engine may take to make what nobody waits for any more."""

_LOST = re.compile(r"task \w+: already exists|id already in use")


class LostError(UserError):
    """An engine that was killed while it started a container has lost it; it can only be made anew."""


class Containers(Health):
    """What runs. Every method raises UserError."""

    def containers(self, fleet: str, host: str) -> list[Observed]:
        """List every container of a host of a fleet, running or not, in one call."""
        return listed(fleet, host)

    def named(self, names: Sequence[str]) -> list[Observed]:
        """List the containers that have one of these names, running or not, in one call."""
        if not names:
            return []
        filters = json.dumps({"name": [f"^/{re.escape(name)}$" for name in names]})
        entries = ask("cannot list containers", f"/containers/json?all=1&filters={quote(filters)}")
        return [observed(entry) for entry in entries]

    def running(self, fleet: str, host: str, instance: str, service: str) -> Observed | None:
        """Give the running container of an instance's service; None when there is none.

        While a roll-out has two of them, it is the new one.
        """
        wanted = (instance, service, "running")
        found = (
            one for one in self.containers(fleet, host) if (one.instance, one.service, one.state) == wanted
        )
        return min(found, key=lambda one: one.aside, default=None)

    def create(self, spec: "ContainerSpec", fleet: str, host: str, generation: str) -> str:
        """Create a container on all its networks, without starting it; give its id.

        Nobody else may be making containers of this host. One of this name that was made and never started is
        what a busy engine did late for somebody who has died; it is made anew.
        """
        with telling(f"cannot create {spec.subject}"):
            request = create_request(spec, fleet, host, generation)
            made = self._create_over(request, spec.name, fleet, host)
            for network, aliases in spec.networks[1:]:
                connect = partial(
                    self._api.connect_container_to_network, made, network, aliases=list(aliases)
                )
                unambiguously(self._api, [network], connect)
            return made

    def _create_over(self, request: dict[str, Any], name: str, fleet: str, host: str) -> str:
        from docker.errors import APIError  # noqa: PLC0415  # it takes 80 ms

        deadline = time.monotonic() + _LATE
        while True:
            try:
                return self._create(request, name)
            except APIError as error:
                if _IN_USE not in str(error.explanation) or time.monotonic() > deadline:
                    raise
                owner = self.named([name])  # nobody as yet where the engine has taken only the name
                ours = {one.id for one in self.containers(fleet, host) if one.state == "created"}
                if any(one.id not in ours for one in owner):
                    raise
                for one in owner:
                    self.remove(one.id)
                time.sleep(0.05)

    def put(self, container: str, directory: str, content: bytes) -> None:
        """Unpack a tar into a directory of a container, whether or not it runs."""
        with telling(f"cannot write into {container}"):
            self._api.put_archive(container, directory, content)

    def start(self, container: str) -> None:
        """Start a container, by id or name, or let a paused one go on; one that runs stays as it is.

        Raises:
            LostError: the engine can never start this one.
        """
        from docker.errors import APIError  # noqa: PLC0415  # it takes 80 ms

        with telling(f"cannot start {container}"):
            try:
                unambiguously(self._api, self._networks_of(container), lambda: self._api.start(container))
            except APIError as error:
                if _LOST.search(str(error.explanation)):
                    raise LostError(f"cannot start {container}: {error.explanation}") from error
                if "unpause" not in str(error.explanation):
                    raise
                self._api.unpause(container)

    def _networks_of(self, container: str) -> Iterator[str]:
        yield from self._api.inspect_container(container)["NetworkSettings"]["Networks"]

    def pause(self, container: str) -> None:
        """Freeze the processes of a running container, until it is started."""
        with telling(f"cannot pause {container}"):
            self._api.pause(container)

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

    def update_limits(self, container: str, spec: "ContainerSpec") -> None:
        """Change what a living container may use to what its specification says; it does not restart."""
        body = {name: value for name, value in limits(spec).items() if value is not None}
        body.setdefault("PidsLimit", 0)
        tell(f"cannot change the limits of {spec.subject}", f"/containers/{quote(container)}/update", body)

    def other_limits(self, container: str, spec: "ContainerSpec") -> list[str]:
        """Give those limits of a container, in Compose's words, that are not what its specification says."""
        with telling(f"cannot inspect {container}"):
            found: dict[str, Any] = self._api.inspect_container(container)["HostConfig"]
        unlimited, wanted = {None, 0, -1}, limits(spec)  # the engine has three words for "no limit"
        words = {"mem_limit": "Memory", "cpus": "NanoCpus", "pids_limit": "PidsLimit"}
        return [
            name
            for name, word in words.items()
            if found[word] != wanted[word] and not {found[word], wanted[word]} <= unlimited
        ]

    def keep_down(self, container: str) -> None:
        """Let nothing but a call start a container: not its own policy when the engine starts anew."""
        self._restart(container, "no")

    def let_restart(self, container: str, restart: str) -> None:
        """Give a container back its own policy, in Compose's words."""
        self._restart(container, restart)

    def _restart(self, container: str, restart: str) -> None:
        path = f"/containers/{quote(container)}/update"
        tell(f"cannot update {container}", path, {"RestartPolicy": restart_policy(restart)})

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
        what = f"cannot run {command[0]} in {container}"
        body = {
            "Cmd": list(command),
            "User": user or "",
            "Env": [f"{name}={value}" for name, value in (environment or {}).items()],
            "WorkingDir": workdir or "",
            "AttachStdin": stdin is not None,
            "AttachStdout": True,
            "AttachStderr": True,
        }
        made: str = tell(what, f"/containers/{quote(container)}/exec", body)["Id"]
        socket = address().removeprefix("unix://")
        start = f"/exec/{made}/start"
        return ExecStream(socket, start, lambda: _exit_status(made), stdin=stdin, timeout=timeout)

    def commands(self, container: str, *, to_come: bool = False) -> list[list[str]]:
        """List the commands, program and arguments, that `exec` began in a container and that still run.

        Args:
            container: id or name.
            to_come: those too that were made and do not run yet: an engine may be about to begin what its
                client, dead by now, has sent it. What nobody begins stays so until the container ends.
        """
        from docker.errors import NotFound  # noqa: PLC0415  # it takes 80 ms

        with telling(f"cannot ask for the commands in {container}"):
            begun: list[str] = self._api.inspect_container(container)["ExecIDs"] or []
            found = []
            for one in begun:
                with contextlib.suppress(NotFound):
                    told: dict[str, Any] = self._api.exec_inspect(one)
                    if told["Running"] or (to_come and told["ExitCode"] is None):
                        found.append(
                            [told["ProcessConfig"]["entrypoint"], *told["ProcessConfig"]["arguments"]]
                        )
            return found


def _exit_status(made: str) -> int:
    while (told := ask("cannot ask for a command's exit status", f"/exec/{made}/json"))["Running"]:
        time.sleep(0.02)
    return int(told["ExitCode"])
