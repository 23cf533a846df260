"""What taking one state of a fleet in another one's place would do; it reads copied files, too."""

from collections.abc import Iterator
from dataclasses import dataclass

from gitops.deploy.action import Action, Kind
from gitops.deploy.desired import Desired, SecretFiles, desired
from gitops.deploy.plan import Engine, plan
from gitops.engine.observed import Observed
from gitops.engine.specification import ContainerSpec, digests
from gitops.fleet.backups import Backup
from gitops.images.identity import written
from gitops.images.lock import Change, changes
from gitops.images.locks import closure
from gitops.jobs.definition import Definition
from gitops.jobs.scheduled import scheduled
from gitops.review.state import State
from gitops.secrets.hosts import secret_digests

RESTARTS = {Kind.RECREATE, Kind.RESTART}
"""What ends a container that runs, and starts it or its successor."""

_QUIET = {Kind.BUILD, Kind.NETWORK, Kind.VOLUME, Kind.REMOVE_NETWORK}
"""What nobody has to think about: it follows from the rest, and ends nothing."""


@dataclass(frozen=True)
class ImageChange:
    """An image that is built, or is not there any more.

    Args:
        image: its name.
        what: `new`, `rebuilt` or `gone`.
        architectures: for which.
        packages: how its own packages move.
        own: whether its definition, files or the recipe of images moved.
        parent: the image below it where that moved, too; otherwise empty.
    """

    image: str
    what: str
    architectures: tuple[str, ...]
    packages: tuple[Change, ...] = ()
    own: bool = False
    parent: str = ""


@dataclass(frozen=True)
class JobChange:
    """A scheduled job that comes, goes or becomes another.

    Args:
        subject: INSTANCE/JOB; the host's own, backups say, are of `@host`.
        what: `comes`, `goes` or `changes`.
        detail: its schedule, or which of its fields differ.
    """

    subject: str
    what: str
    detail: str


@dataclass(frozen=True)
class HostChange:
    """What changes on a host.

    Args:
        host: its name.
        steps: what is done to its containers, in order, as its plan will say.
        jobs: what its scheduler runs otherwise.
        backups: `INSTANCE: …` where what is backed up of it is another.
    """

    host: str
    steps: tuple[Action, ...]
    jobs: tuple[JobChange, ...]
    backups: tuple[str, ...]

    @property
    def restarted(self) -> tuple[str, ...]:
        """The instances of which something that runs is ended and started again, sorted."""
        return tuple(sorted({step.instance for step in self.steps if step.kind in RESTARTS}))


@dataclass(frozen=True)
class Comparison:
    """All that differs: images, parents first, and hosts by name."""

    images: tuple[ImageChange, ...]
    hosts: tuple[HostChange, ...]

    def __bool__(self) -> bool:
        """Tell whether anything does."""
        return bool(self.images or self.hosts)


def compare(before: State, after: State) -> Comparison:
    """Tell what taking `after` in the place of `before` would do where every host runs `before`, and well."""
    names = sorted({*before.fleet.hosts, *after.fleet.hosts})
    hosts = (_host(before, after, name) for name in names)
    return Comparison(
        tuple(_images(before, after)), tuple(one for one in hosts if one.steps or one.jobs or one.backups)
    )


def _images(before: State, after: State) -> Iterator[ImageChange]:
    moved: set[str] = set()
    for name in after.fleet.parents_first():
        architectures = after.fleet.architectures_of(name)
        if name not in before.fleet.images:
            yield ImageChange(name, "new", architectures)
            continue
        keys = [(name, each) for each in architectures if _moved(before, after, (name, each))]
        if not keys:
            continue
        moved.add(name)
        parent = after.fleet.images[name].parent
        yield ImageChange(
            name,
            "rebuilt",
            tuple(each for _, each in keys),
            _packages(before, after, keys),
            written(before.fleet, name) != written(after.fleet, name)
            or parent != before.fleet.images[name].parent
            or before.recipe != after.recipe,
            parent if parent in moved else "",
        )
    for name in before.fleet.parents_first():
        if name not in after.fleet.images:
            yield ImageChange(name, "gone", before.fleet.architectures_of(name))


def _moved(before: State, after: State, key: tuple[str, str]) -> bool:
    """Tell whether an image's content is another; its tag alone says it, for a registry may have moved."""
    return _tag(before.references.get(key, "")) != _tag(after.references[key])


def _tag(reference: str) -> str:
    return reference.rpartition(":")[2]


