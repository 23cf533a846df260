"""An engine made of values: what a plan's actions would leave behind on a real one."""

from dataclasses import replace

from gitops.deploy.action import Action, Kind
from gitops.deploy.desired import Desired
from gitops.deploy.plan import Engine, Plan
from gitops.engine.observed import Observed
from gitops.engine.specification import ContainerSpec, NetworkSpec, VolumeSpec, digests


def running(spec: ContainerSpec, **fields: object) -> Observed:
    """Give the container that a specification leads to; fields as in `Observed`."""
    seen = Observed(
        id=spec.name,
        name=spec.name,
        instance=spec.instance,
        service=spec.service,
        image=spec.image,
        generation="c0ffee",
        digests=digests(spec),
        state="running",
        status="Up 1 second",
        networks=tuple(sorted(name for name, _ in spec.networks)),
    )
    return replace(seen, **fields)  # type: ignore[arg-type]  # a test names its own fields


def carry_out(plan: Plan, engine: Engine, upto: int | None = None) -> Engine:
    """Give the engine after a plan, or after its first `upto` actions."""
    for action in plan.actions[:upto]:
        engine = _step(action, engine)
    return engine


def holds(engine: Engine, desired: Desired) -> bool:
    """Tell whether the engine has what is desired and nothing else, volumes aside."""
    return (
        {one.name: dict(one.digests) for one in engine.containers}
        == {one.name: digests(one) for one in desired.containers}
        and all(one.state == "running" for one in engine.containers)
        and {name for name, _ in engine.networks} == {one.name for one in desired.networks}
        and engine.volumes >= {one.name for one in desired.volumes}
    )


def _step(action: Action, engine: Engine) -> Engine:
    spec, gone = action.spec, {one.id for one in (action.observed, action.before) if one}
    others = tuple(one for one in engine.containers if one.id not in gone)
    if action.kind is Kind.BUILD and isinstance(spec, ContainerSpec):
        return replace(engine, images=engine.images | {spec.image})
    if action.kind is Kind.REMOVE_NETWORK:
        left = frozenset(one for one in engine.networks if one[0] != action.subject)
        return replace(engine, networks=left)
    if isinstance(spec, NetworkSpec):
        return replace(engine, networks=engine.networks | {(spec.name, spec.instance)})
    if isinstance(spec, VolumeSpec):
        return replace(engine, volumes=engine.volumes | {spec.name})
    return replace(engine, containers=(*others, *_left(action, others, engine)))


def _left(action: Action, others: tuple[Observed, ...], engine: Engine) -> tuple[Observed, ...]:
    """Give the container that an action leaves in its place, if any."""
    spec = action.spec
    if action.kind in {Kind.REMOVE, Kind.TIDY}:
        return ()
    if action.kind in {Kind.PUT_BACK, Kind.ROLL_BACK} and action.before:
        return (replace(action.before, name=action.before.place, state="running", status="Up 1 second"),)
    if not isinstance(spec, ContainerSpec):
        raise TypeError(action)
    if spec.image not in engine.images and action.kind in {Kind.CREATE, Kind.RECREATE}:
        raise LookupError(f"no image {spec.image}")
    if not {name for name, _ in spec.networks} <= {name for name, _ in engine.networks}:
        raise LookupError(f"no network for {spec.subject}")
    if spec.name in {one.name for one in others}:
        raise LookupError(f"two containers {spec.name}")
    return (running(spec),)
