"""What runs on a host beside what should: one row a container, what needs somebody first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from gitops.engine.observed import Observed
from gitops.engine.specification import ContainerSpec, digests
from gitops.engine.usage import Usage

if TYPE_CHECKING:
    from gitops.deploy.action import Held
    from gitops.deploy.desired import Desired
    from gitops.deploy.plan import Plan


@dataclass(frozen=True)
class Row:
    """A container that is there, or should be.

    Args:
        instance: whose it is.
        service: which of its services.
        state: the engine's word; `missing` where there is no container; with `not in the fleet` where there
            should be none, with `kept to go back to` where it stands aside for a roll-out.
        health: healthy, unhealthy or starting; empty where there is no healthcheck.
        image: name of the image and the first digits of its identity.
        current: whether it is as the fleet has it now.
        status: the engine's words for how long it has been so.
        created: when it was made, UTC; None where it is missing.
        generation: commit that it was made from.
        note: what is to be done about it, or why that is not done.
        cpu: cores that it uses, on average since the look before; None where that is not known.
        cpus: cores that it may use; None for all.
        usage: what else it uses; None where it does not run.
        id: the engine's name for it; empty where it is missing.
    """

    instance: str
    service: str
    state: str
    health: str
    image: str
    current: bool
    status: str = ""
    created: datetime | None = None
    generation: str = ""
    note: str = ""
    cpu: float | None = None
    cpus: float | None = None
    usage: Usage | None = None
    id: str = ""

    @property
    def well(self) -> bool:
        """Tell whether nobody needs to look at it."""
        return not self.note and self.sound

    @property
    def sound(self) -> bool:
        """Tell whether it works, whether it is what git says or not."""
        return self.health in {"", "healthy"} and self.state in {"running", "exited"}


def rows(
    desired: "Desired",
    observed: Iterable[Observed],
    plan: "Plan",
    usage: Mapping[str, Usage] | None = None,
    earlier: Mapping[str, Usage] | None = None,
) -> list[Row]:
    """Give a row for each container that is there or should be: problems first, then by instance and service.

    Args:
        desired: what the host is to run.
        observed: what it has.
        plan: what is to be done there, and what is held back.
        usage: what containers use now, by id.
        earlier: what they used at the look before.
    """
    present = {one.name: one for one in observed}
    held = {one.instance: f"{one.result}: {one.reason}{_words(one)}" for one in plan.held}
    held |= {instance: f"stands still for a {why}" for instance, why in plan.waiting.items()}
    steps = {one.subject: f"{one.kind}: {one.reason}" for one in plan.actions}
    found = []
    for spec in desired.containers:
        is_ = present.pop(spec.name, None)
        note = held.get(spec.instance) or steps.get(spec.subject, "")
        if is_ is None:
            found.append(
                Row(spec.instance, spec.service, "missing", "", _image(spec), current=False, note=note)
            )
            continue
        now, before = (each.get(is_.id) for each in (usage or {}, earlier or {}))
        cpu = now.cores_since(before) if now and before else None
        same = dict(is_.digests) == digests(spec)
        found.append(row(is_, is_.state, current=same, note=note, cpu=cpu, cpus=spec.cpus, usage=now))
    for is_ in present.values():
        word = "kept to go back to" if is_.aside else "not in the fleet"
        found.append(row(is_, f"{is_.state}, {word}", current=False, note=steps.get(is_.subject, word)))
    return in_order(found)


def _words(one: "Held") -> str:
    """Say where there is more to read."""
    return f"; its last words: gitops why {one.instance}" if one.said else ""


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Put problems first, then sort by instance and service."""
    return sorted(rows, key=lambda one: (one.well, one.instance, one.service))


def _image(spec: ContainerSpec) -> str:
    return f"{spec.image_name} {spec.image.rpartition(':')[2][:8]}"


def row(
    is_: Observed,
    state: str,
    *,
    current: bool,
    note: str = "",
    cpu: float | None = None,
    cpus: float | None = None,
    usage: Usage | None = None,
) -> Row:
    """Give the row of a container that is there; see Row."""
    repository, _, identity = is_.image.rpartition(":")
    return Row(
        is_.instance,
        is_.service,
        state,
        is_.health,
        f"{repository.rpartition('/')[2]} {identity[:8]}",
        current,
        status=is_.status.partition(" (")[0] if is_.health else is_.status,
        created=is_.created,
        generation=is_.generation,
        note=note,
        cpu=cpu,
        cpus=cpus,
        usage=usage,
        id=is_.id,
    )
