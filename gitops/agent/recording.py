"""Writing a turn of the agent into the history while it goes on."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from gitops.deploy.plan import Plan
from gitops.report.turns import Outcome, Step, Turn, begin, finish
from gitops.system.clock import now
from gitops.system.errors import InterruptedByUserError, UserError
from gitops.system.places import Places


@dataclass
class Recorded:
    """What becomes of a turn's steps; whoever does them says so here."""

    steps: Sequence[Step] = field(default_factory=list)


@contextmanager
def recorded(places: Places, kind: str, commit: str, before: str, plan: Plan) -> Iterator[Recorded]:
    """Write a turn down before its first step, and how it ended; what ends it is raised on.

    Args:
        places: the host's directories.
        kind: `apply` or `rollback`.
        commit: the generation that is to run.
        before: the one that ran.
        plan: what is to be done; where that is nothing, only a change of generation is worth a line.
    """
    told = Recorded([Step(str(one.kind), one.subject, one.reason) for one in plan.actions])
    turn = Turn(kind, commit, before, now(), Outcome.UNDER_WAY, steps=tuple(told.steps))
    if not plan and commit == before:
        yield told
        return
    number = begin(places, turn)
    try:
        yield told
    except UserError as error:
        more = f" and {len(error.problems) - 1} more" if len(error.problems) > 1 else ""
        # Only the message: a hint may be what a container said, which is nobody's to keep.
        finish(places, number, Outcome.FAILED, f"{error.problems[0].message}{more}", told.steps)
        raise
    except InterruptedByUserError:
        finish(places, number, Outcome.CUT_SHORT, "interrupted", told.steps)
        raise
    steps = [replace(one, outcome="done") if one.outcome == "planned" else one for one in told.steps]
    finish(places, number, Outcome.DONE, "", steps)
