"""Making locks: apt chooses each image's packages from verified indexes, parents first."""

import hashlib
import os
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from itertools import repeat
from pathlib import Path

from gitops.fleet.fleet import Fleet
from gitops.images.choosing import Chooser
from gitops.images.lock import Lock, format_lock
from gitops.images.locks import Locks, lock_path, missing_or_stale, rounds, targets
from gitops.system.errors import Problem, UserError
from gitops.system.files import write
from gitops.system.locks import exclusive
from gitops.system.places import Places
from gitops.system.progress import Progress


def lock_images(
    fleet: Fleet,
    locks: Locks,
    names: Iterable[str] | None = None,
    architectures: Collection[str] | None = None,
    *,
    places: Places,
    progress: Progress,
) -> dict[tuple[str, str], Lock]:
    """Resolve images anew against their archives as they are now; writes no lock.

    What stands on an image that changes is resolved anew too, and so is a parent whose lock does not fit.

    Args:
        fleet: the definitions.
        locks: the locks there are.
        names: the images; None for all.
        architectures: which; None for all that their archives name.
        places: where indexes and .debs are kept.
        progress: is told of each archive and each image, by several threads.

    Returns:
        The locks that were made, parents first, whether they differ from before or not.

    Raises:
        UserError: archives that cannot be trusted, packages that cannot be had: all that was found.
    """
    first = _first(fleet, locks, set(fleet.images if names is None else names))
    chooser = Chooser(fleet, places, progress)
    made: dict[tuple[str, str], Lock] = {}
    moved: set[tuple[str, str]] = set()
    failed: set[tuple[str, str]] = set()
    problems: list[Problem] = []

    def choose(key: tuple[str, str], below: Locks) -> Lock | UserError:
        progress(key[0], f"choosing packages for {key[1]}")
        try:
            return chooser.choose(key, below)
        except UserError as error:
            return error
        finally:
            progress(key[0], "")

    def parent(key: tuple[str, str]) -> tuple[str, str]:
        return fleet.images[key[0]].parent, key[1]

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for level in rounds(fleet):
            failed |= {key for key in level if parent(key) in failed}
            due = [
                key
                for key in level
                if key not in failed
                and (architectures is None or key[1] in architectures)
                and (key in first or parent(key) in moved)
            ]
            for key in due:
                chooser.ask(*key)
            for key, answer in zip(due, pool.map(choose, due, repeat({**locks, **made})), strict=True):
                if isinstance(answer, UserError):
                    failed.add(key)
                    problems += [_about(key[0], problem) for problem in answer.problems]
                else:
                    made[key] = answer
                    if key not in locks or answer.packages != locks[key].packages:
                        moved.add(key)
    if problems:
        raise UserError.of(list(dict.fromkeys(problems)))
    return made


def write_locks(root: Path, locks: Mapping[tuple[str, str], Lock]) -> list[Path]:
    """Write locks into a fleet: all of them, or none when one cannot be written.

    Returns:
        The files that changed.
    """
    before: list[tuple[Path, str | None]] = []
    changed: list[Path] = []
    try:
        for (image, architecture), lock in locks.items():
            path = lock_path(root, image, architecture)
            before.append((path, path.read_text() if path.is_file() else None))
            if write(path, format_lock(lock)):
                changed.append(path)
    except BaseException:
        for path, text in before:
            if text is None:
                path.unlink(missing_ok=True)
            else:
                write(path, text)
        raise
    return changed


def hold_locks(root: Path, places: Places) -> AbstractContextManager[None]:
    """Keep every other gitops from changing a fleet's locks meanwhile."""
    digest = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]
    return exclusive(places.runtime / f"fleet-{digest}.lock", f"the fleet {root}")


def _first(fleet: Fleet, locks: Locks, wanted: set[str]) -> set[tuple[str, str]]:
    """Tell what must be resolved anew: what is wanted, and what it stands on where that does not fit."""
    needed = set(fleet.parents_first(sorted(wanted)))
    unfit = {problem.file for problem in missing_or_stale(fleet, locks)}
    return {
        (image, architecture)
        for image, architecture in targets(fleet)
        if image in wanted or (image in needed and str(lock_path(Path(), image, architecture)) in unfit)
    }


def _about(image: str, problem: Problem) -> Problem:
    """Say whose packages a problem is about, unless it is about a file already."""
    return problem if problem.file else Problem(f"images/{image}.yaml", 0, 0, problem.message, problem.hint)
