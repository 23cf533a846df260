"""What becomes of an error that a verb ends with; apart from the verbs, for who loads none of the others."""

import errno
import signal
import sys
from collections.abc import Callable
from threading import Event
from types import FrameType
from typing import TypeVar

from gitops.system.complaint import complain
from gitops.system.errors import InterruptedByUserError, UserError
from gitops.system.terminal import guard

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_interrupted = Event()
_Answer = TypeVar("_Answer")


def run(verb: Callable[[], _Answer]) -> _Answer:
    """Run a verb; a user's error is printed without a traceback, exit status 1; Ctrl-C is 130."""
    signal.signal(signal.SIGINT, _interrupt)
    guard()
    try:
        return verb()
    except UserError as error:
        sys.stdout.flush()
        complain(error)
        sys.exit(1)
    except (InterruptedByUserError, Exception) as error:
        # Libraries make an error of their own of what is raised amid their work, as pydantic does of Ctrl-C
        # while it builds a validator.
        if isinstance(error, OSError) and error.errno in _FULL:
            complain(f"{error.filename or 'what is printed'} cannot be written: {error.strerror}")
            sys.exit(1)
        if not (_interrupted.is_set() or isinstance(error, InterruptedByUserError)):
            raise
        print("interrupted; run it again to carry on", file=sys.stderr)
        sys.exit(130)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    _interrupted.set()
    raise InterruptedByUserError
