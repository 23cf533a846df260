"""The view as JSON: what `gitops status --json` prints; docs/status.md says what is in it.

Times are RFC 3339 in UTC. What is added later is no new version; what goes, or means another thing, is.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from gitops.backup.standing import BackupStanding
from gitops.deploy.status import Row
from gitops.jobs.document import plain_job
from gitops.report.turns import Turn
from gitops.system.clock import stamp
from gitops.view.view import HostView, ImageView, InstanceView, Problem, View
from gitops.view.waiting import Waiting

VERSION = 1


def document(view: View) -> dict[str, Any]:
    """Give a view as values of JSON."""
    return {
        "version": VERSION,
        "fleet": view.fleet,
        "host": view.host,
        "time": stamp(view.at),
        "generation": view.generation,
        "well": view.well,
        "notes": view.notes,
        "problems": [_problem(one) for one in view.problems],
        "agent": asdict(view.tick) if view.tick else None,
        "hosts": [_host(one) for one in view.hosts],
        "instances": [_instance(one) for one in view.instances],
        "containers": [_container(row) for row in view.rows],
        "backups": [_backup(one) for one in view.backups],
        "jobs": [plain_job(one) for one in view.jobs],
        "images": [_image(one) for one in view.images],
        "updates": [_waiting(one) for one in view.waiting],
        "updates_looked": _time(view.looked),
        "rollouts": [_turn(one) for one in view.turns],
        "notices_waiting": view.untold,
    }


def _time(at: datetime | None) -> str | None:
    return stamp(at) if at else None


def _problem(one: Problem) -> dict[str, Any]:
    return {"kind": one.kind, "subject": one.subject, "text": one.text, "since": _time(one.since)}


def _host(one: HostView) -> dict[str, Any]:
    plain = {"name": one.name, "source": one.source or None, "generation": one.generation}
    told = {"time": _time(one.at), "containers": one.containers, "silent": one.silent}
    return {**plain, **told, "problems": [_problem(each) for each in one.problems]}


def _instance(one: InstanceView) -> dict[str, Any]:
    return {
        "name": one.name,
        "app": one.app or None,
        "health": one.health,
        "parameters": dict(one.parameters),
        "images": one.images,
        "held": str(one.held) if one.held else None,
        "said": (one.held.said or None) if one.held else None,
        "problems": [_problem(each) for each in one.problems],
    }


def _container(row: Row) -> dict[str, Any]:
    use = row.usage and {**asdict(row.usage), "at": stamp(row.usage.at)}
    return {**asdict(row), "created": _time(row.created), "usage": use, "well": row.well}


def _backup(one: BackupStanding) -> dict[str, Any]:
    return {name: stamp(value) if isinstance(value, datetime) else value for name, value in vars(one).items()}


def _image(one: ImageView) -> dict[str, Any]:
    waiting = [{"package": each.package, "new": each.new} for each in one.waiting]
    head = {
        "name": one.name,
        "architecture": one.architecture,
        "identity": one.identity,
        "parent": one.parent,
    }
    held = {"packages": dict(one.packages), "instances": one.instances, "allow": one.allow}
    return {**head, **held, "waiting": waiting, "cves": one.cves}


def _waiting(one: Waiting) -> dict[str, Any]:
    return {**asdict(one), "since": stamp(one.since)}


def _turn(one: Turn) -> dict[str, Any]:
    return {
        "number": one.number,
        "kind": one.kind,
        "commit": one.commit,
        "before": one.before,
        "started": stamp(one.started),
        "ended": _time(one.ended),
        "outcome": one.outcome,
        "detail": one.detail,
    }
