"""A repository that is away or in use is tried again a few times, with growing pauses."""

import contextlib
import time
from collections.abc import Callable
from typing import TypeVar

from gitops.backup.refusals import HopelessError, LockedError
from gitops.backup.restic import Restic
from gitops.system.errors import UserError

PAUSES = (5.0, 30.0)
"""Seconds before the second try, and before the third."""

PAUSES_LOCKED = (5.0, 30.0, 60.0, 300.0, 600.0, 900.0)
"""The same where another restic has the repository for itself: pruning a large one takes a while."""

_Answer = TypeVar("_Answer")


def insist(call: Callable[[], _Answer], restic: Restic, tell: Callable[[str], object]) -> _Answer:
    """Call something that uses a repository, again where it fails and time may mend that.

    Args:
        call: what is tried; it may be called several times.
        restic: the repository; locks whose owners have died are removed from it. Dead is, for restic, whose
            process is gone from this host, or who has not renewed its lock for half an hour.
        tell: is given a line before each pause, and when a lock is gone.

    Raises:
        UserError: the last try failed too, or another would be of no use.
    """
    tries, blocked = 0, ""
    while True:
        try:
            answer = call()
        except HopelessError:
            raise
        except UserError as error:
            locked = isinstance(error, LockedError)
            if isinstance(error, LockedError) and not blocked:
                blocked = error.holder
                _unlock(restic)
                continue
            pauses = PAUSES_LOCKED if locked else PAUSES
            if tries >= len(pauses):
                raise
            tell(f"{error.problems[0].message}; trying again in {pauses[tries]:g} s")
            time.sleep(pauses[tries])
            tries += 1
            if locked:
                _unlock(restic)
        else:
            if blocked and not tries:
                tell(f"{blocked} has died or ended; its lock is gone")
            return answer


def _unlock(restic: Restic) -> None:
    with contextlib.suppress(UserError):  # the next try tells what is wrong
        restic.unlock()
