"""Which jobs and backups ran on this host, when, and how they ended."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from gitops.report.database import reading
from gitops.report.recording import COLUMNS, GOOD, KEPT, OUTCOMES, WELL, record_run
from gitops.system.places import Places

__all__ = ["COLUMNS_READ", "GOOD", "KEPT", "OUTCOMES", "Past", "Run", "pasts", "record", "run_of", "runs"]


@dataclass(frozen=True)
class Run:
    """One thing that ran.

    Args:
        kind: what it was: `job`, `backup`, `restore`…
        instance: whose it was.
        name: which one: a job's name; empty where the instance has one only.
        started: when, in UTC.
        ended: when, in UTC.
        status: 0 when it went well; a job's exit status.
        detail: one line for people.
        outcome: one of `OUTCOMES`; empty: `ok` or `failed`, as the status says.
        container: where it ran, the engine's id in full; empty where it ran in none.
        generation: the commit whose definitions it followed; empty where that is not known.
        tries: how often it was begun.
        log: the file that has its output, as from the host's state directory; empty where there is none.
        number: its place in the history, given when it is recorded.
    """

    kind: str
    instance: str
    name: str
    started: datetime
    ended: datetime
    status: int
    detail: str = ""
    outcome: str = ""
    container: str = ""
    generation: str = ""
    tries: int = 1
    log: str = ""
    number: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        """Name the outcome where the status alone says it."""
        if not self.outcome:
            object.__setattr__(self, "outcome", "failed" if self.status else "ok")

    @property
    def seconds(self) -> float:
        """Give how long it took, in seconds."""
        return (self.ended - self.started).total_seconds()


def record(places: Places, run: Run) -> int:
    """Remember a run; the oldest of its like are forgotten.

    Returns:
        Its number; 0 where the history cannot be written.
    """
    return record_run(places, vars(run))


def runs(
    places: Places,
    *,
    kind: str | None = None,
    instance: str | None = None,
    name: str | None = None,
    limit: int = 50,
) -> list[Run]:
    """Give the newest runs first, of one kind, instance and name where these are given.

    Raises:
        UserError: the history cannot be read.
    """
    with reading(places) as database:
        rows = database.execute(
            f"SELECT {COLUMNS_READ}, id FROM runs"  # noqa: S608  # a constant
            " WHERE (:kind IS NULL OR kind = :kind) AND (:instance IS NULL OR instance = :instance)"
            " AND (:name IS NULL OR name = :name) ORDER BY id DESC LIMIT :limit",
            {"kind": kind, "instance": instance, "name": name, "limit": limit},
        )
        return [run_of(row) for row in rows]


@dataclass(frozen=True)
class Past:
    """What became of one thing that runs again and again.

    Args:
        last: how it went last; where it was skipped since, how it went before.
        good: when it last ended well, in UTC; None: never, as far as the history goes back.
        asked: when it was last to begin, in UTC, also where it was skipped then.
    """

    last: Run
    good: datetime | None
    asked: datetime


def pasts(places: Places) -> dict[tuple[str, str, str], Past]:
    """Give what became of everything that ever ran, by kind, instance and name, in their order.

    Raises:
        UserError: the history cannot be read.
    """
    with reading(places) as database:
        rows = database.execute(_PASTS)
        found = {}
        for good, asked, *row in rows:
            last = run_of(cast("_Row", tuple(row)))
            found[last.kind, last.instance, last.name] = Past(
                last,
                datetime.fromisoformat(good) if good else None,
                datetime.fromisoformat(asked),
            )
        return found


COLUMNS_READ = ", ".join(COLUMNS)
_SAME = "one.kind = asked.kind AND one.instance = asked.instance AND one.name = asked.name"
_PASTS = f"""
SELECT (SELECT ended FROM runs AS one WHERE {_SAME} AND {WELL} ORDER BY id DESC LIMIT 1),
    asked.started, {", ".join(f"last.{column}" for column in COLUMNS)}, last.id
FROM (SELECT max(id) AS id FROM runs GROUP BY kind, instance, name) AS newest
JOIN runs AS asked ON asked.id = newest.id
JOIN runs AS last ON last.id = coalesce(
    (SELECT id FROM runs AS one WHERE {_SAME} AND outcome <> 'skipped' ORDER BY id DESC LIMIT 1), asked.id
)
ORDER BY last.kind, last.instance, last.name
"""  # noqa: S608  # a constant

_Row = tuple[str, str, str, str, str, int, str, str, str, str, int, str, int]


def run_of(row: _Row) -> Run:
    """Read a row of COLUMNS_READ and the number."""
    kind, instance, name, started, ended, *_ = row
    began, ended_at = datetime.fromisoformat(started), datetime.fromisoformat(ended)
    return Run(kind, instance, name, began, ended_at, *row[5:])
