"""What is not wrong with a fleet, and yet somebody should know: data without a copy, keys without effect."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from gitops.fleet.apps import App
from gitops.fleet.document import At, read
from gitops.fleet.fleet import Fleet
from gitops.fleet.later import unheeded_of_app, unheeded_of_host
from gitops.system.errors import Problem


def warnings(fleet: Fleet) -> list[Problem]:
    """Tell what a whole fleet's people should know, sorted by place."""
    found: set[Problem] = set()
    for host in fleet.hosts:
        backed_up = False
        for instance in fleet.instances(host).values():
            app = fleet.apps[instance.app]
            found |= set(_without_backup(app.file, app.name, instance.definition))
            found |= set(_unheeded(app.file, unheeded_of_app(instance.definition)))
            backed_up |= instance.definition.backup is not None
        file = fleet.root / f"hosts/{host}.yaml"
        found |= set(_unheeded(file, unheeded_of_host(fleet.hosts[host])))
        if backed_up and fleet.hosts[host].backup is None:
            found.add(_problem(file, ("instances",), *_nowhere(host)))
    return sorted(found)


def _unheeded(file: Path, places: Iterable[At]) -> Iterator[Problem]:
    """Tell of keys that are understood and change nothing so far."""
    for at in places:
        message = f"`{'.'.join(map(str, at))}` is understood, but this version does not heed it yet"
        yield _problem(file, at, message, "leave it out, or do not count on it")


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


def _nowhere(host: str) -> tuple[str, str]:
    return (
        f"apps of {host} want backups, and it has nowhere to put them",
        f"add backup: {{repository: …}} to hosts/{host}.yaml",
    )


def _problem(file: Path, at: At, message: str, hint: str) -> Problem:
    name = file.name if file.name == "fleet.yaml" else f"{file.parent.name}/{file.name}"
    document, _ = read(file, name)
    return document.problem(at, message, hint) if document else Problem(name, message=message, hint=hint)
