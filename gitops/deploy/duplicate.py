"""What a throw-away instance consists of: a copy of one that a host is to run; pure.

In names and labels it belongs to a fleet of its own, FLEET.drill or the like, which no fleet can be called.
So whatever lists, plans, prunes or reports what the real fleet has never sees it. Its networks lead nowhere,
neither to the real instance nor out of the machine: what is restored must not send anybody mail. Ports and
the labels that proxies read are left out, directories of the host cannot be written to, secrets are the real
ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gitops.engine.specification import ContainerSpec, NetworkSpec, VolumeSpec

if TYPE_CHECKING:
    from gitops.deploy.desired import Desired

SUFFIX = ".drill"
"""What the name of a fleet of drills' copies ends in; no fleet's own has a dot."""

_RESTART = "on-failure:5"
"""For what is to run for good: it may need a second try, but must not come back with the machine."""


@dataclass(frozen=True)
class Copy:
    """What a throw-away instance consists of.

    Args:
        fleet: the name in its labels.
        host: as in its labels.
        containers: in the order in which they start.
        networks: its own.
        volumes: its own.
        lasting: the services that must not end.
        wait: seconds that a container without a healthcheck must run to be called well.
        secrets: by service, a tar that is unpacked into its /run/secrets before it starts.
    """

    fleet: str
    host: str
    containers: tuple[ContainerSpec, ...]
    networks: tuple[NetworkSpec, ...]
    volumes: tuple[VolumeSpec, ...]
    lasting: frozenset[str]
    wait: float
    secrets: Mapping[str, bytes] = field(default_factory=dict)


def copy_of(desired: "Desired", instance: str, fleet: str, host: str, suffix: str = SUFFIX) -> Copy:
    """Work out the copy of an instance; pure.

    Args:
        desired: what the host is to run.
        instance: one of its instances.
        fleet: the real fleet's name.
        host: the host's name.
        suffix: what makes the name of the copy's fleet of the real one's; it begins with a dot.
    """
    own = fleet + suffix
    real = [one for one in desired.containers if one.instance == instance]

    def name(full: str) -> str:
        return own + full.removeprefix(fleet)

    return Copy(
        fleet=own,
        host=host,
        containers=tuple(
            replace(
                one,
                name=name(one.name),
                networks=tuple((name(network), aliases) for network, aliases in one.networks),
                ports=(),
                labels=(),
                volumes=tuple(
                    replace(mount, source=name(mount.source))
                    if mount.type == "volume"
                    else replace(mount, read_only=mount.read_only or mount.type == "bind")
                    for mount in one.volumes
                ),
                restart=_RESTART if _lasts(one) else one.restart,
            )
            for one in real
        ),
        networks=tuple(
            replace(one, name=name(one.name), internal=True)
            for one in desired.networks
            if one.instance == instance
        ),
        volumes=tuple(
            replace(one, name=name(one.name)) for one in desired.volumes if one.instance == instance
        ),
        lasting=frozenset(one.service for one in real if _lasts(one)),
        wait=desired.placed[instance].rollout.wait,
    )


def _lasts(spec: ContainerSpec) -> bool:
    return spec.restart in {"always", "unless-stopped"}
