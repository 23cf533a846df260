"""The newest runs of many things, one after the other: one connection, and an index for each question."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gitops.report.database import reading
from gitops.report.history import COLUMNS_READ, Run, run_of
from gitops.system.places import Places

Recent = Callable[[str, str, str], list[Run]]
"""Gives the newest runs, the newest first, of a kind, instance and name."""

_QUERY = f"""
SELECT {COLUMNS_READ}, id FROM runs WHERE kind = ? AND instance = ? AND name = ? ORDER BY id DESC LIMIT ?
"""  # noqa: S608  # a constant


@contextmanager
def recent(places: Places, limit: int) -> Iterator[Recent]:
    """Open the history to ask for the newest runs of many things.

    Args:
        places: the host's directories.
        limit: how many of each.

    Raises:
        UserError: the history cannot be read.
    """
    with reading(places) as database:

        def ask(kind: str, instance: str, name: str) -> list[Run]:
            return [run_of(row) for row in database.execute(_QUERY, (kind, instance, name, limit))]

        yield ask
