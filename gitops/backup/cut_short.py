"""Whether a restore has died before its end: a look at files, for who asks often.

A restore has a journal, `STATE/restore/INSTANCE.json`, and keeps `RUNTIME/locks/restore.INSTANCE` locked
(flock(2)). A journal whose lock is free says that its owner has died.
"""

from contextlib import AbstractContextManager
from pathlib import Path

from gitops.system.locks import BusyError, exclusive
from gitops.system.places import Places


def journal_path(places: Places, instance: str) -> Path:
    """Say where the journal of an instance's restore is."""
    return places.state / "restore" / f"{instance}.json"


def owned(places: Places, instance: str, *, wait: float = 0) -> AbstractContextManager[None]:
    """Be the one that restores an instance while the block runs; raises BusyError when another is.

    Args:
        places: the host's directories.
        instance: its name.
        wait: seconds to wait for another, who may only be looking.
    """
    path = places.runtime / "locks" / f"restore.{instance}"
    return exclusive(path, f"the restore of {instance}", wait=wait)


def journals(places: Places) -> list[str]:
    """Name the instances that are being restored, or were when something died."""
    return sorted(path.stem for path in (places.state / "restore").glob("*.json"))


def any_cut_short(places: Places) -> bool:
    """Tell whether there is a restore whose owner has died; asks no engine."""
    for instance in journals(places):
        try:
            with owned(places, instance):
                return True
        except BusyError:
            continue
    return False
