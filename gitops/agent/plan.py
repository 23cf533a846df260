"""The ordered difference between what a host is to run and what its engine says; pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from gitops.agent.desired import Desired
from gitops.engine.observed import Observed
from gitops.engine.specification import ContainerSpec, NetworkSpec, VolumeSpec, digests


class Kind(StrEnum):
    """What an action does; the words that a plan shows."""

    BUILD = "build image"
    NETWORK = "create network"
    VOLUME = "create volume"
    CREATE = "create"
    RECREATE = "recreate"
    START = "start"
    RESTART = "restart"
    REMOVE_NETWORK = "remove network"
    REMOVE = "remove"


@dataclass(frozen=True)
class Action:
    """One step, and why.

    Args:
        kind: what is done.
        subject: to what: INSTANCE/SERVICE, or the name of an image, network or volume.
        reason: why, for people.
        spec: what is to be there afterwards; None for removals and images.
        observed: what is there before; None where there is nothing.
    """

    kind: Kind
    subject: str
    reason: str
    spec: ContainerSpec | NetworkSpec | VolumeSpec | None = None
    observed: Observed | None = None

    def __str__(self) -> str:
        """Give a line of the plan."""
        return f"{self.kind} {self.subject}: {self.reason}"


@dataclass(frozen=True)
class Engine:
    """What the engine has of a host.

    Args:
        containers: every container of it.
        networks: full name of each network to its instance.
        volumes: full names of those desired volumes that exist.
        images: those desired references that exist.
    """

    containers: tuple[Observed, ...] = ()
    networks: frozenset[tuple[str, str]] = frozenset()
    volumes: frozenset[str] = frozenset()
    images: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Plan:
    """Actions in the order in which they are safe; an instance's own order follows its dependencies."""

    actions: tuple[Action, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether there is anything to do."""
        return bool(self.actions)


Because = Callable[[Observed, ContainerSpec], str]
"""Says what changed between a container's image and the desired one; empty when that is not known."""


def plan(desired: Desired, engine: Engine, because: Because = lambda _observed, _spec: "") -> Plan:
    """Work out what is to be done.

    Images first, since they take longest and disturb nothing. Then what is gone is removed, because what
    comes may want its ports. Then networks, volumes and containers, each after what it depends on; at last
    the networks that containers have just left.
    """
    present = {one.name: one for one in engine.containers}
    networks = {name for name, _ in engine.networks}
    steps: list[Action] = []
    touched: set[tuple[str, str]] = set()
    for spec in desired.containers:
        step = _step(spec, present.get(spec.name), networks, because)
        if step is None:
            moved = [
                on.service for on in spec.depends_on if on.restart and (spec.instance, on.service) in touched
            ]
            if moved:
                reason = f"{', '.join(moved)}, which it depends on, starts anew"
                step = Action(Kind.RESTART, spec.subject, reason, spec, present[spec.name])
        if step:
            touched.add((spec.instance, spec.service))
            steps.append(step)
    return Plan(
        (
            *_images(steps, engine.images),
            *_removals(desired, engine),
            *(
                Action(Kind.NETWORK, one.name, f"{one.instance} needs it", one)
                for one in desired.networks
                if one.name not in networks
            ),
            *(
                Action(Kind.VOLUME, one.name, f"{one.instance} needs it", one)
                for one in desired.volumes
                if one.name not in engine.volumes
            ),
            *steps,
            *_left_networks(desired, engine),
        )
    )


def _step(spec: ContainerSpec, is_: Observed | None, networks: set[str], because: Because) -> Action | None:
    if is_ is None:
        return Action(Kind.CREATE, spec.subject, "it is not there", spec)
    if reason := _difference(spec, is_, networks, because):
        return Action(Kind.RECREATE, spec.subject, reason, spec, is_)
    if reason := _standstill(spec, is_):
        return Action(Kind.START, spec.subject, reason, spec, is_)
    return None


def _difference(spec: ContainerSpec, is_: Observed, networks: set[str], because: Because) -> str:
    wanted = digests(spec)
    fields = sorted(
        name for name in wanted.keys() | is_.digests.keys() if wanted.get(name) != is_.digests.get(name)
    )
    if "image" in fields:
        others = [name for name in fields if name != "image"]
        packages = because(is_, spec)
        return (
            f"image {spec.image_name} {_short(is_.image)} → {_short(spec.image)}"
            + (f", because {packages}" if packages else "")
            + (f"; {', '.join(others)} changed" if others else "")
        )
    if fields:
        return f"{', '.join(fields)} changed"
    own = {name for name, _ in spec.networks}
    if own != set(is_.networks):
        return "it is not on the networks that it should be on"
    if is_.state in {"dead", "removing"}:
        return f"it is {is_.state}"
    if is_.state != "running" and own - networks:
        return "its network was removed"
    return ""


def _standstill(spec: ContainerSpec, is_: Observed) -> str:
    match is_.state:
        case "running" | "restarting":
            return ""
        case "created":
            return "it was made but never started"
        case "paused":
            return "it was paused by hand"
    if is_.exited_well and (spec.restart == "no" or spec.restart.startswith("on-failure")):
        return ""
    return "it was stopped by hand or died"


def _short(reference: str) -> str:
    """Shorten REPOSITORY:IDENTITY to what a person can compare."""
    return reference.rpartition(":")[2][:8] or "none"


def _images(steps: list[Action], have: frozenset[str]) -> Iterator[Action]:
    needed: dict[str, ContainerSpec] = {}
    for step in steps:
        if isinstance(step.spec, ContainerSpec) and step.kind in {Kind.CREATE, Kind.RECREATE}:
            needed.setdefault(step.spec.image, step.spec)
    for reference, spec in sorted(needed.items()):
        if reference not in have:
            yield Action(Kind.BUILD, spec.image_name, f"{_short(reference)} is not on this host", spec)


def _removals(desired: Desired, engine: Engine) -> Iterator[Action]:
    names = {one.name for one in desired.containers}
    instances = {one.instance for one in desired.containers}
    # Networks go before the containers, stopped by then: after a kill in between, the containers still show
    # what is left to do, while a network alone would not be seen in a list of containers.
    for name, instance in sorted(engine.networks):
        if instance not in instances:
            yield Action(Kind.REMOVE_NETWORK, name, _gone(instance, instances))
    for one in engine.containers:
        if one.name not in names:
            yield Action(Kind.REMOVE, one.subject, _gone(one.instance, instances), observed=one)


def _left_networks(desired: Desired, engine: Engine) -> Iterator[Action]:
    instances = {one.instance for one in desired.containers}
    wanted = {one.name for one in desired.networks}
    for name, instance in sorted(engine.networks):
        if name not in wanted and instance in instances:
            yield Action(Kind.REMOVE_NETWORK, name, _gone(instance, instances))


def _gone(instance: str, instances: set[str]) -> str:
    if instance in instances:
        return f"{instance}'s app has no such thing any more"
    return f"{instance} is not placed on this host any more; its volumes stay"
