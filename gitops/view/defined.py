"""What a view needs of a fleet's definitions; small, and made of what JSON can hold."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from gitops.backup.standing import BackedUp


class DefinedInstance(NamedTuple):
    """An instance.

    Args:
        app: what it is a copy of.
        parameters: their values as texts.
        images: the names of the images that it runs.
    """

    app: str
    parameters: Mapping[str, str]
    images: tuple[str, ...]


class DefinedImage(NamedTuple):
    """An image that the host can run, as gitops.view.view.ImageView has it.

    Args:
        name: its name.
        architecture: in Debian's words.
        identity: its tag, in full.
        packages: version by name, its parents' too.
        instances: those of the host that run it.
        parent: the image that it stands on, or `scratch`.
        allow: what its definition takes from outside of Debian.
        line: itself and all that it stands on.
    """

    name: str
    architecture: str
    identity: str
    packages: Mapping[str, str]
    instances: tuple[str, ...]
    parent: str
    allow: tuple[str, ...]
    line: tuple[str, ...]


class Defined(NamedTuple):
    """What the definitions say of a host.

    Args:
        fleet: the fleet's name.
        root: its directory.
        host: the host's name.
        instances: those of the host.
        backed_up: those of them that have backups.
        images: all that the host can run.
        reports: of each other host, what gitops.fleet.hosts.Report says; None where it does not report.
    """

    fleet: str
    root: str
    host: str
    instances: Mapping[str, DefinedInstance]
    backed_up: tuple[BackedUp, ...]
    images: tuple[DefinedImage, ...]
    reports: Mapping[str, Mapping[str, Any] | None]


def from_json(told: list[Any]) -> Defined:
    """Give what `json.dumps` made of it; raises TypeError, ValueError or AttributeError for anything else."""
    fleet, root, host, instances, backed_up, images, reports = told
    return Defined(
        fleet,
        root,
        host,
        {
            name: DefinedInstance(app, parameters, tuple(used))
            for name, (app, parameters, used) in instances.items()
        },
        tuple(BackedUp(*one) for one in backed_up),
        tuple(DefinedImage(*map(_hashable, one)) for one in images),
        reports,
    )


def _hashable(value: Any) -> Any:  # noqa: ANN401  # what JSON holds
    return tuple(value) if isinstance(value, list) else value
