"""The documents that definitions were read from, and which of them is to blame when something is wrong."""

from dataclasses import dataclass
from pathlib import Path

from gitops.fleet.document import Document
from gitops.fleet.hosts import Placement
from gitops.fleet.interpolation import names, parse
from gitops.fleet.wording import Fault, value_at
from gitops.system.errors import Problem


@dataclass(frozen=True, eq=False)
class Sources:
    """What was found on disk, whether or not it is right.

    Args:
        root: the fleet; absolute, symlinks resolved.
        settings: fleet.yaml; None where it cannot be read.
        images: documents that could be read, by name.
        apps: likewise.
        hosts: likewise.
        secrets_to_come: whether it is no problem that a secret is not there yet.
        names: for images, apps, hosts and secrets the name of every file, readable or not; for archives
            what fleet.yaml calls them, right or not.
    """

    root: Path
    settings: Document | None
    images: dict[str, Document]
    apps: dict[str, Document]
    hosts: dict[str, Document]
    secrets_to_come: bool
    names: dict[str, frozenset[str]]


def placed(document: Document, fault: Fault) -> Problem:
    """Say where in a document a fault is."""
    return document.problem(fault.at, fault.message, fault.hint, key=fault.key)


def blamed(sources: Sources, host: str, name: str, placement: Placement, fault: Fault) -> Problem:
    """Say where a fault in an instance is: in its app, or at the parameter that the host gives it.

    Args:
        sources: the documents.
        host: the instance's host.
        name: the instance.
        placement: what the host says of it.
        fault: what is wrong; its place is one in the app's document.
    """
    app = sources.apps[placement.app]
    value, _ = value_at(app.content, fault.at)
    if is_filled(value) and not fault.about:
        line, _ = app.position(fault.at)
        message = f"{fault.message} ({app.file}:{line})"
        used = [variable for variable in names(parse(str(value))) if variable in placement.parameters]
        at = ("instances", name, "parameters", *used[:1]) if used else ("instances", name)
        return sources.hosts[host].problem(at, message, fault.hint, key=not used)
    return placed(app, fault)


def depends_on_values(app: Document, fault: Fault) -> bool:
    """Tell whether a fault that was found with sample values may be theirs alone."""
    value, _ = value_at(app.content, fault.at)
    return is_filled(value) or (not fault.about and _holds_variables(value))


def is_filled(value: object) -> bool:
    """Tell whether a value of an app's document holds variables."""
    return isinstance(value, str) and "$" in value.replace("$$", "")


def _holds_variables(value: object) -> bool:
    if isinstance(value, dict):
        return any(_holds_variables(inner) for inner in value.values())
    if isinstance(value, list):
        return any(_holds_variables(inner) for inner in value)
    return is_filled(value)
