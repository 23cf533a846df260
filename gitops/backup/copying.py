"""Volumes of a run: seen by restic where they are, all of them in one snapshot with the dumps that wait."""

import contextlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from gitops.backup.answers import Saved, has_vanished
from gitops.backup.progress import Progress, Task
from gitops.backup.refusals import MountError, ParentError
from gitops.backup.sets import Dataset, Part
from gitops.backup.wanted import users
from gitops.fleet.names import volume_name
from gitops.system.errors import UserError

_TRIES = 3


@dataclass(frozen=True)
class _Copy:
    """A volume on its way: whose and which, where it is on this machine, and where in the snapshot."""

    own: Progress
    dataset: Dataset
    source: Path
    path: str


def save_bundle(
    task: Task, everything: Sequence[Progress], volumes: Iterable[tuple[Progress, Dataset]]
) -> None:
    """Save the dumps that wait in the bundle, and volumes, as they are.

    A volume of which something could not be read is saved once more: it changed under restic's eyes. What is
    gone for good the third time was removed; what is there and cannot be read spoils its volume.

    Args:
        task: the run.
        everything: whose dumps wait.
        volumes: which volumes.

    Raises:
        UserError: the repository does not take it; it can be called again.
    """
    left = list(volumes)
    waiting = [(own, part) for own in everything for part in own.parts.values() if not part.snapshot]
    parent = task.vault.kept.parent([(own.name, dataset) for own, dataset in left])
    for attempt in range(1, _TRIES + 1):
        copies = _see(task, left)
        if not (copies or waiting):
            return
        saved, copies = _save(task, copies, parent)
        _refuse_lost_dumps(saved, copies, task.bundle.directory)
        for own, part in waiting:
            own.save(replace(part, snapshot=saved.snapshot))
        dumps = sum(part.size for _, part in waiting)
        left, waiting, parent = [], [], saved.snapshot
        for copy in copies:
            place = task.bundle.directory / copy.path
            unread = [(path, why) for path, why in saved.unread if _is_below(path, place)]
            lasting = [(path, why) for path, why in unread if not has_vanished(why)]
            if unread and attempt < _TRIES:
                left.append((copy.own, copy.dataset))
            elif lasting:
                path, why = lasting[0]
                copy.own.fail(copy.dataset, f"{why}: {Path(path).relative_to(place)}")
            else:
                size = saved.size - dumps if len(copies) == 1 else _size(copy.source)
                copy.own.save(Part(copy.dataset, saved.snapshot, str(place), size, ""))
        task.bundle.clear()


def save_still(own: Progress, method: Literal["pause", "stop"]) -> None:
    """Save volumes of an instance while the services that have them stand still; raises as `save_bundle`."""
    task, volumes = own.task, [one.dataset for one in own.volumes(method)]
    if not volumes:
        return
    from gitops.engine.held import hold  # noqa: PLC0415  # mostly nothing stands still

    names = [one.name for one in volumes]
    refused: UserError | None = None
    try:
        standing = users(task.engine, task.vault.fleet, task.vault.host, own.asked, names)
        with hold(task.engine, standing, method, task.places, "backup") as still:
            try:
                save_bundle(task, [], [(own, one) for one in volumes])
            except UserError as error:
                refused = error
    except UserError as error:  # they cannot stand still, or not go on
        for one in volumes:
            own.fail(one, str(error))
    else:
        own.stood_still += still.seconds
        task.tell(f"{own.name}: services of {', '.join(names)} stood still for {still.seconds:.1f} s")
    if refused:
        raise refused


def _see(task: Task, volumes: Iterable[tuple[Progress, Dataset]]) -> list[_Copy]:
    """Let the bundle have volumes; give those that there are."""
    found = []
    for own, dataset in volumes:
        try:
            source = task.engine.volume_path(volume_name(task.vault.fleet, own.name, dataset.name))
        except UserError as error:
            own.fail(dataset, str(error))
            continue
        path = dataset.directory(own.name)
        task.bundle.volume(path, source)
        found.append(_Copy(own, dataset, source, path))
    return found


def _save(task: Task, copies: list[_Copy], parent: str) -> tuple[Saved, list[_Copy]]:
    """Save the bundle; give the volumes that it has, too: one that cannot be mounted it does without."""
    bundle = task.bundle
    while True:
        try:
            saved = task.vault.restic.save_directory(
                bundle.directory,
                task.tags,
                volumes=bundle.volumes,
                parent=parent,
                watch=task.vault.watch("files", "saving"),
            )
        except ParentError:
            parent = ""
        except MountError as error:
            for copy in copies:
                if copy.path == error.place:
                    copy.own.fail(copy.dataset, str(error))
            copies = [copy for copy in copies if copy.path != error.place]
            bundle.without(error.place)
        else:
            return saved, copies
        finally:
            task.vault.progress("files", "")


def _refuse_lost_dumps(saved: Saved, copies: Iterable[_Copy], directory: Path) -> None:
    volumes = [directory / copy.path for copy in copies]
    for path, why in saved.unread:
        if not any(_is_below(path, volume) for volume in volumes):
            raise UserError(f"{path} could not be read: {why}")


def _is_below(path: str, directory: Path) -> bool:
    return Path(path).is_relative_to(directory)


def _size(directory: Path) -> int:
    """Add the bytes of a volume's files up; one that vanishes meanwhile counts nothing."""
    size = 0
    for place, _, files in os.walk(directory):
        for name in files:
            with contextlib.suppress(OSError):
                size += os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118  # Paths take long
    return size