def _packages(before: State, after: State, keys: list[tuple[str, str]]) -> tuple[Change, ...]:
    found: dict[Change, None] = {}
    for key in keys:
        old = before.locks[key].packages if key in before.locks else ()
        found.update(dict.fromkeys(changes(old, after.locks[key].packages)))
    return tuple(sorted(found, key=lambda one: (one.name, one.old or "", one.new or "")))


def _host(before: State, after: State, host: str) -> HostChange:
    was, will = _desired(before, host), _desired(after, host)

    def because(observed: Observed, spec: ContainerSpec) -> str:
        return _why(before, after, was, observed, spec)

    steps = plan(will, _as_if_running(was), because).actions
    return HostChange(
        host,
        tuple(step for step in steps if step.kind not in _QUIET),
        tuple(_jobs(_scheduled(before, host), _scheduled(after, host))),
        tuple(_backups(before, after, host)),
    )


def _desired(state: State, host: str) -> Desired:
    if host not in state.fleet.hosts:
        return Desired()
    secrets = SecretFiles(digests=secret_digests(state.fleet))
    return desired(state.fleet, host, state.references, secrets)


def _as_if_running(wanted: Desired) -> Engine:
    return Engine(
        containers=tuple(
            Observed(
                id=one.name,
                name=one.name,
                instance=one.instance,
                service=one.service,
                image=one.image,
                generation="",
                digests=digests(one),
                state="running",
                health="healthy" if one.has_health else "",
                networks=tuple(network for network, _ in one.networks),
                ports=tuple(
                    (port.host_ip, port.published, port.protocol)
                    for port in one.ports
                    if port.published is not None
                ),
                restart=one.restart,
            )
            for one in wanted.containers
        ),
        networks=frozenset((one.name, one.instance) for one in wanted.networks),
        volumes=frozenset(one.name for one in wanted.volumes),
    )


def _why(before: State, after: State, was: Desired, observed: Observed, spec: ContainerSpec) -> str:
    """Say which packages of a container's image move."""
    old = next((one.image_name for one in was.containers if one.name == observed.name), "")
    if old != spec.image_name:
        return f"{old} becomes {spec.image_name}"
    architecture = next(arch for (name, arch), ref in after.references.items() if ref == spec.image)
    moved = changes(
        closure(before.fleet, before.locks, old, architecture),
        closure(after.fleet, after.locks, spec.image_name, architecture),
    )
    more = f" and {len(moved) - 1} more" if len(moved) > 1 else ""
    return f"{moved[0]}{more}" if moved else "its definition or recipe changed"


def _scheduled(state: State, host: str) -> dict[str, Definition]:
    if host not in state.fleet.hosts:
        return {}
    return {one.subject: one for one in scheduled(state.fleet, host)}


def _jobs(before: dict[str, Definition], after: dict[str, Definition]) -> Iterator[JobChange]:
    for subject in sorted({*before, *after}):
        old, new = before.get(subject), after.get(subject)
        if old is None and new is not None:
            yield JobChange(subject, "comes", new.schedule)
        elif new is None and old is not None:
            yield JobChange(subject, "goes", old.schedule)
        elif old is not None and new is not None and old != new:
            fields = [name for name in new._fields if getattr(old, name) != getattr(new, name)]
            said = ", ".join(fields)
            if "schedule" in fields:
                said = said.replace("schedule", f"schedule {old.schedule} → {new.schedule}")
            yield JobChange(subject, "changes", said)


def _backups(before: State, after: State, host: str) -> Iterator[str]:
    """Tell what is backed up otherwise of instances that stay, and whether it goes elsewhere."""
    old, new = before.fleet.hosts.get(host), after.fleet.hosts.get(host)
    if old is None or new is None:
        return
    where = [one.backup.repository if one.backup else "nowhere" for one in (old, new)]
    if where[0] != where[1]:
        yield f"all: they go {where[1]} instead of {where[0]}"
    for name in sorted(old.instances.keys() & new.instances.keys()):
        was, will = (state.fleet.instance(host, name).definition.backup for state in (before, after))
        gone, come = _datasets(was) - _datasets(will), _datasets(will) - _datasets(was)
        for one in sorted(gone):
            yield f"{name}: {one} is not backed up any more"
        for one in sorted(come):
            yield f"{name}: {one} is backed up"
        if was != will and not (gone or come):
            yield f"{name}: how it is backed up or proved"


def _datasets(backup: Backup | None) -> set[str]:
    if backup is None:
        return set()
    databases = {
        f"{one.kind} {'all databases' if one.all else one.name or ''}".strip() + f" of {one.service}"
        for one in backup.databases
    }
    return databases | {f"volume {one.name}" for one in backup.volumes}
