"""One turn of the agent: from a commit to a host that is so."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitops.agent.apply import Work, apply, settle
from gitops.agent.generation import check_out, install_cron, make_current, running
from gitops.agent.host import Wanted, look, package_changes, want
from gitops.agent.plan import Plan, plan
from gitops.agent.recording import recorded
from gitops.agent.rollback import end, instead_of
from gitops.agent.unchanged import remember
from gitops.engine.docker import Docker
from gitops.engine.observed import Observed
from gitops.engine.specification import ContainerSpec
from gitops.git.repository import Repository
from gitops.render.cron import cron_manifest
from gitops.secrets.hosts import give, take_away
from gitops.system.errors import UserError
from gitops.system.locks import exclusive
from gitops.system.places import Places

Build = Callable[[Wanted, Sequence[str]], None]
"""Builds images of a fleet, by name."""


def reconcile(
    git: Repository,
    commit: str,
    host: str | None,
    engine: Docker,
    places: Places,
    *,
    build: Build,
    tell: Callable[[str], None],
    allow_empty: bool = False,
) -> Plan:
    """Make a host what a commit says; give what was done.

    A commit that does not load, or would leave the host empty, never becomes its generation. One that the
    host was rolled back from stays left.

    Args:
        git: the fleet's directory in its repository; asked for the commit's files and for older locks.
        commit: git's newest.
        host: the host's name; None: see `want`.
        engine: the host's engine.
        places: the host's directories.
        build: builds the images that are missing.
        tell: says what is being done, a line at a time.
        allow_empty: go on when the fleet places nothing on the host although something runs there.

    Raises:
        UserError: another apply is under way; or something failed, and what.
    """
    with exclusive(places.runtime / "apply.lock", "this host's engine"):
        before = running(places)
        generation = check_out(git, instead_of(commit, places), places)
        wanted = want(generation.path, host, places)
        seen = look(engine, wanted)
        if seen.containers and not wanted.desired.containers and not allow_empty:
            raise UserError(
                f"the fleet places nothing on {wanted.host}, where {len(seen.containers)} containers run",
                hint="if that is meant: gitops apply --allow-empty",
            )
        steps = plan(wanted.desired, seen, package_changes(wanted, git, places))
        kind = "apply" if generation.commit == commit else "rollback"
        change = _Change(wanted, generation.commit, engine, places, build, tell)
        with recorded(places, kind, generation.commit, before, steps):
            make_current(generation, wanted.host, places)
            end(places, at=commit)
            change.schedule()
            if steps:
                change.apply(steps)
                tell(f"{wanted.host}: done, and everything works")
            else:
                change.settle(seen.containers)
                name = wanted.fleet.settings.name
                remember(generation.commit, host, wanted.host, name, seen.containers, places)
                tell(f"{wanted.host}: nothing to do")
        return steps


@dataclass(frozen=True)
class _Change:
    """What making a host so takes, the same from its first step to its last."""

    wanted: Wanted
    commit: str
    engine: Docker
    places: Places
    build: Build
    tell: Callable[[str], None]

    def schedule(self) -> None:
        """Give cron what it is to run."""
        manifest = cron_manifest(self.wanted.fleet, self.wanted.host)
        if install_cron(manifest, self.wanted.fleet.settings.name, self.places):
            self.tell(f"schedule {self.wanted.host}: the jobs and backups of cron's manifest changed")

    def apply(self, steps: Plan) -> None:
        """Carry a plan out; raises what failed."""
        work = Work(
            engine=self.engine,
            fleet=self.wanted.fleet.settings.name,
            host=self.wanted.host,
            generation=self.commit,
            build=lambda images: self.build(self.wanted, images),
            secrets=self._give_secrets,
            tell=self.tell,
        )
        apply(steps, self.wanted.desired, work)
        take_away(self._secrets, self._holders())
        self.settle(self._containers())

    def settle(self, seen: Sequence[Observed]) -> None:
        """Wait until everything works; raises what does not."""
        settle(self.wanted.desired, seen, self._containers, self.engine)

    @property
    def _secrets(self) -> Path:
        return self.places.runtime / "secrets"

    def _give_secrets(self, spec: ContainerSpec) -> None:
        give(
            self.wanted.fleet,
            spec.instance,
            spec.service,
            self.wanted.host,
            directory=self._secrets,
            identity=self.places.config / "age.key",
        )

    def _holders(self) -> dict[str, list[str]]:
        holders: dict[str, list[str]] = {}
        for spec in self.wanted.desired.containers:
            if spec.secrets:
                holders.setdefault(spec.instance, []).append(spec.service)
        return holders

    def _containers(self) -> list[Observed]:
        return self.engine.containers(self.wanted.fleet.settings.name, self.wanted.host)
