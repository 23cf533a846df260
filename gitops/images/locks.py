"""The locks of a fleet: reading them, which do not fit their definition, what an image contains in all."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from gitops.debian.packages import Package
from gitops.fleet.fleet import Fleet, layers
from gitops.images.lock import Lock, parse_lock
from gitops.system.errors import Problem, UserError

Locks = Mapping[tuple[str, str], Lock]
"""Image and architecture to lock."""


def lock_path(root: Path, image: str, architecture: str) -> Path:
    """Say where the lock of an image is."""
    return root / "locks" / f"{image}.{architecture}.lock"


def targets(fleet: Fleet) -> list[tuple[str, str]]:
    """Give each image and architecture that has a lock, parents first."""
    return [
        (image, architecture)
        for image in fleet.parents_first()
        for architecture in fleet.architectures_of(image)
    ]


def rounds(fleet: Fleet) -> list[list[tuple[str, str]]]:
    """Give the same in rounds: none of a round stands on another of it, nor on one of a later round."""
    return [
        [(image, architecture) for image in layer for architecture in fleet.architectures_of(image)]
        for layer in layers(fleet)
    ]


def request_of(fleet: Fleet, image: str) -> tuple[str, ...]:
    """Say what decides an image's packages, as its lock has it in its comments."""
    definition = fleet.images[image]
    return (
        f"from {definition.parent}",
        " ".join(("archives", *fleet.archives_of(image))),
        " ".join(("packages", *sorted(set(definition.packages)))),
        f"recommends {'yes' if definition.recommends else 'no'}",
    )


def read_locks(fleet: Fleet, *, broken_too: bool = True) -> dict[tuple[str, str], Lock]:
    """Read the locks there are.

    Args:
        fleet: the fleet.
        broken_too: False: a lock that cannot be read counts as none, for it is to be written anew.

    Raises:
        UserError: lines that are not of a lock's format, all of them.
    """
    locks: dict[tuple[str, str], Lock] = {}
    problems: list[Problem] = []
    for image, architecture in targets(fleet):
        file = f"locks/{image}.{architecture}.lock"
        try:
            with open(f"{fleet.root}/{file}", encoding="utf-8") as opened:  # noqa: PTH123  # one of thousands
                locks[image, architecture] = parse_lock(opened.read(), file)
        except FileNotFoundError:
            continue
        except OSError as error:
            problems.append(Problem(file, message=f"cannot be read: {error.strerror}"))
        except UnicodeDecodeError:
            problems.append(Problem(file, message="is not UTF-8", hint=f"run gitops lock {image}"))
        except UserError as error:
            problems += error.problems
    if problems and broken_too:
        raise UserError.of(problems)
    return locks


def missing_or_stale(fleet: Fleet, locks: Locks) -> list[Problem]:
    """Tell which locks are not there, or were made from another definition, or do not fit their parent's."""
    problems = []
    below: dict[tuple[str, str], frozenset[str]] = {}
    for image, architecture in targets(fleet):
        if reason := _unfit(fleet, locks, image, architecture, below):
            file = str(lock_path(Path(), image, architecture))
            problems.append(Problem(file=file, message=reason, hint=f"run gitops lock {image}"))
    return problems


def left_over(fleet: Fleet) -> list[Path]:
    """Find lock files of images and architectures that the fleet does not have any more."""
    wanted = {lock_path(fleet.root, image, architecture) for image, architecture in targets(fleet)}
    return sorted(set((fleet.root / "locks").glob("*.lock")) - wanted)


def closure(fleet: Fleet, locks: Locks, image: str, architecture: str) -> tuple[Package, ...]:
    """Give every package of an image, its parents' and its own, sorted.

    Raises:
        UserError: a lock on the way is missing.
    """
    packages: list[Package] = []
    name = image
    while name != "scratch":
        lock = locks.get((name, architecture))
        if lock is None:
            file = lock_path(Path(), name, architecture)
            raise UserError("is missing", file=file, hint=f"run gitops lock {name}")
        packages += lock.packages
        name = fleet.images[name].parent
    return tuple(sorted(packages))


def _unfit(
    fleet: Fleet, locks: Locks, image: str, architecture: str, below: dict[tuple[str, str], frozenset[str]]
) -> str:
    """Give what is wrong with a lock; `below` remembers what is in a parent, which may have many children."""
    lock = locks.get((image, architecture))
    if lock is None:
        return "is missing"
    if (lock.image, lock.architecture, lock.request) != (image, architecture, request_of(fleet, image)):
        return f"was made from another definition of {image}"
    parent = fleet.images[image].parent, architecture
    if parent in locks:
        with suppress(UserError):
            if parent not in below:
                below[parent] = frozenset(package.name for package in closure(fleet, locks, *parent))
            twice = [package.name for package in lock.packages if package.name in below[parent]]
            if twice:
                return f"has {', '.join(twice[:3])}, which {parent[0]} has already"
    return ""
