"""What is known of a fleet's other hosts: the newest report of each that was fetched; nobody is asked now."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gitops.agent.reported import Reported, kept
from gitops.fleet.hosts import Report
from gitops.fleet.kinds import Kind
from gitops.git.repository import Repository
from gitops.system.clock import stamp
from gitops.system.errors import UserError
from gitops.system.places import Places
from gitops.view.view import SILENT, HostView, Problem


def others(
    reports: Mapping[str, Mapping[str, Any] | None], root: Path, places: Places, at: datetime
) -> tuple[HostView, ...]:
    """Give what is known of the hosts besides the one that looks.

    Args:
        reports: of each host, what its definition says of its reports.
        root: the fleet's directory, for a machine that has no repository of its own.
        places: this machine's directories.
        at: the present time.
    """
    own = places.state / "repository.git"
    git = Repository(own if own.is_dir() else root)
    return tuple(_host(name, report, git, at) for name, report in reports.items())


def _host(name: str, report: Mapping[str, Any] | None, git: Repository, now: datetime) -> HostView:
    if report is None:
        return HostView(name, "")
    try:
        found = kept(git, name, Report.model_validate(report))
    except UserError as error:
        return HostView(name, "", problems=(Problem(None, f"host {name}", error.problems[0].message),))
    return seen(found, now) if found else HostView(name, "")


def seen(report: Reported, now: datetime) -> HostView:
    """Give a host as it last said that it is, at the present time."""
    at = datetime.fromisoformat(report.time).astimezone(UTC)
    silent = now - at > SILENT
    problems = tuple(_problems(report, at, silent=silent))
    containers = len(report.engine.containers)
    return HostView(report.host, "report", report.generation, at, containers, problems, silent)


def _problems(report: Reported, at: datetime, *, silent: bool) -> Iterator[Problem]:
    name = f"host {report.host}"
    if silent:
        yield Problem(Kind.AGENT_SILENT, name, f"{report.host} has said nothing since {stamp(at)}", at)
    for failure in report.engine.failures.values():
        text = f"{report.host}: {failure.result} {failure.instance}: {failure.reason}"
        yield Problem(None, name, text)  # the host itself tells whoever wants to hear of it
    for one in report.engine.containers:
        if not one.aside and (one.health not in {"", "healthy"} or one.state not in {"running", "exited"}):
            yield Problem(None, name, f"{report.host}: {one.subject} is {one.health or one.state}")
