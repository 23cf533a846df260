"""What the engine says of our containers: one record a container, from one list call."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from gitops.engine import labels
from gitops.engine.labels import UNLESS_STOPPED, parse_digests
from gitops.engine.names import BEFORE, OVER

_HEALTH = re.compile(r"\((?:health: )?(healthy|unhealthy|starting)\)")

_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class Observed:
    """A container as it is.

    Args:
        id: the engine's name for it.
        name: its name.
        instance: from its label, as service, image, generation and digests are.
        service: the service of the instance's app.
        image: reference of its image.
        generation: commit of the fleet that it was made from.
        digests: digest of each field of its specification.
        state: created, running, restarting, paused, exited, removing or dead.
        health: healthy, unhealthy or starting; empty where there is no healthcheck, or it does not run.
        status: the engine's words, for people: "Up 3 minutes (healthy)", "Exited (0) 2 hours ago".
        created: when it was made, UTC.
        networks: full names of the networks it is on.
        ports: what it holds of the host while it runs: (address, port, protocol).
        restart: when the engine starts it again, in Compose's words.
    """

    id: str
    name: str
    instance: str
    service: str
    image: str
    generation: str
    digests: Mapping[str, str]
    state: str
    health: str = ""
    status: str = ""
    created: datetime = _EPOCH
    networks: tuple[str, ...] = ()
    ports: tuple[tuple[str, int, str], ...] = ()
    restart: str = UNLESS_STOPPED

    @property
    def subject(self) -> str:
        """Give the name that people use: INSTANCE/SERVICE."""
        return f"{self.instance}/{self.service}"

    @property
    def aside(self) -> bool:
        """Tell whether it is one that was kept for a roll-out, not the one that its service has."""
        return self.name.endswith((BEFORE, OVER))

    @property
    def place(self) -> str:
        """Give the name that it has, or had before it stood aside."""
        return self.name.removesuffix(BEFORE).removesuffix(OVER)

    def standing_aside(self) -> "Observed":
        """Give it as it is once it has made room for another."""
        return self if self.aside else replace(self, name=self.name + BEFORE)

    @property
    def just_started(self) -> bool:
        """Tell whether it has run for less than a second, with no healthcheck to say how it is."""
        return self.status == "Up Less than a second"

    @property
    def exited_well(self) -> bool:
        """Tell whether it ran to its end with exit status 0."""
        return self.state == "exited" and self.status.startswith("Exited (0)")


def observed(entry: Mapping[str, Any]) -> Observed:
    """Read one entry of the answer to GET /containers/json, where health stands in `Status` alone."""
    own = entry["Labels"]
    health = _HEALTH.search(entry["Status"])
    return Observed(
        id=entry["Id"],
        name=(entry["Names"] or [""])[0].lstrip("/"),
        instance=own.get(labels.INSTANCE, ""),
        service=own.get(labels.SERVICE, ""),
        image=own.get(labels.IMAGE, ""),
        generation=own.get(labels.GENERATION, ""),
        digests=parse_digests(own.get(labels.SPEC, "")),
        state=entry["State"],
        health=health.group(1) if health else "",
        status=entry["Status"],
        created=datetime.fromtimestamp(entry["Created"], UTC),
        networks=tuple(sorted(entry["NetworkSettings"]["Networks"])),
        ports=tuple(
            (port.get("IP", ""), port["PublicPort"], port["Type"])
            for port in entry.get("Ports") or ()
            if "PublicPort" in port
        ),
        restart=own.get(labels.RESTART, UNLESS_STOPPED),
    )
