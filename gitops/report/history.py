"""Which jobs and backups ran on this host, when, and how they ended."""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime

from gitops.report.database import reading, write
from gitops.system.places import Places

KEPT = 500
"""How many runs of one thing stay: at one every five minutes, those of almost two days."""


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
    """Remember a run; the oldest of its like are forgotten."""
    values = {
        **vars(run),
        "started": run.started.astimezone(UTC).isoformat(),
        "ended": run.ended.astimezone(UTC).isoformat(),
        "kept": KEPT,
    }

    def insert(database: sqlite3.Connection) -> int:
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
        return 1

    write(places, insert)


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
            "SELECT kind, instance, name, started, ended, status, detail FROM runs"
            " WHERE (:kind IS NULL OR kind = :kind) AND (:instance IS NULL OR instance = :instance)"
            " AND (:name IS NULL OR name = :name) ORDER BY id DESC LIMIT :limit",
            {"kind": kind, "instance": instance, "name": name, "limit": limit},
        )
        return [_run(*row) for row in rows]


def _run(kind: str, instance: str, name: str, started: str, ended: str, status: int, detail: str) -> Run:
    return Run(
        kind, instance, name, datetime.fromisoformat(started), datetime.fromisoformat(ended), status, detail
    )
