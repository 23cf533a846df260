"""What a restore keeps of what was there before it: a set of its own kind, which counts as no backup."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from gitops.backup.changeover import exists
from gitops.backup.databases import ROLES
from gitops.backup.pieces import Piece
from gitops.backup.run import back_up
from gitops.backup.sets import VOLUME, BackupSet
from gitops.backup.vault import Vault
from gitops.engine.docker import Docker
from gitops.fleet.backups import Backup, Database, VolumeCopy
from gitops.fleet.fleet import Instance
from gitops.system.errors import Problem, UserError
from gitops.system.places import Places


def keep_safe(
    vault: Vault,
    engine: Docker,
    instance: Instance,
    pieces: Iterable[Piece],
    places: Places,
    tell: Callable[[str], object],
) -> BackupSet | None:
    """Save what pieces are going to replace, as far as there is anything; None where there is nothing.

    Args:
        vault: the host's backups; their lock is held.
        engine: the host's engine.
        instance: whose the pieces are.
        pieces: what is going to change.
        places: the host's directories.
        tell: is given a line for people at each step.

    Raises:
        UserError: some of it could not be saved.
    """
    there = _there(engine, instance.definition.backup or Backup(), list(pieces))
    if not (there.databases or there.volumes):
        return None
    tell(f"{instance.name}: keeping what is there now")
    only = replace(instance, definition=instance.definition.model_copy(update={"backup": there}))
    (kept,) = back_up(vault, engine, [only], places, tell=tell, safety=True)
    if not kept.complete:
        raise UserError.of(
            [
                Problem(
                    message=f"what {instance.name} has now cannot be kept: {dataset}: {why}",
                    hint="mend that; or restore with --without-safety, and lose it",
                )
                for dataset, why in kept.failed
            ]
        )
    tell(f"{instance.name}: what was there is kept as {kept.short}")
    return kept


def _there(engine: Docker, backup: Backup, pieces: list[Piece]) -> Backup:
    """Give what to back up: of that which the pieces replace, what there is."""
    databases = [one for one in pieces if one.container and one.dataset.name != ROLES and exists(engine, one)]
    servers = {one.container for one in databases}
    roles = [one for one in pieces if one.dataset.name == ROLES and one.container in servers]
    volumes = [one for one in pieces if one.dataset.kind == VOLUME and any(Path(one.directory).iterdir())]
    return backup.model_copy(
        update={
            "databases": tuple(_database(backup, one) for one in roles + databases),
            "volumes": tuple(_volume(backup, one) for one in volumes),
        }
    )


def _database(backup: Backup, piece: Piece) -> Database:
    """Give the definition of one database, also where the app's own asks for all of its server."""
    kind, service, name = piece.dataset.kind, piece.dataset.service, piece.dataset.name
    own = {"service": service, "kind": kind, "name": name or None, "all": False}
    known = [one for one in backup.databases if (one.kind, one.service) == (kind, service)]
    for one in sorted(known, key=lambda one: one.name != name):
        return one.model_copy(update=own)
    return Database(service=service, kind="redis").model_copy(update=own)


def _volume(backup: Backup, piece: Piece) -> VolumeCopy:
    known = (one for one in backup.volumes if one.name == piece.dataset.name)
    return next(known, VolumeCopy(name=piece.dataset.name))
