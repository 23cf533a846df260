"""What ran on this host, when, and how it ended: one small SQLite file. Losing it loses no data."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from gitops.system.errors import UserError
from gitops.system.places import Places

log = logging.getLogger(__name__)

KEPT = 500
"""How many runs of one thing stay: at one every five minutes, those of almost two days."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL, instance TEXT NOT NULL, name TEXT NOT NULL,
    started TEXT NOT NULL, ended TEXT NOT NULL, status INTEGER NOT NULL, detail TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS runs_of ON runs (kind, instance, name, id);
"""


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
    """

    kind: str
    instance: str
    name: str
    started: datetime
    ended: datetime
    status: int
    detail: str = ""

    @property
    def seconds(self) -> float:
        """Give how long it took, in seconds."""
        return (self.ended - self.started).total_seconds()


def record(places: Places, run: Run) -> None:
    """Remember a run; the oldest of its like are forgotten.

    A history that cannot be written is only logged: what ran has run, and must not look failed for it.
    """
    values = {
        **vars(run),
        "started": run.started.astimezone(UTC).isoformat(),
        "ended": run.ended.astimezone(UTC).isoformat(),
        "kept": KEPT,
    }
    try:
        with _open(places) as database:
            database.execute(
                "INSERT INTO runs (kind, instance, name, started, ended, status, detail)"
                " VALUES (:kind, :instance, :name, :started, :ended, :status, :detail)",
                values,
            )
            database.execute(
                "DELETE FROM runs WHERE kind = :kind AND instance = :instance AND name = :name AND id <="
                " (SELECT id FROM runs WHERE kind = :kind AND instance = :instance AND name = :name"
                " ORDER BY id DESC LIMIT 1 OFFSET :kept)",
                values,
            )
    except (sqlite3.Error, OSError) as error:
        log.warning("%s: not recorded: %s", places.state / "history.db", error)


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
    try:
        with _open(places) as database:
            rows = database.execute(
                "SELECT kind, instance, name, started, ended, status, detail FROM runs"
                " WHERE (:kind IS NULL OR kind = :kind) AND (:instance IS NULL OR instance = :instance)"
                " AND (:name IS NULL OR name = :name) ORDER BY id DESC LIMIT :limit",
                {"kind": kind, "instance": instance, "name": name, "limit": limit},
            )
            return [_run(*row) for row in rows]
    except (sqlite3.Error, OSError) as error:
        raise UserError(
            f"cannot be read: {error}",
            file=places.state / "history.db",
            hint="move it away and a new one is begun; no data is lost with it",
        ) from error


def _run(kind: str, instance: str, name: str, started: str, ended: str, status: int, detail: str) -> Run:
    return Run(
        kind, instance, name, datetime.fromisoformat(started), datetime.fromisoformat(ended), status, detail
    )


@contextmanager
def _open(places: Places) -> Iterator[sqlite3.Connection]:
    places.state.mkdir(parents=True, exist_ok=True)
    # Ten seconds are for the other jobs of the same minute, which all write here.
    with closing(sqlite3.connect(places.state / "history.db", timeout=10)) as database:
        if database.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            database.execute("PRAGMA journal_mode = WAL")
        database.executescript(_SCHEMA)
        with database:
            yield database
