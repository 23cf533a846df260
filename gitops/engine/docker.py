"""Docker: the one way to talk to the engine. Every failure is told with the thing it happened to."""

import contextlib
import io
import json
import tarfile
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from gitops.engine import labels
from gitops.engine.connection import address, ask, connect, telling
from gitops.engine.exec import ExecStream
from gitops.engine.observed import Observed, observed
from gitops.engine.request import create_request
from gitops.engine.specification import ContainerSpec, NetworkSpec, VolumeSpec

if TYPE_CHECKING:
    from docker.api.client import APIClient


class Docker:
    """The engine of this machine; connects when it is first asked, and `with` closes. Threads may share it.

    Every method raises UserError when the engine is away or refuses.
    """

    @cached_property
    def _api(self) -> "APIClient":
        return connect()

    def __enter__(self) -> Self:
        """Give the engine itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections, if there are any; the next question opens new ones."""
        if "_api" in vars(self):
            self._api.close()
            del self._api

    # Containers

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

    def _create(self, request: dict[str, Any], name: str | None = None) -> str:
        api: Any = self._api  # the SDK's stubs leave this one call untyped
        return str(api.create_container_from_config(request, name)["Id"])

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

    # Networks and volumes

    def networks(self, fleet: str, host: str) -> dict[str, str]:
        """List a host's networks: full name to instance."""
        with telling("cannot list networks"):
            filters = {"label": [f"{labels.FLEET}={fleet}", f"{labels.HOST}={host}"]}
            return {
                one["Name"]: one["Labels"][labels.INSTANCE] for one in self._api.networks(filters=filters)
            }

    def ensure_network(self, spec: NetworkSpec, fleet: str, host: str) -> None:
        """Make a network unless it is there."""
        with telling(f"cannot make the network {spec.name}"):
            # The engine's name filter matches parts of names.
            if any(one["Name"] == spec.name for one in self._api.networks(names=[spec.name])):
                return
            own = {labels.INSTANCE: spec.instance, labels.NETWORK: spec.network}
            self._api.create_network(
                spec.name, driver="bridge", labels={labels.FLEET: fleet, labels.HOST: host, **own}
            )

    def remove_network(self, name: str) -> None:
        """Remove a network; one that is gone already is no error."""
        from docker.errors import NotFound  # noqa: PLC0415  # it takes 80 ms

        with telling(f"cannot remove the network {name}"), contextlib.suppress(NotFound):
            self._api.remove_network(name)

    def ensure_volume(self, spec: VolumeSpec, fleet: str, host: str) -> None:
        """Make a volume unless it is there; the engine answers an existing name with the volume as it is."""
        with telling(f"cannot make the volume {spec.name}"):
            own = {labels.INSTANCE: spec.instance, labels.VOLUME: spec.volume}
            self._api.create_volume(spec.name, labels={labels.FLEET: fleet, labels.HOST: host, **own})

    def volumes(self, fleet: str, host: str) -> set[str]:
        """List a host's volumes by their full names."""
        with telling("cannot list volumes"):
            filters = {"label": [f"{labels.FLEET}={fleet}", f"{labels.HOST}={host}"]}
            return {one["Name"] for one in self._api.volumes(filters=filters)["Volumes"] or ()}

    def volume_path(self, name: str) -> Path:
        """Give the directory on this machine that holds a volume."""
        with telling(f"cannot find the volume {name}"):
            return Path(self._api.inspect_volume(name)["Mountpoint"])

    # Images

    def images(self, references: Collection[str]) -> set[str]:
        """Give those of the references that the engine has, in one call."""
        if not references:
            return set()
        with telling("cannot list images"):
            found = self._api.images(filters={"reference": list(references)})
            return {tag for image in found for tag in image["RepoTags"] or ()} & set(references)

    def tag(self, image: str, reference: str) -> None:
        """Name an image (by id or name) REPOSITORY:TAG."""
        repository, _, tag = reference.rpartition(":")
        with telling(f"cannot tag {image}"):
            self._api.tag(image, repository, tag, force=True)

    def identify(self, reference: str) -> str:
        """Give the id of the image that has a name now; "" when none has."""
        from docker.errors import ImageNotFound  # noqa: PLC0415  # it takes 80 ms

        with telling(f"cannot inspect {reference}"), contextlib.suppress(ImageNotFound):
            return str(self._inspect_image(reference)["Id"])
        return ""

    def remove_nameless(self, image: str) -> None:
        """Remove an image, by id, that is not wanted, unless it has a name, is in use, or is gone."""
        from docker.errors import APIError  # noqa: PLC0415  # it takes 80 ms

        with telling(f"cannot remove {image}"), contextlib.suppress(APIError):
            if not self._inspect_image(image)["RepoTags"]:
                self._api.remove_image(image)

    def _inspect_image(self, image: str) -> dict[str, Any]:
        api: Any = self._api  # the SDK's stubs leave this call untyped, too
        found: dict[str, Any] = api.inspect_image(image)
        return found

    def read_file(self, image: str, path: str) -> bytes:
        """Read a file out of an image (or a container's image) without starting anything.

        Args:
            image: id or reference.
            path: absolute path in it; a symlink's target is not followed.
        """
        with telling(f"cannot read {path} from {image}"):
            made = self._create({"Image": image, "Cmd": ["-"]})
            try:
                chunks, _ = self._api.get_archive(made, path)
                with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
                    member = archive.extractfile(archive.next() or path)
                    return member.read() if member else b""
            finally:
                self._api.remove_container(made, v=True, force=True)
