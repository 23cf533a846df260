"""The one small SQLite file in which a host's past stands. Losing it loses nothing that runs."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from gitops.system.errors import UserError
from gitops.system.places import Places

_VERSION = 2
"""What `PRAGMA user_version` says of a file that has everything below."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL, instance TEXT NOT NULL, name TEXT NOT NULL,
    started TEXT NOT NULL, ended TEXT NOT NULL, status INTEGER NOT NULL, detail TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS runs_of ON runs (kind, instance, name, id);
CREATE TABLE IF NOT EXISTS turns (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL, target TEXT NOT NULL, before TEXT NOT NULL,
    started TEXT NOT NULL, ended TEXT, outcome TEXT NOT NULL, detail TEXT NOT NULL, times INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS steps (
    turn INTEGER NOT NULL REFERENCES turns (id) ON DELETE CASCADE, position INTEGER NOT NULL,
    action TEXT NOT NULL, subject TEXT NOT NULL, reason TEXT NOT NULL,
    started TEXT, ended TEXT, outcome TEXT NOT NULL, detail TEXT NOT NULL,
    PRIMARY KEY (turn, position)
) STRICT, WITHOUT ROWID;
"""

# Columns that came later; with a default, so that a gitops from before them can still write.
_LATER = {
    "outcome": "TEXT NOT NULL DEFAULT ''",
    "container": "TEXT NOT NULL DEFAULT ''",
    "generation": "TEXT NOT NULL DEFAULT ''",
    "tries": "INTEGER NOT NULL DEFAULT 1",
    "log": "TEXT NOT NULL DEFAULT ''",
}


def write(places: Places, change: Callable[[sqlite3.Connection], int]) -> int:
    """Change the history in one transaction; give what the change gives.

    A history that cannot be written is only logged, and 0 is given: what was done is done, and must not look
    failed for it.
    """
    try:
        with _opened(places) as database:
            return change(database)
    except (sqlite3.Error, OSError) as error:
        import logging  # noqa: PLC0415  # each job's start would pay for it

        log = logging.getLogger(__name__)
        log.warning("%s: not recorded: %s", places.state / "history.db", error)
        return 0


@contextmanager
def reading(places: Places) -> Iterator[sqlite3.Connection]:
    """Open the history to look something up.

    Raises:
        UserError: the history cannot be read.
    """
    try:
        with _opened(places) as database:
            yield database
    except (sqlite3.Error, OSError) as error:
        raise UserError(
            f"cannot be read: {error}",
            file=places.state / "history.db",
            hint="move it away and a new one is begun; no data is lost with it",
        ) from error


@contextmanager
def _opened(places: Places) -> Iterator[sqlite3.Connection]:
    places.state.mkdir(parents=True, exist_ok=True)
    # Ten seconds are for the other jobs of the same minute, which all write here.
    with closing(sqlite3.connect(places.state / "history.db", timeout=10)) as database:
        if database.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA foreign_keys = ON")
        if database.execute("PRAGMA user_version").fetchone()[0] < _VERSION:
            _bring_up(database)
        with database:
            yield database


def _bring_up(database: sqlite3.Connection) -> None:
    """Make the tables, or give those of an older gitops what they lack; one process of several does it."""
    database.execute("BEGIN IMMEDIATE")
    with database:
        for statement in _SCHEMA.split(";"):
            database.execute(statement)
        has = {column for _, column, *_ in database.execute("PRAGMA table_info(runs)")}
        for column, definition in _LATER.items():
            if column not in has:
                database.execute(f"ALTER TABLE runs ADD COLUMN {column} {definition}")
        database.execute(f"PRAGMA user_version = {_VERSION}")
