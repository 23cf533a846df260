"""Carrying a plan out: the only code that changes what runs on a host.

Every step leaves the host in a state that the next plan understands, so a kill at any point loses nothing but
time: what is missing is made, what was made but not started is started, and no step removes a volume.
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby

from gitops.agent.desired import Desired
from gitops.agent.plan import Action, Kind, Plan
from gitops.engine.docker import Docker
from gitops.engine.observed import Observed
from gitops.engine.specification import ContainerSpec, DependencySpec, NetworkSpec, VolumeSpec, digests
from gitops.fleet.hosts import AT_ONCE
from gitops.system.errors import Problem, UserError

_PATIENCE = 300.0
"""Seconds that a container may take to become healthy; its own healthcheck mostly decides sooner."""

_DYING_PATIENCE = 10.0
"""Seconds in which a container that dies and is started again must come to itself."""

_FIRST_SECONDS = 3.0
"""Seconds in which a container without a healthcheck must have stayed up for one."""


_WELL = {"", "healthy"}
_STEPS = {Kind.CREATE, Kind.RECREATE, Kind.START, Kind.RESTART}
_UNDER_WAY = {"running", "starting", "healthy", "unhealthy", "created", "restarting"}


class _InterruptedError(Exception):
    """The user has pressed Ctrl-C; threads end at their next pause."""


@dataclass(frozen=True)
class Work:
    """What applying needs besides a plan.

    Args:
        engine: the host's engine.
        fleet: the fleet's name, for labels.
        host: the host's name.
        generation: the commit that is applied.
        build: builds images, by name.
        secrets: makes a container's secrets readable to it.
        tell: says what is being done.
    """

    engine: Docker
    fleet: str
    host: str
    generation: str
    build: Callable[[Sequence[str]], None]
    secrets: Callable[[ContainerSpec], None]
    tell: Callable[[str], None]


def apply(plan: Plan, desired: Desired, work: Work) -> None:
    """Make the host so. One instance's failure does not keep the others from their due.

    Raises:
        UserError: what failed, each with its instance.
    """
    images = [action.subject for action in plan.actions if action.kind is Kind.BUILD]
    if images:
        work.build(images)
    _let_go(plan, work)
    for starts, actions in groupby(plan.actions, lambda action: action.kind in _STEPS):
        if starts:
            _instances(list(actions), desired, work)
        else:
            for action in actions:
                _arrange(action, work)


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
        patience = _DYING_PATIENCE if is_ and is_.state == "restarting" else _PATIENCE
        state, said = engine.wait_healthy(spec.name, begun + patience - time.monotonic())
        if fresh or state not in {"running", "healthy", "exited (0)"}:
            how = "dying again and again" if fresh else state
            problems.append(Problem(message=f"{spec.subject} is {how}", hint=said.replace("\n", "\n  ")))
    if problems:
        raise UserError.of(problems)


def _let_go(plan: Plan, work: Work) -> None:
    """Stop what is to be removed, and what holds ports that are about to move to another container."""
    stopped = [
        action.observed.id
        for action in plan.actions
        if action.observed and (action.kind is Kind.REMOVE or _ports_move(action))
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(work.engine.stop, stopped))


def _ports_move(action: Action) -> bool:
    if action.kind is not Kind.RECREATE or action.observed is None:
        return False
    wanted = digests(action.spec) if isinstance(action.spec, ContainerSpec) else {}
    return action.observed.digests.get("ports") != wanted.get("ports")


def _arrange(action: Action, work: Work) -> None:
    """Do what is not about starting a container."""
    if action.kind is not Kind.BUILD:
        work.tell(str(action))
    if isinstance(action.spec, NetworkSpec):
        work.engine.ensure_network(action.spec, work.fleet, work.host)
    elif isinstance(action.spec, VolumeSpec):
        work.engine.ensure_volume(action.spec, work.fleet, work.host)
    elif action.kind is Kind.REMOVE_NETWORK:
        work.engine.remove_network(action.subject)
    elif action.kind is Kind.REMOVE and action.observed:
        work.engine.remove(action.observed.id)


def _instances(actions: list[Action], desired: Desired, work: Work) -> None:
    """Work through containers: instances side by side, the containers of one in their order."""
    names = {(one.instance, one.service): one.name for one in desired.containers}
    stopping = threading.Event()

    def pause(seconds: float) -> None:
        if stopping.wait(seconds):
            raise _InterruptedError

    def one_by_one(steps: list[Action]) -> tuple[Problem, ...]:
        try:
            for step in steps:
                pause(0)
                _start(step, names, work, pause)
        except UserError as error:
            return error.problems
        return ()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            problems = [problem for found in pool.map(one_by_one, _by_instance(actions)) for problem in found]
        except BaseException:
            stopping.set()
            raise
    if problems:
        raise UserError.of(problems)


def _by_instance(actions: list[Action]) -> list[list[Action]]:
    groups: dict[str, list[Action]] = {}
    for action in actions:
        groups.setdefault(action.subject.partition("/")[0], []).append(action)
    return list(groups.values())


def _start(
    action: Action, names: dict[tuple[str, str], str], work: Work, pause: Callable[[float], None]
) -> None:
    spec, old, engine = action.spec, action.observed, work.engine
    if not isinstance(spec, ContainerSpec):
        return
    for dependency in spec.depends_on:
        _wait_for(spec, dependency, names[spec.instance, dependency.service], engine, pause)
    work.tell(str(action))
    if spec.secrets:
        work.secrets(spec)
    if old and action.kind in {Kind.RECREATE, Kind.RESTART}:
        engine.stop(old.id)
    if old and action.kind is Kind.RECREATE:
        engine.remove(old.id)
    if action.kind in {Kind.CREATE, Kind.RECREATE}:
        engine.create(spec, work.fleet, work.host, work.generation)
    engine.start(spec.name)


def _wait_for(
    spec: ContainerSpec,
    dependency: DependencySpec,
    container: str,
    engine: Docker,
    pause: Callable[[float], None],
) -> None:
    if dependency.condition == "service_started":
        return
    if dependency.condition == "service_healthy":
        state, said = engine.wait_healthy(container, _PATIENCE, pause)
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
