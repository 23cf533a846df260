"""Who changes beside whom, and who waits: the containers of a plan, cut into units and batches; pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from gitops.deploy.action import ROLLED, Action, Kind
from gitops.deploy.desired import Desired, Placed
from gitops.engine.specification import ContainerSpec
from gitops.fleet.ports import meet

ARRANGED = {Kind.BUILD, Kind.NETWORK, Kind.VOLUME, Kind.REMOVE_NETWORK, Kind.TIDY}
"""What is done for a host or an instance as a whole, before or after its containers change."""


@dataclass(frozen=True)
class Unit:
    """What changes as one: mostly an instance; several where one takes a port that another gives up.

    Args:
        instances: their names.
        actions: in order.
        placed: what they are copies of, and how changes reach them.
    """

    instances: tuple[str, ...]
    actions: tuple[Action, ...]
    placed: Placed

    @property
    def rolls(self) -> bool:
        """Tell whether it takes away anything that runs."""
        return any(action.kind in ROLLED for action in self.actions)

    @property
    def under_way(self) -> bool:
        """Tell whether it was begun before."""
        return any(action.before for action in self.actions)


def units(actions: Iterable[Action], desired: Desired) -> list[Unit]:
    """Cut the actions on containers of placed instances into units, in the order of the plan."""
    own: dict[str, list[Action]] = {}
    placed = desired.placed or {one.instance: Placed() for one in desired.containers}
    for action in actions:
        if action.kind not in ARRANGED and action.instance in placed:
            own.setdefault(action.instance, []).append(action)
    joined: dict[str, list[str]] = {}
    lead = _leads(own)
    for instance in own:
        joined.setdefault(lead[instance], []).append(instance)
    return [
        Unit(tuple(names), tuple(action for name in names for action in own[name]), placed[first])
        for first, names in joined.items()
    ]


def batches(group: Iterable[Unit], instances: int) -> Iterator[list[Unit]]:
    """Cut the units of an app into batches: what was begun before first, then by name.

    Args:
        group: units of the same app and roll-out.
        instances: how many instances the app has on the host.
    """
    waiting = sorted(group, key=lambda unit: (not unit.under_way, unit.instances))
    while waiting:
        size = waiting[0].placed.rollout.batch_of(instances)
        batch = [waiting.pop(0)]
        while waiting and sum(len(unit.instances) for unit in (*batch, waiting[0])) <= size:
            batch.append(waiting.pop(0))
        yield batch


def _leads(own: Mapping[str, list[Action]]) -> dict[str, str]:
    """Give each instance the first of those that it exchanges ports with, itself mostly."""
    lead = {instance: instance for instance in own}

    def find(instance: str) -> str:
        while lead[instance] != instance:
            instance = lead[instance]
        return instance

    holders: dict[tuple[int, str], list[tuple[str, str]]] = {}
    for instance, actions in own.items():
        for address, port, protocol in _held(actions):
            holders.setdefault((port, protocol), []).append((address, instance))
    for instance, actions in own.items():
        for address, port, protocol in _wanted(actions):
            for theirs, holder in holders.get((port, protocol), ()):
                if meet(address, theirs):
                    first, second = sorted((find(instance), find(holder)))
                    lead[second] = first
    return {instance: find(instance) for instance in own}


def _held(actions: Iterable[Action]) -> Iterator[tuple[str, int, str]]:
    for action in actions:
        if action.kind in ROLLED:
            for one in (action.observed, action.before):
                yield from one.ports if one else ()


def _wanted(actions: Iterable[Action]) -> Iterator[tuple[str, int, str]]:
    for action in actions:
        if isinstance(action.spec, ContainerSpec):
            for port in action.spec.ports:
                if port.published is not None:
                    yield port.host_ip, port.published, port.protocol
