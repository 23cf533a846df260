"""The locks as they would be if every image were locked today, as far as apt can have it so."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from gitops.fleet.fleet import Fleet
from gitops.images.lock import Lock
from gitops.images.locks import Locks, rounds
from gitops.system.errors import UserError
from gitops.updates.difference import Key
from gitops.updates.groups import stack

Choose = Callable[[Key, Locks], Lock]
"""Makes the lock of one image on top of the locks it is given."""


@dataclass(frozen=True)
class Fresh:
    """What apt would have today.

    Args:
        locks: those that differ from what they are.
        failed: images that cannot be had anew, and why; of these, what can move on its own has.
        doubtful: images whose lock was not made on top of their parents' new ones.
    """

    locks: dict[Key, Lock]
    failed: dict[Key, str]
    doubtful: frozenset[Key]


def fresh(
    fleet: Fleet, old: Locks, is_outdated: Callable[[Lock], bool], choose: Choose, upgrade: Choose
) -> Fresh:
    """Resolve again every image with something newer in its archives, and every image whose parent moved.

    Args:
        fleet: the definitions.
        old: every lock as it is.
        is_outdated: tells whether an archive has anything newer for a lock.
        choose: lets apt choose anew.
        upgrade: lets apt move on what it can of an image that cannot be chosen anew.
    """
    new: dict[Key, Lock] = {}
    failed: dict[Key, str] = {}
    doubtful: set[Key] = set()

    def again(key: Key) -> Lock:
        try:
            return choose(key, {**old, **new})
        except UserError as error:
            doubtful.add(key)
            reason = str(error)
        if any(below in new for below in stack(fleet, key)):
            with suppress(UserError):
                return choose(key, old)
        failed[key] = reason
        with suppress(UserError):
            return upgrade(key, {**old, **new})
        return old[key]

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for level in rounds(fleet):
            keys = [
                key
                for key in level
                if any(below in new for below in stack(fleet, key)) or is_outdated(old[key])
            ]
            # All of a level before any of it counts: they are chosen at the same time.
            made = dict(zip(keys, pool.map(again, keys), strict=True))
            new |= {key: lock for key, lock in made.items() if lock != old[key]}
    return Fresh(new, failed, frozenset(doubtful))
