"""What no single file can tell: whether images, archives and hosts fit together."""

from collections.abc import Iterator
from pathlib import Path

from gitops.fleet.document import At, read
from gitops.fleet.files import entry_files
from gitops.fleet.fleet import Fleet
from gitops.fleet.images import Image
from gitops.fleet.listing import leads_inside
from gitops.fleet.sources import Sources, placed
from gitops.fleet.wording import Fault, did_you_mean
from gitops.system.errors import Problem, UserError


def sound_images(images: dict[str, Image]) -> frozenset[str]:
    """Give the images whose line of parents ends at `scratch`."""
    sound: set[str] = set()
    for name, image in images.items():
        line, below = [name], image.parent
        while below in images and below not in line and below not in sound:
            line.append(below)
            below = images[below].parent
        if below == "scratch" or below in sound:
            sound.update(line)
    return frozenset(sound)


def image_problems(fleet: Fleet, sources: Sources) -> Iterator[Problem]:
    """Tell what is wrong between images, and between them and the files they copy."""
    for name, image in fleet.images.items():
        if document := sources.images.get(name):
            for fault in (*_parent_faults(fleet, sources, name), *_copy_faults(sources, name, image)):
                yield placed(document, fault)


def archive_problems(fleet: Fleet, sources: Sources, sound: frozenset[str]) -> Iterator[Problem]:
    """Tell what is wrong between images and archives, and with keyrings that lie in the fleet."""
    for name in fleet.images:
        for fault in _archive_faults(fleet, sources, name, sound):
            yield placed(sources.images[name], fault)
    for name, archive in fleet.settings.archives.items():
        path = Path(archive.keyring)
        if path.is_absolute() or not sources.settings:
            continue
        at: At = ("archives", name, "keyring")
        if not leads_inside(sources.root / path, sources.root):
            yield sources.settings.problem(at, f"{archive.keyring!r} leaves the fleet")
        elif not (sources.root / path).is_file():
            yield sources.settings.problem(at, f"there is no file {archive.keyring}")


def missing_keyrings(fleet: Fleet) -> list[Problem]:
    """Tell which keyrings this machine lacks; only locking needs them, so a fleet loads without."""
    document, _ = read(fleet.root / "fleet.yaml", "fleet.yaml")
    return [
        document.problem(
            ("archives", name, "keyring") if "keyring" in archive.model_fields_set else ("archives", name),
            f"this machine has no {archive.keyring}",
            "install the package that brings it, for Debian's own debian-archive-keyring",
            key="keyring" not in archive.model_fields_set,
        )
        for name, archive in fleet.settings.archives.items()
        if document and Path(archive.keyring).is_absolute() and not Path(archive.keyring).is_file()
    ]


def _parent_faults(fleet: Fleet, sources: Sources, name: str) -> Iterator[Fault]:
    parent = fleet.images[name].parent
    if parent != "scratch" and parent not in sources.names["images"]:
        hint = did_you_mean(parent, {*sources.names["images"], "scratch"} - {name})
        yield Fault(("from",), f"unknown image `{parent}`", hint)
        return
    line = [name]
    while parent in fleet.images and parent not in line:
        line.append(parent)
        parent = fleet.images[parent].parent
    if parent == name and name == min(line):
        yield Fault(("from",), f"an image cannot stand on itself: {' → '.join([*line, name])}")


def _copy_faults(sources: Sources, name: str, image: Image) -> Iterator[Fault]:
    for entry, copy in enumerate(image.copies):
        try:
            entry_files(sources.root, name, copy, entry)
        except UserError as error:
            problem = error.problems[0]
            yield Fault(("copy", entry, "source"), problem.message, problem.hint)


def _archive_faults(fleet: Fleet, sources: Sources, name: str, sound: frozenset[str]) -> Iterator[Fault]:
    image, archives = fleet.images[name], fleet.settings.archives
    known = sources.names["archives"]
    places: list[tuple[At, str]] = [(("archives", index), each) for index, each in enumerate(image.archives)]
    if image.archive:
        places.insert(0, (("archive",), image.archive))
    for at, archive in places:
        if archive not in known:
            yield Fault(at, f"unknown archive `{archive}`", did_you_mean(archive, known))
    line = fleet.archives_of(name) if name in sound and places else ()
    if line and all(each in archives for each in line) and not fleet.architectures_of(name):
        yield Fault(places[-1][0], f"{' and '.join(line)} have no architecture in common")
