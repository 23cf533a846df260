"""What stays behind on an engine when git has moved on: images and volumes, and taking them away.

Nothing here is forced: what a container uses, or used by one that is stopped, the engine itself keeps.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from gitops.engine import labels
from gitops.engine.connected import Connected
from gitops.engine.connection import ask, telling

_IN_USE = 409


@dataclass(frozen=True)
class Volume:
    """A volume of a host: its full name, its instance, and what the instance's app calls it."""

    name: str
    instance: str
    volume: str


class Leftovers(Connected):
    """The engine, asked about what may be too much. Every method raises UserError when it is away."""

    def images(self, fleet: str) -> Mapping[str, int]:
        """Give every image that has a name, `REPOSITORY:TAG`, below a prefix, and its size in bytes.

        Args:
            fleet: what the names begin with: the fleet's name, or its registry.
        """
        return {
            tag: int(entry["Size"])
            for entry in ask("cannot list images", "/images/json")
            for tag in entry["RepoTags"] or ()
            if tag.startswith(f"{fleet}/")
        }

    def remove_image(self, reference: str) -> bool:
        """Take an image's name away, and the image when it was its last; False where a container has it."""
        return self._removed(f"the image {reference}", lambda: self._api.remove_image(reference))

    def volumes(self, fleet: str, host: str) -> list[Volume]:
        """List a host's volumes by name."""
        filters = json.dumps({"label": [f"{labels.FLEET}={fleet}", f"{labels.HOST}={host}"]})
        entries = ask("cannot list volumes", f"/volumes?filters={quote(filters)}")["Volumes"] or ()
        found = (
            Volume(one["Name"], one["Labels"].get(labels.INSTANCE, ""), one["Labels"].get(labels.VOLUME, ""))
            for one in entries
        )
        return sorted(found, key=lambda one: one.name)

    def fleets(self, prefix: str, host: str) -> dict[str, float]:
        """Give the fleets whose names begin so that have containers on a host, and how old the newest is.

        Args:
            prefix: what the names begin with.
            host: the host's name.

        Returns:
            Name to seconds since its newest container was made.
        """
        filters = json.dumps({"label": [f"{labels.HOST}={host}"]})
        made: dict[str, float] = {}
        for one in ask("cannot list containers", f"/containers/json?all=1&filters={quote(filters)}"):
            fleet = str(one["Labels"].get(labels.FLEET, ""))
            if fleet.startswith(prefix):
                made[fleet] = max(made.get(fleet, 0), float(one["Created"]))
        return {fleet: time.time() - newest for fleet, newest in made.items()}

    def remove_volume(self, name: str) -> bool:
        """Remove a volume and everything in it; False where a container, running or not, has it."""
        return self._removed(f"the volume {name}", lambda: self._api.remove_volume(name))

    def directory(self) -> Path:
        """Give the directory on this machine that holds images and volumes."""
        return Path(ask("cannot ask the engine about itself", "/info")["DockerRootDir"])

    def _removed(self, what: str, remove: Callable[[], object]) -> bool:
        from docker.errors import APIError, NotFound  # noqa: PLC0415  # it takes 80 ms

        with telling(f"cannot remove {what}"):
            try:
                remove()
            except NotFound:
                return True
            except APIError as error:
                if error.status_code == _IN_USE:
                    return False
                raise
        return True
