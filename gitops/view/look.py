"""Looking: everything that this machine knows of a fleet, made into a view."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from gitops.agent.host import Wanted, want
from gitops.agent.standing import Standing, standing_of
from gitops.agent.status import Row
from gitops.agent.ticked import last
from gitops.engine.docker import Docker
from gitops.engine.usage import Usage
from gitops.images.locks import closure
from gitops.jobs.standing import JobStanding
from gitops.report.turns import turns
from gitops.system.clock import now
from gitops.system.places import Places
from gitops.view.others import others
from gitops.view.view import ImageView, InstanceView, View
from gitops.view.waiting import Found, known, still

_Of = TypeVar("_Of", Row, JobStanding)
_TURNS = 50  # of which the newest applies and rollbacks are taken


def look(
    root: Path,
    host: str | None,
    engine: Docker,
    places: Places,
    earlier: dict[str, Usage] | None = None,
    *,
    use: bool = True,
) -> View:
    """Look at a host, and at what is known of the fleet's others.

    Args:
        root: the fleet's directory, or a copy of it that a host keeps.
        host: its name; None: see gitops.agent.host.want.
        engine: the host's engine.
        places: the host's directories.
        earlier: what containers used at the look before; tells how busy they were since.
        use: also ask what containers use, which is a question for each.

    Raises:
        UserError: the definitions are wrong, the engine cannot be asked, or the history cannot be read.
    """
    return look_at(want(root, host, places), engine, places, earlier, use=use)


def look_at(
    wanted: Wanted,
    engine: Docker | None,
    places: Places,
    earlier: dict[str, Usage] | None = None,
    *,
    use: bool = True,
    at: datetime | None = None,
) -> View:
    """Look at a host whose definitions are read already, now or as of `at`; see `standing_of`."""
    at = at or now()
    seen, found = standing_of(wanted, engine, places, earlier, use=use, at=at), known(places)
    return View(
        fleet=wanted.fleet.settings.name,
        root=str(wanted.fleet.root),
        host=seen.host,
        at=at,
        generation=seen.generation,
        notes=seen.notes,
        tick=last(places),
        rows=seen.rows,
        backups=seen.backups,
        jobs=seen.jobs,
        instances=tuple(_instances(wanted, seen)),
        images=tuple(_images(wanted, found)),
        others=others(wanted, places, at),
        turns=tuple(one for one in turns(places, limit=_TURNS) if one.kind in {"apply", "rollback"}),
        looked=found.looked if found else None,
        untold=seen.untold,
        used=seen.used,
        answers=engine is not None,
    )


def _instances(wanted: Wanted, seen: Standing) -> list[InstanceView]:
    placed = wanted.fleet.hosts[wanted.host].instances
    rows, jobs = _by_instance(seen.rows), _by_instance(seen.jobs)
    backups = {one.instance: one for one in seen.backups}
    held = {one.instance: one for one in seen.held}
    images: dict[str, list[str]] = {}
    for spec in wanted.desired.containers:
        images.setdefault(spec.instance, []).append(spec.image_name)
    found = [
        InstanceView(
            name,
            placed[name].app if name in placed else "",
            {key: str(value) for key, value in placed[name].parameters.items()} if name in placed else {},
            tuple(rows.get(name, ())),
            backups.get(name),
            tuple(jobs.get(name, ())),
            tuple(dict.fromkeys(images.get(name, ()))),
            held.get(name),
        )
        for name in sorted({*placed, *rows})
    ]
    return sorted(found, key=lambda one: (not one.problems, one.name))


def _images(wanted: Wanted, found: Found | None) -> Iterable[ImageView]:
    fleet, architecture = wanted.fleet, wanted.fleet.hosts[wanted.host].architecture
    users: dict[str, list[str]] = {}
    for spec in wanted.desired.containers:
        users.setdefault(spec.image_name, []).append(spec.instance)
    for name, image in fleet.images.items():
        identity = wanted.references.get((name, architecture))
        if identity is None:
            continue  # not for this host's architecture
        packages = {one.name: one for one in closure(fleet, wanted.locks, name, architecture)}
        below = _line(wanted, name)
        yield ImageView(
            name,
            architecture,
            identity.rpartition(":")[2],
            {one.name: one.version for one in packages.values()},
            tuple(
                one
                for one in (found.waiting if found else ())
                if below.intersection(one.images) and still(one, packages)
            ),
            tuple(dict.fromkeys(users.get(name, ()))),
            image.parent,
            image.allow,
        )


def _line(wanted: Wanted, image: str) -> frozenset[str]:
    """Give an image and those that it stands on."""
    names = []
    while image != "scratch":
        names.append(image)
        image = wanted.fleet.images[image].parent
    return frozenset(names)


def _by_instance(things: Iterable[_Of]) -> dict[str, list[_Of]]:
    found: dict[str, list[_Of]] = {}
    for one in things:
        found.setdefault(one.instance, []).append(one)
    return found
