"""A view put together: what the definitions say, how the host stands, what this machine knows besides."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from gitops.agent.standing import Standing
from gitops.agent.ticked import last
from gitops.deploy.status import Row
from gitops.jobs.standing import JobStanding
from gitops.report.turns import turns
from gitops.system.places import Places
from gitops.view.defined import Defined, DefinedInstance
from gitops.view.view import HostView, ImageView, InstanceView, View
from gitops.view.waiting import Found, known, still

_Of = TypeVar("_Of", Row, JobStanding)
_TURNS = 50  # of which the newest applies and rollbacks are taken
_GONE = DefinedInstance("", {}, ())


def assembled(
    defined: Defined, seen: Standing, places: Places, at: datetime, *, answers: bool = True
) -> View:
    """Make a view.

    Args:
        defined: what the fleet says of the host.
        seen: how the host stands.
        places: its directories.
        at: the present time.
        answers: whether the container engine does.
    """
    found = known(places)
    return View(
        fleet=defined.fleet,
        root=defined.root,
        host=seen.host,
        at=at,
        generation=seen.generation,
        notes=seen.notes,
        tick=last(places),
        rows=seen.rows,
        backups=seen.backups,
        jobs=seen.jobs,
        instances=tuple(_instances(defined, seen)),
        images=tuple(_images(defined, found)),
        others=_others(defined, places, at),
        turns=tuple(one for one in turns(places, limit=_TURNS) if one.kind in {"apply", "rollback"}),
        looked=found.looked if found else None,
        untold=seen.untold,
        used=seen.used,
        answers=answers,
    )


def _instances(defined: Defined, seen: Standing) -> list[InstanceView]:
    rows, jobs = _by_instance(seen.rows), _by_instance(seen.jobs)
    backups = {one.instance: one for one in seen.backups}
    held = {one.instance: one for one in seen.held}
    found = []
    for name in sorted({*defined.instances, *rows}):
        app, parameters, images = defined.instances.get(name, _GONE)
        found.append(
            InstanceView(
                name,
                app,
                parameters,
                tuple(rows.get(name, ())),
                backups.get(name),
                tuple(jobs.get(name, ())),
                images,
                held.get(name),
            )
        )
    return sorted(found, key=lambda one: (not one.problems, one.name))


def _images(defined: Defined, found: Found | None) -> Iterable[ImageView]:
    for one in defined.images:
        waiting = tuple(
            each
            for each in (found.waiting if found else ())
            if not set(one.line).isdisjoint(each.images) and still(each, one.packages)
        )
        yield ImageView(
            one.name,
            one.architecture,
            one.identity,
            one.packages,
            waiting,
            one.instances,
            one.parent,
            one.allow,
        )


def _others(defined: Defined, places: Places, at: datetime) -> tuple[HostView, ...]:
    if not any(defined.reports.values()):
        return tuple(HostView(name, "") for name in defined.reports)
    from gitops.view.others import others  # noqa: PLC0415  # most fleets have one host

    return others(defined.reports, Path(defined.root), places, at)


def _by_instance(things: Iterable[_Of]) -> dict[str, list[_Of]]:
    found: dict[str, list[_Of]] = {}
    for one in things:
        found.setdefault(one.instance, []).append(one)
    return found
