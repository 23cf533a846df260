"""What is not wrong with a fleet, and yet to be known: data without a copy, jobs in their own way."""

from collections.abc import Iterator
from pathlib import Path

from gitops.fleet.apps import App
from gitops.fleet.document import At, read
from gitops.fleet.fleet import Fleet
from gitops.system.errors import Problem

_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def warnings(fleet: Fleet) -> list[Problem]:
    """Tell what a whole fleet's people should know, sorted by place."""
    found: set[Problem] = set()
    for host in fleet.hosts:
        backed_up = False
        for instance in fleet.instances(host).values():
            app = fleet.apps[instance.app]
            found |= set(_without_backup(app.file, app.name, instance.definition))
            found |= set(_longer_than_its_period(app.file, instance.definition))
            backed_up |= instance.definition.backup is not None
        file = fleet.root / f"hosts/{host}.yaml"
        if backed_up and fleet.hosts[host].backup is None:
            found.add(_problem(file, ("instances",), *_nowhere(host)))
    return sorted(found)


def _without_backup(file: Path, name: str, app: App) -> Iterator[Problem]:
    """Tell of an app whose volumes nothing copies; `backup: {}` says that this is meant."""
    if app.backup is not None:
        return
    for service, definition in app.services.items():
        for index, mount in enumerate(definition.volumes):
            if mount.type == "volume" and mount.source:
                message = f"{name} keeps data in the volume `{mount.source}`, and has no backup"
                hint = "add backup: {databases: […], volumes: […]}, or backup: {} where nothing needs one"
                yield _problem(file, ("services", service, "volumes", index), message, hint)
                return


def _longer_than_its_period(file: Path, app: App) -> Iterator[Problem]:
    """Tell of jobs that may still run when they are due again."""
    for name, job in app.jobs.items():
        period = job.times.closest() * 60
        if job.timeout > period:
            at = ("jobs", name, "timeout") if "timeout" in job.model_fields_set else ("jobs", name)
            message = f"{name} may take {_duration(job.timeout)}, and is due again after {_duration(period)}"
            yield _problem(file, at, message, f"give it a `timeout` of {_duration(period)} or less")


def _duration(seconds: float) -> str:
    """Write a duration as people would, in one unit."""
    unit, name = next((unit, name) for unit, name in _UNITS if seconds % unit == 0 or unit == 1)
    return f"{seconds / unit:g}{name}"


def _nowhere(host: str) -> tuple[str, str]:
    return (
        f"apps of {host} want backups, and it has nowhere to put them",
        f"add backup: {{repository: …}} to hosts/{host}.yaml",
    )


def _problem(file: Path, at: At, message: str, hint: str) -> Problem:
    name = file.name if file.name == "fleet.yaml" else f"{file.parent.name}/{file.name}"
    document, _ = read(file, name)
    return document.problem(at, message, hint) if document else Problem(name, message=message, hint=hint)
