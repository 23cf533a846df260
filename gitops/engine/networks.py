"""Networks and volumes of a host: known by their labels, made when they are missing."""

import contextlib
from pathlib import Path

from gitops.engine import labels
from gitops.engine.connected import Connected
from gitops.engine.connection import telling
from gitops.engine.specification import NetworkSpec, VolumeSpec


class Networks(Connected):
    """What containers are connected to and where their data are. Every method raises UserError."""

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
