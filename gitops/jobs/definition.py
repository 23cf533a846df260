"""What the runner knows of a job: its definition as the generation that the host runs has it.

`rendered/hosts/HOST/jobs/INSTANCE.json` is read instead of the fleet, because loading that takes longer than
most jobs do; docs/jobs.md has the format.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from gitops.system.errors import UserError
from gitops.system.places import Places

VERSION = 1
"""The version of the files that is understood."""

_PATIENCE = 300.0

HOST_LEVEL = "@host"
"""The instance that the host's own jobs belong to: backups, drills and the like."""


class Definition(NamedTuple):
    """A job of an instance. Times are in seconds.

    Args:
        fleet: the fleet's name.
        host: the host's name.
        instance: whose it is, or `@host`.
        name: its own name.
        generation: the commit that says so; empty where it was read from a work tree.
        service: the service whose container it runs in; empty for the host's own.
        command: program and arguments, for a container.
        argv: program and arguments, for the host.
        user: whom it runs as; None: the service's user.
        environment: variables besides the service's.
        workdir: where it starts; None: the service's directory.
        schedule: five fields, as in crontab(5).
        timezone: the zone that they are meant in; None: the host's.
        timeout: after so long it is ended.
        grace: time between TERM and KILL.
        overlap: `skip`, `queue` or `kill`.
        retries: how often it is tried again.
        catch_up: `none` or `once`.
        spread: by how many seconds this instance's runs are moved.
        notify: `failure`, `always` or `never`.
        wait: how long it waits for its service; None: see `patience`.
        mode: `exec` or `run`.
    """

    fleet: str
    host: str
    instance: str
    name: str
    generation: str = ""
    service: str = ""
    command: tuple[str, ...] = ()
    argv: tuple[str, ...] = ()
    user: str | None = None
    environment: Mapping[str, str] = {}
    workdir: str | None = None
    schedule: str = ""
    timezone: str | None = None
    timeout: float = 3600
    grace: float = 10
    overlap: str = "skip"
    retries: int = 0
    catch_up: str = "none"
    spread: int = 0
    notify: str = "failure"
    wait: float | None = None
    mode: str = "exec"

    @property
    def of_host(self) -> bool:
        """Tell whether it runs on the host, and in no instance."""
        return self.instance == HOST_LEVEL

    @property
    def subject(self) -> str:
        """Give the name that people use: INSTANCE/JOB."""
        return f"{self.instance}/{self.name}"

    @property
    def patience(self) -> float:
        """Give how long it waits for its service, in seconds: as it says, or five minutes, or its timeout."""
        return min(self.timeout, _PATIENCE) if self.wait is None else self.wait


def definition(places: Places, instance: str, name: str) -> Definition | None:
    """Give a job of the generation that this host runs; None where that has no such files at all.

    Raises:
        UserError: there is no such instance or job, or the file is of another version.
    """
    directory = _directory(places)
    if directory is None:
        return None
    try:
        # An instance's name has no slash in it, so that this stays in the directory.
        content = _read(directory / f"{instance.replace('/', '')}.json")
    except FileNotFoundError as error:
        known = sorted(path.stem for path in directory.glob("*.json"))
        raise UserError(
            f"no jobs of {instance} on this host", hint=f"there are jobs of: {', '.join(known) or 'nobody'}"
        ) from error
    if name not in content["jobs"]:
        raise no_such_job(instance, name, content["jobs"])
    return parse(content, name, _generation(places))


def definitions(places: Places) -> Iterator[Definition]:
    """Give all jobs of the generation that this host runs, in the order of their names."""
    directory = _directory(places)
    for path in sorted(directory.glob("*.json")) if directory else ():
        content = _read(path)
        for name in sorted(content["jobs"]):
            yield parse(content, name, _generation(places))


def parse(content: Mapping[str, Any], name: str, generation: str = "") -> Definition:
    """Read one job of a file's content."""
    told: dict[str, Any] = {key: value for key, value in content["jobs"][name].items() if key in _KNOWN}
    for key in ("command", "argv"):
        told[key] = tuple(told.get(key) or ())
    whose = {key: content[key] for key in ("fleet", "host", "instance")}
    return Definition(**whose, name=name, generation=generation, **told)


def no_such_job(instance: str, name: str, known: Mapping[str, object]) -> UserError:
    """Say that an instance has no job of that name, and which it has."""
    return UserError(f"{instance} has no job {name}", hint=f"it has: {', '.join(sorted(known)) or 'none'}")


_KNOWN = frozenset(Definition._fields)


def _directory(places: Places) -> Path | None:
    try:
        host = (places.state / "host").read_text().strip()
    except FileNotFoundError:
        return None
    path = places.state / "current" / "rendered" / "hosts" / host / "jobs"
    return path if path.is_dir() else None


def _generation(places: Places) -> str:
    return (places.state / "current").readlink().name


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_bytes())
    if content["version"] != VERSION:
        raise UserError(
            f"version {content['version']} is not understood", file=path, hint="install the gitops it is from"
        )
    return content
