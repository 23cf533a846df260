"""Restores that were cut short: undone where nothing had changed yet, otherwise brought to their end."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from gitops.backup import journal
from gitops.backup.changeover import PartError, change_over, lay_database, tidy
from gitops.backup.cut_short import journals, owned
from gitops.backup.journal import Journal
from gitops.backup.pieces import Piece
from gitops.backup.vault import Vault
from gitops.backup.verify import one_line
from gitops.backup.waiting import wait_for_servers
from gitops.engine.docker import Docker
from gitops.report.history import Run, record
from gitops.secrets.hiding import hide
from gitops.system.clock import now
from gitops.system.errors import UserError
from gitops.system.locks import BusyError
from gitops.system.places import Places

_PATIENCE = 30.0
"""Seconds in which a server answers that was started with the machine."""

Open = Callable[[], AbstractContextManager[Vault]]
Tell = Callable[[str], object]


def resume_all(engine: Docker, places: Places, open_vault: Open, tell: Tell) -> None:
    """Bring every restore of this host to an end whose owner has died; what is in the way is told.

    Args:
        engine: the host's engine.
        places: the host's directories.
        open_vault: opens the host's backups; needed only where a server has died amid its change-over.
        tell: is given a line for each.
    """
    for instance in journals(places):
        try:
            with owned(places, instance):
                resume(instance, engine, places, open_vault, tell)
        except BusyError:
            continue
        except UserError as error:
            tell(hide(str(error), places.runtime / "secrets"))


def resume(instance: str, engine: Docker, places: Places, open_vault: Open, tell: Tell) -> None:
    """Bring an instance's restore to an end, if one was cut short; for who owns its journal.

    Raises:
        UserError: that cannot be now, or not at all.
    """
    note = journal.read(places, instance)
    if note is None:
        return
    if note.phase == "changing":
        _finish(note, engine, places, open_vault, tell)
    end(note, engine, places)
    old = note.phase == "preparing"
    how = "undone; it is as it was" if old else f"finished; it is what {note.chosen} holds"
    tell(f"{instance}: a restore that was cut short is {how}")


def _finish(note: Journal, engine: Docker, places: Places, open_vault: Open, tell: Tell) -> None:
    began = now()
    wait_for_servers(engine, note.pieces, _PATIENCE)

    def lay_anew(piece: Piece) -> None:
        with open_vault() as vault:
            lay_database(vault, engine, piece, tell)

    try:
        change_over(note, engine, places, lay_anew)
    except PartError as error:
        why = one_line(hide(error.problems[0].message, places.runtime / "secrets"))
        record(places, Run("restore", note.instance, "", began, now(), 1, why))
        end(note, engine, places)
        raise
    record(places, Run("restore", note.instance, "", began, now(), 0, note.chosen))


def end(note: Journal, engine: Docker, places: Places) -> None:
    """Remove what lies beside, and the journal."""
    tidy(engine, note.pieces)
    note.remove(places)
