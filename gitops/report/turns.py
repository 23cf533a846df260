"""What the agent did, turn by turn: what it fetched, what it planned, how each step ended.

A turn is written down before its first step, so that one that was cut short shows as that.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from gitops.report.database import reading, write
from gitops.system.clock import now
from gitops.system.errors import UserError
from gitops.system.places import Places

KEPT = 1000
"""How many turns stay."""

_WIDTH = 400  # characters of a line


class Outcome(StrEnum):
    """How a turn ended."""

    UNDER_WAY = "under way"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    CUT_SHORT = "cut short"


@dataclass(frozen=True)
class Step:
    """One action of a turn's plan.

    Args:
        action: the plan's word for it.
        subject: to what: INSTANCE/SERVICE, or the name of an image, network or volume.
        reason: why.
        outcome: `planned` until it was done; then how it ended.
        started: when, UTC; None when it was not begun.
        ended: when, UTC.
        detail: what went wrong, a line.
    """

    action: str
    subject: str
    reason: str
    outcome: str = "planned"
    started: datetime | None = None
    ended: datetime | None = None
    detail: str = ""


@dataclass(frozen=True)
class Turn:
    """One turn.

    Args:
        kind: `fetch`, `apply` or `rollback`.
        commit: what it was about.
        before: the generation that ran before; empty where none did.
        started: when, UTC.
        outcome: how it ended.
        ended: when, UTC; None where that is not known.
        detail: a line for people; never what a container said.
        times: how often in a row just the same happened, until `ended`.
        steps: its plan's, in order; left out of lists.
        number: its place in the history.
    """

    kind: str
    commit: str
    before: str
    started: datetime
    outcome: Outcome
    ended: datetime | None = None
    detail: str = ""
    times: int = 1
    steps: tuple[Step, ...] = ()
    number: int = 0


def note(places: Places, turn: Turn) -> None:
    """Remember a turn that is over; one that is just like the last of its kind is only counted."""

    def count(database: sqlite3.Connection) -> int:
        same = database.execute(
            "UPDATE turns SET times = times + 1, ended = :ended WHERE id ="
            " (SELECT max(id) FROM turns WHERE kind = :kind) AND target = :commit AND before = :before"
            " AND outcome = :outcome AND detail = :detail",
            _values(turn),
        )
        return 0 if same.rowcount else _insert(database, turn)

    write(places, count)


def begin(places: Places, turn: Turn) -> int:
    """Remember a turn that begins, under the lock that keeps it the only one; give its number for `finish`.

    Returns:
        0 where the history cannot be written.
    """

    def insert(database: sqlite3.Connection) -> int:
        database.execute(
            "UPDATE turns SET outcome = ? WHERE outcome = ?", (Outcome.CUT_SHORT, Outcome.UNDER_WAY)
        )
        return _insert(database, turn)

    return write(places, insert)


def finish(
    places: Places, number: int, outcome: Outcome, detail: str = "", steps: Iterable[Step] = ()
) -> None:
    """Remember how a turn ended.

    Args:
        places: the host's directories.
        number: what `begin` gave.
        outcome: how.
        detail: a line for people.
        steps: its steps as they ended; none: they stay as they were planned.
    """

    def update(database: sqlite3.Connection) -> int:
        done = database.execute(
            "UPDATE turns SET outcome = ?, detail = ?, ended = ? WHERE id = ?",
            (outcome, line(detail), _text(now()), number),
        )
        if done.rowcount:
            _put_steps(database, number, steps)
        return done.rowcount

    write(places, update)


def turns(places: Places, *, limit: int = 20) -> list[Turn]:
    """Give the newest turns first, without their steps.

    Raises:
        UserError: the history cannot be read.
    """
    with reading(places) as database:
        rows = database.execute(f"SELECT {_COLUMNS} FROM turns ORDER BY id DESC LIMIT ?", (limit,))  # noqa: S608  # a constant
        return [_turn(row) for row in rows]


def turn(places: Places, number: int) -> Turn:
    """Give one turn with its steps.

    Raises:
        UserError: there is no such turn, or the history cannot be read.
    """
    with reading(places) as database:
        row = database.execute(f"SELECT {_COLUMNS} FROM turns WHERE id = ?", (number,)).fetchone()  # noqa: S608  # a constant
        if row is None:
            raise UserError(f"the history has no turn {number}", hint="`gitops history` lists them")
        found = database.execute(
            "SELECT action, subject, reason, outcome, started, ended, detail FROM steps"
            " WHERE turn = ? ORDER BY position",
            (number,),
        )
        steps = tuple(
            Step(action, subject, reason, outcome, _time(started), _time(ended), detail)
            for action, subject, reason, outcome, started, ended, detail in found
        )
        return _turn(row, steps)


def last_about(places: Places, instance: str) -> Turn | None:
    """Give the newest turn that had a step about an instance, with those steps alone; None: none is kept.

    Raises:
        UserError: the history cannot be read.
    """
    with reading(places) as database:
        row = database.execute(
            "SELECT max(turn) FROM steps WHERE subject = ? OR substr(subject, 1, ?) = ?",
            (instance, len(instance) + 1, f"{instance}/"),
        ).fetchone()
    if row is None or row[0] is None:
        return None
    found = turn(places, row[0])
    own = (step for step in found.steps if step.subject.partition("/")[0] == instance)
    return replace(found, steps=tuple(own))


def line(text: str) -> str:
    """Give the first line of a text as a history keeps it: printable, and not endless."""
    first = text.strip().partition("\n")[0]
    return "".join(character for character in first if character.isprintable())[:_WIDTH]


_COLUMNS = "id, kind, target, before, started, outcome, ended, detail, times"


def _insert(database: sqlite3.Connection, turn: Turn) -> int:
    made = database.execute(
        "INSERT INTO turns (kind, target, before, started, ended, outcome, detail, times)"
        " VALUES (:kind, :commit, :before, :started, :ended, :outcome, :detail, :times)",
        _values(turn),
    )
    number = made.lastrowid or 0
    _put_steps(database, number, turn.steps)
    database.execute("DELETE FROM turns WHERE id <= ?", (number - KEPT,))
    return number


def _put_steps(database: sqlite3.Connection, number: int, steps: Iterable[Step]) -> None:
    rows = [
        (number, position, each.action, each.subject, line(each.reason), *_times(each))
        for position, each in enumerate(steps)
    ]
    database.executemany("INSERT OR REPLACE INTO steps VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


def _times(step: Step) -> tuple[str | None, str | None, str, str]:
    return _text(step.started), _text(step.ended), step.outcome, line(step.detail)


def _values(turn: Turn) -> dict[str, object]:
    return {
        **{name: value for name, value in vars(turn).items() if name != "steps"},
        "detail": line(turn.detail),
        "started": _text(turn.started),
        "ended": _text(turn.ended),
    }


def _turn(
    row: tuple[int, str, str, str, str, str, str | None, str, int], steps: tuple[Step, ...] = ()
) -> Turn:
    number, kind, commit, before, started, outcome, ended, detail, times = row
    return Turn(
        kind,
        commit,
        before,
        datetime.fromisoformat(started),
        Outcome(outcome),
        _time(ended),
        detail,
        times,
        steps,
        number,
    )


def _text(time: datetime | None) -> str | None:
    return time.astimezone(UTC).isoformat() if time else None


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
