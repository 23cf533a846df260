"""Starter fleets: each an app that works, with its images, on one host."""

import json
import os
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from gitops.fleet.load import load
from gitops.fleet.schema import modeline, schema_files
from gitops.fleet.values import NAME
from gitops.images.machine import native
from gitops.system.errors import UserError
from gitops.system.files import write
from gitops.system.run import run
from gitops.system.shipped import shipped

_SHARED = "shared"
"""What every starter fleet has: fleet.yaml, a base image, a host."""


@dataclass(frozen=True)
class Kind:
    """A kind of starter fleet; its files are templates/fleets/NAME.

    Args:
        about: what one gets.
        app: the name of its app.
        instances: of that app; a port each.
    """

    about: str
    app: str
    instances: tuple[str, ...]


KINDS = {
    "wordpress": Kind("two WordPress sites with MariaDB, backups and a job", "blog", ("alice", "bob")),
    "nginx-static": Kind("a static site from the fleet's own files, by nginx", "site", ("www",)),
    "python-app": Kind(
        "a Flask application by gunicorn, with SQLite, backups and a job", "notes", ("live", "test")
    ),
    "postgres-app": Kind("a Flask application with PostgreSQL, backups and a job", "notes", ("live", "test")),
}
"""Every kind, by the name that `gitops init --template` takes."""


@dataclass(frozen=True)
class Starter:
    """What differs from one new fleet to the next.

    Args:
        name: the fleet's.
        host: this machine's, in the fleet.
        mirror: the Debian archive's, without a slash at its end.
        security: the security archive's; None to do without it.
        web_port: of the first instance; the next ones follow it.
        backup_repository: where restic puts backups.
        kind: one of `KINDS`.
    """

    name: str
    host: str
    mirror: str
    security: str | None
    web_port: int = 8001
    backup_repository: str = "/srv/restic"
    kind: str = "wordpress"


def write_starter(directory: Path, starter: Starter) -> list[str]:
    """Write a fleet to start from, in a git repository of its own where there is none around it.

    Returns:
        Paths below the directory of what was written, sorted.

    Raises:
        UserError: a file is there already, or a value is not what a fleet can hold; nothing is written then.
    """
    _require_names(starter)
    files = dict(_files(starter))
    for path in files:
        if os.path.lexists(directory / path):
            raise UserError(
                "exists already; a new fleet needs a directory without one", file=directory / path
            )
    for path, (text, mode) in files.items():
        write(directory / path, text, mode)
    try:
        load(directory)
    except UserError:
        for path in files:
            (directory / path).unlink()
        raise
    # 0: ignored by the repository around it, so no part of that; 1: a part of it; 128: there is none.
    if run(["git", "check-ignore", "--quiet", "."], cwd=directory, check=False).status != 1:
        run(["git", "init", "--quiet", "--initial-branch=main"], cwd=directory)
    return sorted(files)


def name_of(text: str, otherwise: str) -> str:
    """Make a name out of a directory's or a machine's, or give another where nothing of it can be one."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63].rstrip("-")
    return name or otherwise


def host_name() -> str:
    """Give this machine's short name if it can be a host's, otherwise `web1`."""
    name = socket.gethostname().partition(".")[0]
    return name if re.fullmatch(NAME, name) else "web1"


def _require_names(starter: Starter) -> None:
    for what, name in (("fleet", starter.name), ("host", starter.host)):
        if not re.fullmatch(NAME, name):
            raise UserError(
                f"{name!r} cannot be a {what}'s name",
                hint="lower-case letters, digits and hyphens, at most 63, as in a DNS name",
            )


def _files(starter: Starter) -> Iterator[tuple[str, tuple[str, int]]]:
    """Give each file's path, text and mode; those that end in .j2 are templates."""
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )
    environment.filters["yaml"] = _yaml
    kind = KINDS[starter.kind]
    values = {
        **vars(starter),
        "architecture": native(),
        "app": kind.app,
        "instances": [{"name": n, "port": starter.web_port + i} for i, n in enumerate(kind.instances)],
    }
    for top in (shipped("templates") / "fleets" / each for each in (_SHARED, starter.kind)):
        # pip compiles what it installs, programs of an image's own too.
        for file in sorted(each for each in top.rglob("*") if each.is_file() and each.suffix != ".pyc"):
            path, text = str(file.relative_to(top)), file.read_text(encoding="utf-8")
            if file.suffix == ".j2":
                path = path.removesuffix(".j2").replace("hosts/host.yaml", f"hosts/{starter.host}.yaml")
                text = environment.from_string(text).render(values)
            yield path, (modeline(path) + text, 0o755 if text.startswith("#!") else 0o644)
    for path, text in schema_files().items():
        yield path, (text, 0o644)


def _yaml(value: str) -> str:
    """Write a text as YAML: plain where that reads back the same, otherwise as a JSON string, which does."""
    try:
        return value if YAML(typ="safe", pure=True).load(value) == value else json.dumps(value)
    except YAMLError:
        return json.dumps(value)
