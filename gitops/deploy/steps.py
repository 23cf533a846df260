"""From what an instance has to what it is to have: the table of docs/rollouts.md, pure.

A service has at most two containers of ours: the one in its place, and one that stands aside, its name ending
in `.before`, until the first has proved itself. What is seen of the two says where a roll-out was cut short.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gitops.deploy.action import Action, Because, Kind
from gitops.deploy.failures import Failure
from gitops.engine.names import OVER
from gitops.engine.observed import Observed
from gitops.engine.specification import LIMITS, ContainerSpec, digests

_CUT_SHORT = "; an earlier roll-out was cut short"


@dataclass
class Pair:
    """What there is of a service: the container in its place, and the one that stands aside."""

    place: Observed | None = None
    aside: Observed | None = None

    @property
    def any(self) -> Observed:
        """Give one of them."""
        found = self.place or self.aside
        if found is None:
            raise LookupError("a pair of nothing")
        return found


@dataclass(frozen=True)
class Found:
    """What there is of an instance.

    Args:
        pairs: by the name of the place.
        over: what stood aside for a roll-out that is over, in the order in which it goes.
    """

    pairs: Mapping[str, Pair] = field(default_factory=dict)
    over: tuple[Observed, ...] = ()

    @property
    def under_way(self) -> bool:
        """Tell whether a roll-out was begun and is neither done nor undone."""
        return any(pair.aside for pair in self.pairs.values())


def find(containers: Iterable[Observed]) -> Found:
    """Sort an instance's containers.

    One whose name ends in `.over` says that all of the instance's new ones had proved themselves: then
    whatever stands aside is only in the way, and this one goes last.
    """
    pairs: dict[str, Pair] = {}
    over = [one for one in containers if one.name.endswith(OVER)]
    aside = []
    for one in containers:
        if not one.aside:
            pairs.setdefault(one.place, Pair()).place = one
        elif over:
            aside.append(one)
        else:
            pairs.setdefault(one.place, Pair()).aside = one
    return Found(pairs, (*(one for one in aside if one not in over), *over))


def forward(
    specs: Sequence[ContainerSpec], found: Found, networks: Callable[[str], bool], because: Because
) -> list[Action]:
    """Give the steps to what is desired, in the order in which they are safe.

    Args:
        specs: what the instance is to have, in the order of its dependencies.
        found: what it has.
        networks: tells whether a network is there.
        because: says why an image changed.
    """
    steps = [
        Action(
            Kind.REMOVE,
            pair.any.subject,
            f"{pair.any.instance}'s app has no such thing any more",
            observed=pair.place,
            before=pair.aside,
        )
        for place, pair in sorted(found.pairs.items())
        if place not in {spec.name for spec in specs}
    ]
    anew: set[str] = set()
    for spec in specs:
        pair = found.pairs.get(spec.name, Pair())
        step = _step(spec, pair, networks, because)
        moved = [on.service for on in spec.depends_on if on.restart and on.service in anew]
        if step is None and moved:
            reason = f"{', '.join(moved)}, which it depends on, starts anew"
            step = Action(Kind.RESTART, spec.subject, reason, spec, pair.place)
        if step:
            steps.append(step)
            if step.kind is not Kind.UPDATE:
                anew.add(spec.service)
    return steps


def back(specs: Iterable[ContainerSpec], found: Found, failure: Failure) -> list[Action]:
    """Give the steps that still lead back from what failed; none where the way back is done."""
    services = {spec.name: spec for spec in specs}
    reason = f"the roll-out failed: {failure.reason}"
    undo = [
        Action(Kind.ROLL_BACK, pair.aside.subject, reason, services.get(place), pair.place, pair.aside)
        for place, pair in found.pairs.items()
        if pair.aside
    ]
    order = list(services)
    undo.sort(key=lambda step: order.index(_place(step)) if _place(step) in services else len(order))
    return [
        *(
            Action(Kind.TIDY, pair.place.subject, reason, observed=pair.place)
            for pair in found.pairs.values()
            if pair.place and not pair.aside and pair.place.service in failure.added
        ),
        *undo,
    ]


def upright(specs: Sequence[ContainerSpec], found: Found) -> list[Action]:
    """Start what stands still in an instance that is otherwise left as it is."""
    return [
        Action(Kind.START, spec.subject, reason, spec, pair.place)
        for spec in specs
        if (pair := found.pairs.get(spec.name))
        and pair.place
        and not pair.aside
        and (reason := standstill(pair.place.restart, pair.place))
    ]


def clear_away(found: Found) -> Iterator[Action]:
    """Remove what a roll-out that is over has left."""
    for one in found.over:
        yield Action(Kind.TIDY, one.subject, "what took its place has proved itself", observed=one)


def _place(step: Action) -> str:
    return step.before.place if step.before else ""


def _step(
    spec: ContainerSpec, pair: Pair, networks: Callable[[str], bool], because: Because
) -> Action | None:
    """Look up the table: what to do about one service."""
    is_, aside = pair.place, pair.aside
    difference = _difference(spec, is_, networks, because) if is_ else ""
    if aside is None:
        return _alone(spec, is_, difference)
    if is_ and not difference:
        return Action(Kind.FINISH, spec.subject, "its roll-out was cut short", spec, is_, aside)
    was = _difference(spec, aside, networks, because)
    if not was:
        return Action(Kind.PUT_BACK, spec.subject, "git says again what it was", spec, is_, aside)
    return Action(Kind.RECREATE, spec.subject, f"{was}{_CUT_SHORT}", spec, is_, aside)


def _alone(spec: ContainerSpec, is_: Observed | None, difference: str) -> Action | None:
    if is_ is None:
        return Action(Kind.CREATE, spec.subject, "it is not there", spec)
    if difference:
        kind = Kind.UPDATE if _only_limits(spec, is_) else Kind.RECREATE
        return Action(kind, spec.subject, difference, spec, is_)
    if reason := standstill(spec.restart, is_):
        return Action(Kind.START, spec.subject, reason, spec, is_)
    return None


def _changed(spec: ContainerSpec, is_: Observed) -> list[str]:
    wanted = digests(spec)
    return sorted(
        name for name in wanted.keys() | is_.digests.keys() if wanted.get(name) != is_.digests.get(name)
    )


def _only_limits(spec: ContainerSpec, is_: Observed) -> bool:
    """Tell whether the engine can make the difference good; it cannot take memory's or cpus' limit away."""
    fields = _changed(spec, is_)
    return (
        bool(fields)
        and set(fields) <= set(LIMITS)
        and all(getattr(spec, name) is not None for name in fields if name != "pids_limit")
        and is_.state in {"running", "restarting"}
        and {name for name, _ in spec.networks} == set(is_.networks)
    )


def _difference(spec: ContainerSpec, is_: Observed, networks: Callable[[str], bool], because: Because) -> str:
    fields = _changed(spec, is_)
    if "image" in fields:
        others = [name for name in fields if name != "image"]
        packages = because(is_, spec)
        return (
            f"image {spec.image_name} {short(is_.image)} → {short(spec.image)}"
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
    if is_.state != "running" and not all(map(networks, own)):
        return "its network was removed"
    return ""


def standstill(restart: str, is_: Observed) -> str:
    """Say why a container does not run that should; nothing where all is well, or another step sees to it."""
    match is_.state:
        case "running" | "restarting" | "dead" | "removing":
            return ""
        case "created":
            return "it was made but never started"
        case "paused":
            return "it was paused by hand"
    if is_.exited_well and (restart == "no" or restart.startswith("on-failure")):
        return ""
    return "it was stopped by hand or died"


def short(reference: str) -> str:
    """Shorten REPOSITORY:IDENTITY to what a person can compare."""
    return reference.rpartition(":")[2][:8] or "none"
