"""Restore an instance from a backup set: prepare beside what is there, then change over in one short step.

Until the change-over nothing of the instance is touched and its services run on; an interruption leaves the
old. The change-over lets no Ctrl-C in; what is killed within it is brought to the new by whoever comes next,
the agent or another restore (`gitops.backup.resume`).
"""

from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace

from gitops.backup import journal
from gitops.backup.changeover import PartError, change_over, prepare
from gitops.backup.cut_short import owned
from gitops.backup.journal import Journal
from gitops.backup.pieces import Piece, pieces, renamed, selected, standing_still
from gitops.backup.resume import end, resume
from gitops.backup.run import lock_path
from gitops.backup.safety import keep_safe
from gitops.backup.sets import BackupSet
from gitops.backup.vault import Vault
from gitops.backup.verify import one_line
from gitops.backup.waiting import settle
from gitops.engine.docker import Docker
from gitops.fleet.fleet import Instance
from gitops.report.history import Run, record
from gitops.secrets.hiding import hidden
from gitops.system.clock import now
from gitops.system.errors import Problem, UserError
from gitops.system.locks import exclusive
from gitops.system.places import Places

Tell = Callable[[str], object]


_LOOK = 5.0
"""Seconds to wait for an agent that looks whether there is a restore that died."""


@dataclass(frozen=True)
class Wish:
    """What is to be restored.

    Args:
        instance: what it comes to; its containers and volumes exist, and those of its databases run.
        chosen: the set that it comes from.
        source: the instance that the set is of; None: the same.
        only: names of datasets, as in `gitops.backup.pieces.selected`; none: everything.
        safety: whether what is there now is kept first.
    """

    instance: Instance
    chosen: BackupSet
    source: Instance | None = None
    only: tuple[str, ...] = ()
    safety: bool = True

    def __str__(self) -> str:
        """Say which backup it is."""
        return self.chosen.short + (f" of {self.source.name}" if self.source else "")

    def pieces(self, engine: Docker, fleet: str) -> tuple[Piece, ...]:
        """Find out what goes where; raises UserError where that cannot be."""
        source, target = self.source or self.instance, self.instance
        if source.app != target.app:
            raise UserError(
                f"{target.name} is an instance of {target.app}, and {source.name} is one of {source.app}",
                hint="a backup is restored into an instance of the same app",
            )
        parts = selected(self.chosen.parts, self.only)
        wanted = [(renamed(one.dataset, source, target), one) for one in parts]
        return pieces(engine, fleet, target, wanted)


def restore(vault: Vault, engine: Docker, wish: Wish, places: Places, *, tell: Tell = lambda _: None) -> None:
    """Bring an instance's databases and volumes to what a set holds.

    Args:
        vault: the host's backups.
        engine: the engine of this host.
        wish: what is restored, and from which set.
        places: where history, journals and locks are.
        tell: is given a line for people at each step.

    Raises:
        UserError: it failed; the message says whether the instance is as it was.
    """
    name, began = wish.instance.name, now()
    turn = exclusive(lock_path(places), "the backup repository of this host")
    with turn, owned(places, name, wait=_LOOK):
        try:
            resume(name, engine, places, lambda: nullcontext(vault), tell)
        except PartError as error:
            tell(str(error))
        try:
            _restore(vault, engine, wish, places, tell)
        except UserError as error:
            shown = [hidden(one, places.runtime / "secrets") for one in error.problems]
            record(places, Run("restore", name, "", began, now(), 1, one_line(shown[0].message)))
            raise UserError.of(shown) from error
        record(places, Run("restore", name, "", began, now(), 0, str(wish)))


def _restore(vault: Vault, engine: Docker, wish: Wish, places: Places, tell: Tell) -> None:
    name, wanted = wish.instance.name, wish.pieces(engine, vault.fleet)
    still = standing_still(vault.fleet, wish.instance, wanted)
    note = Journal(name, str(wish), wanted, still).write(places)
    try:
        tell(f"{name}: preparing {wish}; nothing is changed yet")
        note = replace(note, pieces=prepare(vault, engine, wanted, lambda line: tell(f"{name}: {line}")))
        if wish.safety:
            keep_safe(vault, engine, wish.instance, note.pieces, places, tell)
        tell(f"{name}: changing over")
        seconds = change_over(note, engine, places)
        end(note, engine, places)
    except BaseException as error:
        how = _outcome(name, engine, places, error)
        if isinstance(error, UserError):
            raise UserError.of([*error.problems, *how]) from error
        tell("\n".join(map(str, how)))
        raise
    if still:
        tell(f"{name}: services stood still for {seconds:.1f} s")
    settle(engine, name, still, wish.instance.definition.rollout.wait)


def _outcome(name: str, engine: Docker, places: Places, error: BaseException) -> list[Problem]:
    """Say how an instance is whose restore was cut short, and remove what it left."""
    note = journal.read(places, name)
    if note and note.phase == "changing" and not isinstance(error, PartError):
        hint = "when the engine is back, gitops apply brings it to the new, as the agent does by itself"
        return [Problem(message=f"{name} is between the old and the new", hint=hint)]
    if note:
        with suppress(UserError):  # the agent's next tick or the next restore does it
            end(note, engine, places)
    if isinstance(error, PartError):
        return []
    old = note and note.phase == "preparing"
    return [Problem(message=f"{name} was not restored and is as it was" if old else f"{name} is restored")]
