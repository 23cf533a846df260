"""Writing a run into the history, with nothing loaded that the start of each job would pay for."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from gitops.report.database import write
from gitops.system.places import Places

if TYPE_CHECKING:
    import sqlite3

KEPT: Final = 500
"""How many runs of one thing stay: at one every five minutes, those of almost two days."""

OUTCOMES: Final = ("ok", "failed", "timeout", "missed", "skipped", "killed")
"""How a run may end. `missed`: it could not begin; `skipped`: the one before still ran; `killed`: who watched
over it died, or a later one took its place."""

GOOD: Final = ("ok", "skipped")
"""Outcomes of which nobody needs to hear."""

COLUMNS: Final = (
    *("kind", "instance", "name", "started", "ended", "status", "detail"),
    *("outcome", "container", "generation", "tries", "log"),
)
"""What the history keeps of a run; gitops.report.history.Run says what each is."""

WELL: Final = "status = 0 AND outcome IN ('ok', '')"
"""SQL's condition for a run that ended well."""

_INSERT = f"INSERT INTO runs ({', '.join(COLUMNS)}) VALUES (:{', :'.join(COLUMNS)})"  # noqa: S608  # constants
# What ended well last stays, however often it failed since: people ask how long ago that is.
# Each part walks down the index, newest first, no further than it must.
_LIKE = "kind = :kind AND instance = :instance AND name = :name"
_FORGET = f"""
DELETE FROM runs WHERE {_LIKE}
    AND id <= (SELECT id FROM runs WHERE {_LIKE} ORDER BY id DESC LIMIT 1 OFFSET :kept)
    AND id IS NOT (SELECT id FROM runs WHERE {_LIKE} AND {WELL} ORDER BY id DESC LIMIT 1)
"""  # noqa: S608  # constants


def record_run(places: Places, run: Mapping[str, object]) -> int:
    """Remember a run; the oldest of its like are forgotten.

    Args:
        places: where the history is.
        run: a value for each of `COLUMNS`; times with a zone.

    Returns:
        Its number; 0 where the history cannot be written.
    """
    values = {"kept": KEPT, **{name: _plain(run[name]) for name in COLUMNS}}

    def insert(database: "sqlite3.Connection") -> int:
        made = database.execute(_INSERT, values)
        database.execute(_FORGET, values)
        return made.lastrowid or 0

    return write(places, insert)


def _plain(value: object) -> object:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
