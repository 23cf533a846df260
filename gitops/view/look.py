"""Looking: everything that this machine knows of a fleet, made into a view."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from gitops.agent.comparing import standing_of
from gitops.backup.standing import backed_up
from gitops.deploy.host import Wanted, want
from gitops.engine.docker import Docker
from gitops.engine.usage import Usage
from gitops.fleet.unchanged import state_of
from gitops.images.locks import closure
from gitops.system.clock import now
from gitops.system.places import Places
from gitops.view.assembly import assembled
from gitops.view.defined import Defined, DefinedImage, DefinedInstance
from gitops.view.glance import remember
from gitops.view.view import View


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
        host: its name; None: see gitops.deploy.host.want.
        engine: the host's engine.
        places: the host's directories.
        earlier: what containers used at the look before; tells how busy they were since.
        use: also ask what containers use, which is a question for each.

    Raises:
        UserError: the definitions are wrong, the engine cannot be asked, or the history cannot be read.
    """
    state = state_of(root, host, places)
    wanted = want(root, host, places)
    at, defined = now(), _defined(wanted)
    seen = standing_of(wanted, engine, places, earlier, use=use, at=at)
    remember(state, defined, seen, places)
    return assembled(defined, seen, places, at)


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
    seen = standing_of(wanted, engine, places, earlier, use=use, at=at)
    return assembled(_defined(wanted), seen, places, at, answers=engine is not None)


def _defined(wanted: Wanted) -> Defined:
    fleet, host = wanted.fleet, wanted.fleet.hosts[wanted.host]
    images: dict[str, list[str]] = {}
    users: dict[str, list[str]] = {}
    for spec in wanted.desired.containers:
        images.setdefault(spec.instance, []).append(spec.image_name)
        users.setdefault(spec.image_name, []).append(spec.instance)
    return Defined(
        fleet.settings.name,
        str(fleet.root),
        wanted.host,
        {
            name: DefinedInstance(
                placed.app,
                {key: str(value) for key, value in placed.parameters.items()},
                tuple(dict.fromkeys(images.get(name, ()))),
            )
            for name, placed in host.instances.items()
        },
        tuple(backed_up(fleet.instances(wanted.host).values())),
        tuple(
            _image(wanted, name, reference, users.get(name, ()))
            for name in fleet.images
            if (reference := wanted.references.get((name, host.architecture)))
        ),
        {
            name: other.report.model_dump(mode="json") if other.report else None
            for name, other in fleet.hosts.items()
            if name != wanted.host
        },
    )


def _image(wanted: Wanted, name: str, reference: str, users: Iterable[str]) -> DefinedImage:
    image, architecture = wanted.fleet.images[name], wanted.fleet.hosts[wanted.host].architecture
    return DefinedImage(
        name,
        architecture,
        reference.rpartition(":")[2],
        {one.name: one.version for one in closure(wanted.fleet, wanted.locks, name, architecture)},
        tuple(dict.fromkeys(users)),
        image.parent,
        tuple(image.allow),
        tuple(_line(wanted, name)),
    )


def _line(wanted: Wanted, image: str) -> Iterator[str]:
    """Give an image and those that it stands on."""
    while image != "scratch":
        yield image
        image = wanted.fleet.images[image].parent
