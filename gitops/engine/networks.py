"""Networks and volumes of a host: known by their labels, made when they are missing."""

import contextlib
import json
import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from gitops.engine import labels
from gitops.engine.connected import Connected
from gitops.engine.connection import ask, telling
from gitops.engine.namesakes import leave_one, unambiguously

if TYPE_CHECKING:
    from collections.abc import Iterator
    from ipaddress import IPv4Network

    from gitops.engine.specification import NetworkSpec, VolumeSpec

_TRIES = 30  # others may take the same subnet at the same moment
_FULL = (
    *(
        "fully subnetted",
        "non-overlapping IPv4 address pool",
    ),  # the engine's pools are full: Docker 28, 20.10
    *("overlaps with other one", "invalid pool request"),  # somebody was quicker
)

_CHOOSING = threading.Lock()
"""Held by who looks for a subnet: threads that look at once would find the same one."""


class Networks(Connected):
    """What containers are connected to and where their data are. Every method raises UserError."""

    def networks(self, fleet: str, host: str) -> dict[str, str]:
        """List a host's networks: full name to instance. A name that two of them have is left out.

        So `ensure_network` is asked for it.
        """
        with telling("cannot list networks"):
            filters = {"label": [f"{labels.FLEET}={fleet}", f"{labels.HOST}={host}"]}
            found = self._api.networks(filters=filters)
            times = Counter(one["Name"] for one in found)
            return {one["Name"]: one["Labels"][labels.INSTANCE] for one in found if times[one["Name"]] == 1}

    def ensure_network(self, spec: "NetworkSpec", fleet: str, host: str) -> None:
        """Make a network unless it is there; where the engine's own address pools are full, from others.

        Of two that have its name one stays.
        """
        with telling(f"cannot make the network {spec.name}"):
            own = {labels.INSTANCE: spec.instance, labels.NETWORK: spec.network}
            marks = {labels.FLEET: fleet, labels.HOST: host, **own}
            self._create_network(spec.name, marks, internal=spec.internal)

    def _create_network(self, name: str, marks: dict[str, str], *, internal: bool) -> None:
        from docker.errors import APIError  # noqa: PLC0415  # it takes 80 ms
        from docker.types import IPAMConfig, IPAMPool  # noqa: PLC0415  # see above

        ipam = None
        with contextlib.ExitStack() as alone:
            for attempt in range(_TRIES):
                try:
                    self._api.create_network(
                        name,
                        driver="bridge",
                        labels=marks,
                        ipam=ipam,
                        check_duplicate=True,
                        internal=internal,
                    )
                except APIError as error:
                    said = str(error.explanation)
                    if f"{name} already exists" in said:
                        leave_one(self._api, name)
                        return
                    if attempt == _TRIES - 1 or not any(words in said for words in _FULL):
                        raise
                else:
                    return
                from gitops.engine.subnets import free_subnet, routed  # noqa: PLC0415  # mostly there is room

                if attempt == 0:
                    alone.enter_context(_CHOOSING)
                subnet = free_subnet([*self._subnets(), *routed()])
                if subnet:
                    ipam = IPAMConfig(pool_configs=[IPAMPool(subnet=str(subnet))])

    def _subnets(self) -> "Iterator[IPv4Network]":
        """Give what the engine's networks take up."""
        from ipaddress import IPv4Network  # noqa: PLC0415  # as above

        for one in self._api.networks():
            for pool in (one.get("IPAM") or {}).get("Config") or ():
                with contextlib.suppress(KeyError, ValueError):  # IPv6, or none
                    yield IPv4Network(pool["Subnet"])

    def remove_network(self, name: str) -> None:
        """Remove a network; one that is gone already is no error."""
        from docker.errors import NotFound  # noqa: PLC0415  # it takes 80 ms

        with telling(f"cannot remove the network {name}"), contextlib.suppress(NotFound):
            unambiguously(self._api, [name], lambda: self._api.remove_network(name))

    def ensure_volume(self, spec: "VolumeSpec", fleet: str, host: str) -> None:
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
        return Path(ask(f"cannot find the volume {name}", f"/volumes/{quote(name)}")["Mountpoint"])

    def users(self, volume: str) -> list[str]:
        """Name the running containers that have a volume, whosever they are."""
        filters = json.dumps({"volume": [volume], "status": ["running", "restarting", "paused"]})
        entries = ask(
            f"cannot ask who uses the volume {volume}", f"/containers/json?filters={quote(filters)}"
        )
        return sorted(name.lstrip("/") for entry in entries for name in entry["Names"][:1])
