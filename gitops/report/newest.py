"""The newest run of each thing, for who asks how all of a host's instances stand: one look at the history."""

from datetime import datetime

from gitops.report.database import reading
from gitops.report.history import Run
from gitops.system.places import Places

_QUERY = """
SELECT kind, instance, name, started, ended, status, detail FROM runs WHERE id IN (
    SELECT {which}(id) FROM runs WHERE kind = ? {only} GROUP BY instance)
"""


def newest(places: Places, kind: str, *, good: bool = False) -> dict[str, Run]:
    """Give the newest run of a kind of each instance; where `good`, the newest that went well.

    Raises:
        UserError: the history cannot be read.
    """
    return _runs(places, kind, _QUERY.format(which="max", only="AND status = 0" if good else ""))


def oldest(places: Places, kind: str) -> dict[str, Run]:
    """Give the oldest run of a kind of each instance that the history still has; raises as `newest` does."""
    return _runs(places, kind, _QUERY.format(which="min", only=""))


def _runs(places: Places, kind: str, query: str) -> dict[str, Run]:
    with reading(places) as database:
        found = (
            Run(kind, instance, name, datetime.fromisoformat(begun), datetime.fromisoformat(ended), *rest)
            for kind, instance, name, begun, ended, *rest in database.execute(query, (kind,))
        )
        return {one.instance: one for one in found}
