"""What a restore keeps of what was there before it: a set of its own kind, which counts as no backup."""

from collections.abc import Callable, Iterable
from pathlib import Path

from gitops.backup.asked import Asked, AskedDatabase, AskedVolume, asked
from gitops.backup.changeover import exists
from gitops.backup.databases import ROLES
from gitops.backup.pieces import Piece
from gitops.backup.run import back_up
from gitops.backup.sets import VOLUME, BackupSet, Dataset
from gitops.backup.vault import Vault
from gitops.backup.wanted import login_of
from gitops.engine.docker import Docker
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
    there = _there(engine, asked(instance), list(pieces))
    if not (there.databases or there.volumes):
        return None
    tell(f"{instance.name}: keeping what is there now")
    (kept,) = back_up(vault, engine, [there], places, tell=tell, safety=True)
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


def _there(engine: Docker, instance: Asked, pieces: list[Piece]) -> Asked:
    """Give what to back up: of that which the pieces replace, what there is."""
    databases = [one for one in pieces if one.container and one.dataset.name != ROLES and exists(engine, one)]
    servers = {one.container for one in databases}
    roles = [one for one in pieces if one.dataset.name == ROLES and one.container in servers]
    volumes = [one for one in pieces if one.dataset.kind == VOLUME and any(Path(one.directory).iterdir())]
    return instance._replace(
        databases=tuple(_database(instance, one.dataset) for one in roles + databases),
        volumes=tuple(_volume(instance, one.dataset.name) for one in volumes),
    )


def _database(instance: Asked, dataset: Dataset) -> AskedDatabase:
    """Give what is asked of one database, also where the app asks for all of its server."""
    who = login_of(instance, dataset)
    return AskedDatabase(
        dataset.kind, dataset.service, dataset.name, all=False, user=who.user, password_file=who.password_file
    )


def _volume(instance: Asked, name: str) -> AskedVolume:
    known = (one for one in instance.volumes if one.name == name)
    return next(known, AskedVolume(name, "live", ()))
