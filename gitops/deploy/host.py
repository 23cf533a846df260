"""One host as its fleet wants it and as its engine has it: reading both, for whoever compares or reports."""

from dataclasses import dataclass, replace
from pathlib import Path

from gitops.deploy.desired import Desired, SecretFiles, desired
from gitops.deploy.failures import Failures
from gitops.deploy.limits import Limits
from gitops.deploy.plan import Because, Engine, plan
from gitops.deploy.which import host_of
from gitops.engine.docker import Docker
from gitops.engine.held import living
from gitops.engine.observed import Observed
from gitops.engine.specification import ContainerSpec
from gitops.fleet.fleet import Fleet
from gitops.fleet.load import load
from gitops.git.repository import Repository
from gitops.images.identity import identities, references
from gitops.images.lock import changes, parse_lock
from gitops.images.locks import Locks, closure, lock_path, read_locks
from gitops.render.recipe import recipe
from gitops.secrets.hosts import secret_digests
from gitops.system.errors import UserError
from gitops.system.places import Places


@dataclass(frozen=True)
class Wanted:
    """What a fleet says of one of its hosts."""

    fleet: Fleet
    host: str
    locks: Locks
    references: dict[tuple[str, str], str]
    desired: Desired


def want(root: Path, host: str | None, places: Places) -> Wanted:
    """Read what a fleet says of a host.

    Args:
        root: the fleet's directory.
        host: its name; None: the fleet's only one, or the one called like this machine.
        places: where secrets will be.

    Raises:
        UserError: the definitions or locks are wrong, all problems in one; or there is no such host.
    """
    fleet = load(root)
    return wanted_of(fleet, host_of(fleet, host), places)


def wanted_of(fleet: Fleet, host: str, places: Places) -> Wanted:
    """Work out what a fleet that was read says of one of its hosts; otherwise as `want`."""
    locks = read_locks(fleet)
    called = references(fleet, identities(fleet, locks, recipe(fleet.root)))
    secrets = SecretFiles(places.runtime / "secrets", secret_digests(fleet))
    return Wanted(fleet, host, locks, called, desired(fleet, host, called, secrets))


def look(engine: Docker, wanted: Wanted, places: Places) -> Engine:
    """Ask the engine what it has of a host, and the host what it remembers of failures and limits.

    One list of containers is all that is asked when they are what they should be: then their networks,
    volumes and images are there too, because the engine does not let go of what a container uses.
    """
    fleet, host = wanted.fleet.settings.name, wanted.host
    goal = wanted.desired
    seen = Engine(
        containers=tuple(Limits(places.state).as_they_are(engine.containers(fleet, host), goal, engine)),
        networks=frozenset((one.name, one.instance) for one in goal.networks),
        volumes=frozenset(one.name for one in goal.volumes),
        images=frozenset(one.image for one in goal.containers),
        failures=Failures(places.state).read(),
        holds=living(places),
    )
    if not plan(goal, seen):
        return seen
    return replace(
        seen,
        networks=frozenset(engine.networks(fleet, host).items()),
        volumes=frozenset(engine.volumes(fleet, host)),
        images=frozenset(engine.images(seen.images)),
    )


def package_changes(wanted: Wanted, git: Repository, places: Places) -> Because:
    """Say why an image changed: its packages now, and in the commit that the container was made from.

    Args:
        wanted: what the fleet says now.
        git: the fleet's git repository, which has the older locks.
        places: where the host keeps a copy of the newest of them.
    """
    fleet = wanted.fleet

    def because(observed: Observed, spec: ContainerSpec) -> str:
        architecture = fleet.hosts[wanted.host].architecture
        old: Locks = {}
        name = spec.image_name
        try:
            while name in fleet.images:
                path = str(lock_path(Path(), name, architecture))
                kept = places.state / "generations" / observed.generation / path
                text = kept.read_text() if kept.is_file() else git.file_at(observed.generation, path)
                if text is None:
                    return ""
                old = {**old, (name, architecture): parse_lock(text, path)}
                name = fleet.images[name].parent
            before = closure(fleet, old, spec.image_name, architecture)
        except UserError:
            return ""  # a shallow clone, or history that was rewritten: the plan is right without its reason
        moved = changes(before, closure(fleet, wanted.locks, spec.image_name, architecture))
        more = f" and {len(moved) - 1} more" if len(moved) > 1 else ""
        return f"{moved[0]}{more}" if moved else "its definition or recipe changed"

    return because
