"""What a restore is about to do, in a file that outlives it (`gitops.backup.cut_short` says where).

When its owner has died, whoever comes next does what the phase asks for. Everything that this needs stands in
the file, since the definitions may be others by then.
"""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

from gitops.backup.cut_short import journal_path
from gitops.backup.login import Login
from gitops.backup.pieces import Piece
from gitops.backup.sets import Dataset, Part
from gitops.system.errors import UserError
from gitops.system.files import write
from gitops.system.places import Places

_VERSION = 1

Phase = Literal["preparing", "changing", "changed"]
"""`preparing`: all of the old is in place, and what lies beside goes. `changing`: all of the new lies ready,
and comes to its place. `changed`: all of the new is in place, and what lies beside goes."""


@dataclass(frozen=True)
class Journal:
    """A restore.

    Args:
        instance: what is restored.
        chosen: the short id of the set that it is restored from.
        pieces: what goes where.
        still: names of the containers that stand still for the change-over, in the order in which they start.
        phase: how far it is.
    """

    instance: str
    chosen: str
    pieces: tuple[Piece, ...]
    still: tuple[str, ...]
    phase: Phase = "preparing"

    def write(self, places: Places) -> Self:
        """Write it down, so that it holds after a power cut too; give it."""
        write(
            journal_path(places, self.instance), json.dumps({"version": _VERSION, **asdict(self)}), mode=0o600
        )
        return self

    def now(self, phase: Phase, places: Places) -> Self:
        """Write down another phase; give the journal as it is then."""
        return replace(self, phase=phase).write(places)

    def remove(self, places: Places) -> None:
        """Forget it."""
        journal_path(places, self.instance).unlink(missing_ok=True)


def read(places: Places, instance: str) -> Journal | None:
    """Read an instance's journal; None where there is none.

    Raises:
        UserError: it says nothing that this version of gitops understands.
    """
    path = journal_path(places, instance)
    try:
        said = json.loads(path.read_text())
        if said["version"] != _VERSION:
            raise UserError("was written by another version of gitops", file=path)
        return Journal(
            said["instance"],
            said["chosen"],
            tuple(_piece(one) for one in said["pieces"]),
            tuple(said["still"]),
            said["phase"],
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError("is no journal of a restore", file=path, hint="remove it") from error


def unsettled(places: Places, instance: str) -> tuple[Dataset, ...]:
    """Name the datasets of which some may be of a restore and others from before, since it was cut short.

    Raises:
        UserError: the journal cannot be understood.
    """
    note = read(places, instance)
    return tuple(one.dataset for one in note.pieces) if note and note.phase == "changing" else ()


def _piece(said: dict[str, Any]) -> Piece:
    part = said["part"]
    return Piece(
        **{
            **said,
            "dataset": Dataset(**said["dataset"]),
            "part": Part(**{**part, "dataset": Dataset(**part["dataset"])}),
            "login": Login(**said["login"]),
        }
    )
