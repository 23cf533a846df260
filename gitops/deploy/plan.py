"""The ordered difference between what a host is to run and what its engine says; pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gitops.deploy.action import ROLLED, Action, Because, Held, Kind, Result
from gitops.deploy.desired import Desired, Placed
from gitops.deploy.failures import Failure
from gitops.deploy.steps import Found, back, clear_away, find, forward, short, upright
from gitops.engine.observed import Observed
from gitops.engine.specification import ContainerSpec, NetworkSpec

__all__ = ["Action", "Because", "Engine", "Kind", "Plan", "plan"]


@dataclass(frozen=True)
class Engine:
    """What the engine has of a host, and what the host remembers.

    Args:
        containers: every container of it.
        networks: full name of each network to its instance.
        volumes: full names of those desired volumes that exist.
        images: those desired references that exist.
        failures: what instances failed at.
        holds: containers that stand still for a while, and why: by id.
    """

    containers: tuple[Observed, ...] = ()
    networks: frozenset[tuple[str, str]] = frozenset()
    volumes: frozenset[str] = frozenset()
    images: frozenset[str] = frozenset()
    failures: Mapping[str, Failure] = field(default_factory=dict)
    holds: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What is to be done, and what is left although git says otherwise.

    Args:
        actions: in the order in which they are safe; an instance's own order follows its dependencies.
        held: instances that are left as they are, and why.
        waiting: instances that are left alone while they stand still for a backup, say, and why.
    """

    actions: tuple[Action, ...] = ()
    held: tuple[Held, ...] = ()
    waiting: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Tell whether there is anything to do."""
        return bool(self.actions)


def plan(desired: Desired, engine: Engine, because: Because = lambda _observed, _spec: "") -> Plan:
    """Work out what is to be done.

    Images first, since they take longest and disturb nothing. Then what is gone is removed, because what
    comes may want its ports. Then networks, volumes and containers, each after what it depends on; at last
    the networks that containers have just left.
    """
    turns = _Turns(desired, engine, because)
    waiting = {one.instance: engine.holds[one.id] for one in engine.containers if one.id in engine.holds}
    steps = [step for instance in turns.specs if instance not in waiting for step in turns.steps(instance)]
    held = {one.instance for one in turns.held} | waiting.keys()
    networks = {name for name, _ in engine.networks}
    return Plan(
        (
            *_images(steps, engine.images),
            *(step for step in _removals(desired, engine) if step.instance not in waiting),
            *(step for step in steps if step.kind is Kind.TIDY),
            *(
                Action(Kind.NETWORK, one.name, f"{one.instance} needs it", one)
                for one in desired.networks
                if one.name not in networks and one.instance not in held
            ),
            *(
                Action(Kind.VOLUME, one.name, f"{one.instance} needs it", one)
                for one in desired.volumes
                if one.name not in engine.volumes and one.instance not in held
            ),
            *(step for step in steps if step.kind is not Kind.TIDY),
            *(step for step in _left_networks(desired, engine) if step.instance not in held),
        ),
        tuple(turns.held),
        waiting,
    )


class _Turns:
    """Which instances may change, and what is done about each."""

    def __init__(self, desired: Desired, engine: Engine, because: Because) -> None:
        self.specs = desired.instances()
        self.held: list[Held] = []
        self._placed = desired.placed
        self._because = because
        self._networks = {name for name, _ in engine.networks}
        containers: dict[str, list[Observed]] = {}
        for one in engine.containers:
            containers.setdefault(one.instance, []).append(one)
        self._found = {name: find(containers.get(name, ())) for name in self.specs}
        self._failed = {
            name: failure
            for name, failure in engine.failures.items()
            if name in self.specs and failure.still_holds(self.specs)
        }
        self._failures = Counter(self._group(name) for name in self._failed)

    def steps(self, instance: str) -> list[Action]:
        """Give what is done about an instance; one that is left as it is is added to those held."""
        specs, found = self.specs[instance], self._found[instance]
        wanted = forward(specs, found, self._networks.__contains__, self._because)
        rolls = any(step.kind in ROLLED for step in wanted)
        failure, group = self._failed.get(instance), self._group(instance)
        steps = wanted
        if failure and group.rollout.on_failure == "rollback":
            undo = back(specs, found, failure)
            if undo or rolls:
                self.held.append(failure.held())
                steps = [*undo, *upright(specs, found)]
        elif failure and rolls and not _came_to_itself(wanted, found):
            self.held.append(failure.held())
            steps = []
        elif rolls and not found.under_way and self._failures[group] > group.rollout.max_failures:
            self.held.append(self._not_touched(instance))
            steps = upright(specs, found)
        return [*clear_away(found), *steps]

    def _group(self, instance: str) -> Placed:
        return self._placed.get(instance, _PLACED)

    def _not_touched(self, instance: str) -> Held:
        group = self._group(instance)
        failed = sorted(name for name in self._failed if self._group(name) == group)
        return Held(instance, Result.NOT_TOUCHED, stopped(group.app, failed))


_PLACED = Placed()


def stopped(app: str, failed: list[str]) -> str:
    """Say why the rest of an app's instances is left as it is."""
    more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
    return f"the roll-out of {app or 'its app'} stopped, because {failed[0]}{more} failed"


def _came_to_itself(wanted: list[Action], found: Found) -> bool:
    """Tell whether what was left because it failed is well by now, as far as a list can tell."""
    return all(step.kind is Kind.FINISH for step in wanted) and all(
        pair.place is not None and pair.place.state == "running" and pair.place.health in {"", "healthy"}
        for pair in found.pairs.values()
    )


def _images(steps: list[Action], have: frozenset[str]) -> Iterator[Action]:
    needed: dict[str, ContainerSpec] = {}
    for step in steps:
        if isinstance(step.spec, ContainerSpec) and step.kind in {Kind.CREATE, Kind.RECREATE}:
            needed.setdefault(step.spec.image, step.spec)
    for reference, spec in sorted(needed.items()):
        if reference not in have:
            yield Action(Kind.BUILD, spec.image_name, f"{short(reference)} is not on this host", spec)


def _removals(desired: Desired, engine: Engine) -> Iterator[Action]:
    instances = {one.instance for one in desired.containers}
    # Networks go before the containers, stopped by then: after a kill in between, the containers still show
    # what is left to do, while a network alone would not be seen in a list of containers.
    for name, instance in sorted(engine.networks):
        if instance not in instances:
            yield Action(Kind.REMOVE_NETWORK, name, _gone(instance), NetworkSpec(name, instance, name))
    for one in engine.containers:
        if one.instance not in instances:
            yield Action(Kind.REMOVE, one.subject, _gone(one.instance), observed=one)


def _left_networks(desired: Desired, engine: Engine) -> Iterator[Action]:
    instances = {one.instance for one in desired.containers}
    wanted = {one.name for one in desired.networks}
    for name, instance in sorted(engine.networks):
        if name not in wanted and instance in instances:
            reason = f"{instance}'s app has no such thing any more"
            yield Action(Kind.REMOVE_NETWORK, name, reason, NetworkSpec(name, instance, name))


def _gone(instance: str) -> str:
    return f"{instance} is not placed on this host any more; its volumes stay"
