"""Applying specifications to the real engine as the agent does, without a fleet's definitions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gitops.deploy.applied import Applied
from gitops.deploy.apply import Work, apply, settle
from gitops.deploy.desired import Desired, Placed
from gitops.deploy.failures import Failures
from gitops.deploy.limits import Limits
from gitops.deploy.plan import Engine, Plan, plan
from gitops.engine.docker import Docker
from gitops.engine.observed import Observed
from gitops.engine.specification import (
    ContainerSpec,
    DependencySpec,
    HealthSpec,
    MountSpec,
    NetworkSpec,
    VolumeSpec,
)
from gitops.fleet.rollout import Rollout
from gitops.system.errors import UserError
from tests.engine_fixtures import WELL, container

AT_ONCE = Rollout(wait=2, batch="100%")
QUICK = HealthSpec(("CMD-SHELL", f"test -e /tmp/ready || exit 1; {WELL}"), 10**8, 10**10, 20, 0)
READY_LATE = ("sh", "-c", "trap 'exit 0' TERM; sleep 0.5; touch /tmp/ready; while :; do sleep 0.1; done")


def wanting(fleet: str, *specs: ContainerSpec, rollout: Rollout = AT_ONCE) -> Desired:
    """Want these containers, with the networks and volumes that they name."""
    networks = {name: NetworkSpec(name, one.instance, "default") for one in specs for name, _ in one.networks}
    volumes = {
        mount.source: VolumeSpec(mount.source, one.instance, mount.source.removeprefix(f"{fleet}."))
        for one in specs
        for mount in one.volumes
    }
    placed = {one.instance: Placed("blog", rollout) for one in specs}
    return Desired(specs, tuple(networks.values()), tuple(volumes.values()), placed)


@dataclass
class Deployment:
    """A host of one test's own: what is told, and what it remembers."""

    engine: Docker
    fleet: str
    state: Path | None = None
    told: list[str] = field(default_factory=list)

    def containers(self) -> list[Observed]:
        """List what there is."""
        return self.engine.containers(self.fleet, "host")

    def look(self, desired: Desired) -> Engine:
        """See what the engine has, and what the host remembers."""
        return Engine(
            tuple(Limits(self.state).as_they_are(self.containers(), desired, self.engine)),
            frozenset(self.engine.networks(self.fleet, "host").items()),
            frozenset(self.engine.volumes(self.fleet, "host")),
            frozenset(self.engine.images({one.image for one in desired.containers})),
            Failures(self.state).read(),
        )

    def plan(self, desired: Desired) -> Plan:
        """Work out what is to be done."""
        return plan(desired, self.look(desired))

    def apply(
        self, desired: Desired, build: Callable[[Sequence[str]], None] | None = None
    ) -> tuple[Plan, Applied]:
        """Do it; what fails is in what is returned."""
        steps = self.plan(desired)
        work = Work(
            engine=self.engine,
            fleet=self.fleet,
            host="host",
            generation="c0ffee",
            build=build or (lambda images: pytest.fail(f"nobody asked for {images}")),
            secrets=lambda _spec: None,
            tell=self.told.append,
            state=self.state,
        )
        return steps, apply(steps, desired, work)

    def states(self) -> dict[str, str]:
        """Give the state of each container by its name, without the fleet's."""
        return {one.name.removeprefix(f"{self.fleet}."): one.state for one in self.containers()}

    def ids(self) -> dict[str, str]:
        """Give the id of each container by INSTANCE/SERVICE."""
        return {one.subject: one.id for one in self.containers()}


def go(
    engine: Docker, fleet: str, desired: Desired, build: Callable[[Sequence[str]], None] | None = None
) -> tuple[Plan, list[str]]:
    """Apply until everything works, or raise what does not; give the plan and what was told."""
    deployment = Deployment(engine, fleet)
    steps, applied = deployment.apply(desired, build)
    if applied.problems:
        raise UserError.of(list(applied.problems))
    settle(desired, deployment.containers(), deployment.containers, engine)
    return steps, deployment.told


def blog(fleet: str, instance: str, image: str) -> tuple[ContainerSpec, ContainerSpec]:
    data = MountSpec("volume", f"{fleet}.{instance}.data", "/data")
    db = container(
        fleet,
        f"{instance}/db",
        image,
        command=READY_LATE,
        healthcheck=QUICK,
        has_health=True,
        volumes=(data,),
    )
    depends = (DependencySpec("db", "service_healthy"),)
    return db, container(fleet, f"{instance}/web", image, depends_on=depends)
