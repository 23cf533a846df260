"""What is wrong, said on standard error: in colours on a terminal, the same words everywhere.

As with git and compilers: the place stands out, what is wrong is red, a warning's first word yellow. NO_COLOR
(no-color.org) and a terminal that is dumb have it plain.
"""

import os
import sys

from gitops.system.errors import Problem, UserError
from gitops.system.terminal import harmless, unguarded

_BOLD, _RED, _YELLOW, _PLAIN = "\x1b[1m", "\x1b[31m", "\x1b[33m", "\x1b[0m"
_WARNING = "warning:"


def complain(wrong: UserError | Problem | str) -> None:
    """Print it; several problems one after the other."""
    if isinstance(wrong, str):
        wrong = Problem(message=wrong)
    for problem in wrong.problems if isinstance(wrong, UserError) else (wrong,):
        if sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb":
            print(_painted(problem), file=unguarded(sys.stderr), flush=True)  # it is for people
        else:
            print(problem, file=sys.stderr, flush=True)  # noqa: T201  # as above


def _painted(problem: Problem) -> str:
    place, message, hint = map(harmless, (problem.place, problem.message, problem.hint))
    if message.startswith(_WARNING):
        message = f"{_YELLOW}{_WARNING}{_PLAIN}{message.removeprefix(_WARNING)}"
    else:
        message = f"{_RED}{message}{_PLAIN}"
    text = f"{_BOLD}{place}:{_PLAIN} {message}" if place else message
    return f"{text}\n  {hint}" if hint else text
