"""One turn of the agent: from a commit to a host that is so."""

from collections.abc import Callable, Sequence

from gitops.agent.apply import Work, apply, settle
from gitops.agent.generation import check_out, install_cron, make_current
from gitops.agent.host import Wanted, look, package_changes, want
from gitops.agent.plan import Plan, plan
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
        generation = check_out(git, instead_of(commit, places), places)
        wanted = want(generation.path, host, places)
        seen = look(engine, wanted)
        if seen.containers and not wanted.desired.containers and not allow_empty:
            raise UserError(
                f"the fleet places nothing on {wanted.host}, where {len(seen.containers)} containers run",
                hint="if that is meant: gitops apply --allow-empty",
            )
        steps = plan(wanted.desired, seen, package_changes(wanted, git))
        make_current(generation, wanted.host, places)
        if generation.commit == commit:
            end(places)
        name = wanted.fleet.settings.name
        if install_cron(cron_manifest(wanted.fleet, wanted.host), name, places):
            tell(f"schedule {wanted.host}: the jobs and backups of cron's manifest changed")

        def list_again() -> list[Observed]:
            return engine.containers(name, wanted.host)

        if not steps:
            settle(wanted.desired, seen.containers, list_again, engine)
            remember(generation.commit, host, wanted.host, name, seen.containers, places)
            tell(f"{wanted.host}: nothing to do")
            return steps
        secrets = places.runtime / "secrets"

        def give_secrets(spec: ContainerSpec) -> None:
            identity = places.config / "age.key"
            give(
                wanted.fleet,
                spec.instance,
                spec.service,
                wanted.host,
                directory=secrets,
                identity=identity,
            )

        work = Work(
            engine=engine,
            fleet=name,
            host=wanted.host,
            generation=generation.commit,
            build=lambda images: build(wanted, images),
            secrets=give_secrets,
            tell=tell,
        )
        apply(steps, wanted.desired, work)
        holders: dict[str, list[str]] = {}
        for spec in wanted.desired.containers:
            if spec.secrets:
                holders.setdefault(spec.instance, []).append(spec.service)
        take_away(secrets, holders)
        settle(wanted.desired, list_again(), list_again, engine)
        tell(f"{wanted.host}: done, and everything works")
        return steps
