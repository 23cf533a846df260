"""What runs on a host beside what should: one row a container."""

from dataclasses import dataclass
from datetime import datetime

from gitops.agent.desired import Desired
from gitops.engine.observed import Observed
from gitops.engine.specification import ContainerSpec, digests


@dataclass(frozen=True)
class Row:
    """A container that is there, or should be.

    Args:
        instance: whose it is.
        service: which of its services.
        state: the engine's word; `missing` where there is no container; with `not in the fleet` where there
            should be none.
        health: healthy, unhealthy or starting; empty where there is no healthcheck.
        image: name of the image and the first digits of its identity.
        current: whether it is as the fleet has it now.
        status: the engine's words for how long it has been so.
        created: when it was made, UTC; None where it is missing.
        generation: commit that it was made from.
    """

    instance: str
    service: str
    state: str
    health: str
    image: str
    current: bool
    status: str
    created: datetime | None
    generation: str


def rows(desired: Desired, observed: list[Observed]) -> list[Row]:
    """Give a row for each container that is there or should be, by instance and service."""
    present = {one.name: one for one in observed}
    found = []
    for spec in desired.containers:
        is_ = present.pop(spec.name, None)
        image = f"{spec.image_name} {(is_.image if is_ else spec.image).rpartition(':')[2][:8]}"
        if is_:
            found.append(_row(is_, is_.state, image, current=dict(is_.digests) == digests(spec)))
        else:
            found.append(_missing(spec, image))
    for is_ in present.values():
        repository, _, identity = is_.image.rpartition(":")
        image = f"{repository.rpartition('/')[2]} {identity[:8]}"
        found.append(_row(is_, f"{is_.state}, not in the fleet", image, current=False))
    return sorted(found, key=lambda row: (row.instance, row.service))


def _missing(spec: ContainerSpec, image: str) -> Row:
    return Row(
        spec.instance,
        spec.service,
        state="missing",
        health="",
        image=image,
        current=False,
        status="",
        created=None,
        generation="",
    )


def _row(is_: Observed, state: str, image: str, *, current: bool) -> Row:
    return Row(
        is_.instance,
        is_.service,
        state,
        is_.health,
        image,
        current,
        is_.status.partition(" (")[0] if is_.health else is_.status,
        is_.created,
        is_.generation,
    )
