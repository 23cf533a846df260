"""Waiting for containers: for what another depends on, and at the end for all of them."""

import time
from collections.abc import Callable, Sequence

from gitops.deploy.desired import Desired
from gitops.engine.docker import Docker
from gitops.engine.observed import Observed
from gitops.engine.specification import ContainerSpec, DependencySpec
from gitops.system.errors import Problem, UserError

PATIENCE = 300.0
"""Seconds that a container may take to become healthy; its own healthcheck mostly decides sooner."""

_DYING_PATIENCE = 10.0
"""Seconds in which a container that dies and is started again must come to itself."""

_FIRST_SECONDS = 3.0
"""Seconds in which a container without a healthcheck must have stayed up for one."""

_WELL = {"", "healthy"}
_UNDER_WAY = {"running", "starting", "healthy", "unhealthy", "created", "restarting"}


def patience(spec: ContainerSpec) -> float:
    """Give the seconds in which a container's own healthcheck must have decided."""
    check = spec.healthcheck
    own = check.start_period + (check.retries + 1) * (check.interval + check.timeout) if check else 0
    return max(PATIENCE, own / 1e9)


def wait_for(
    spec: ContainerSpec,
    dependency: DependencySpec,
    container: str,
    engine: Docker,
    pause: Callable[[float], None],
) -> None:
    """Wait until what a container depends on is so far; raises UserError when it will not be.

    Args:
        spec: the container that is to start.
        dependency: what it depends on.
        container: that one's name.
        engine: asked how it is.
        pause: waits some seconds; raises what is to end the waiting.
    """
    if dependency.condition == "service_started":
        return
    if dependency.condition == "service_healthy":
        state, said = engine.wait_healthy(container, PATIENCE, pause)
        good = state in {"healthy", "running"}
    else:
        while (found := engine.health(container))[0] in _UNDER_WAY:
            pause(0.2)
        state, said = found
        good = state == "exited (0)"
    if not good and dependency.required:
        raise UserError(
            f"{spec.subject} waits for {spec.instance}/{dependency.service}, which is {state}",
            hint=said.replace("\n", "\n  "),
        )


def settle(
    desired: Desired, seen: Sequence[Observed], look: Callable[[], Sequence[Observed]], engine: Docker
) -> None:
    """Wait until every container works, or tell which do not and what they last said.

    Args:
        desired: the containers in question.
        seen: the newest list; containers that are well in it cost no further call.
        look: gives a newer list: one that has only just started may be about to die.
        engine: asked about those that are not well.

    Raises:
        UserError: a container is not well.
    """
    begun = time.monotonic()
    while any(one.just_started for one in seen) and time.monotonic() < begun + _FIRST_SECONDS:
        time.sleep(0.2)
        seen = look()
    present = {one.name: one for one in seen}
    problems = []
    for spec in desired.containers:
        is_ = present.get(spec.name)
        fresh = is_ is not None and is_.just_started
        if is_ and (is_.exited_well or (is_.state == "running" and is_.health in _WELL and not fresh)):
            continue
        patience = _DYING_PATIENCE if is_ and is_.state == "restarting" else PATIENCE
        state, said = engine.wait_healthy(spec.name, begun + patience - time.monotonic())
        if fresh or state not in {"running", "healthy", "exited (0)"}:
            how = "dying again and again" if fresh else state
            problems.append(Problem(message=f"{spec.subject} is {how}", hint=said.replace("\n", "\n  ")))
    if problems:
        raise UserError.of(problems)
