"""The identity of an image: a hash of everything that decides what is in it, known from git alone."""

import hashlib
import json
from collections.abc import Mapping

from gitops.fleet.files import copied_files
from gitops.fleet.fleet import Fleet
from gitops.fleet.settings import Settings
from gitops.images.lock import Lock
from gitops.images.locks import Locks, missing_or_stale, targets
from gitops.system.errors import UserError
from gitops.system.files import sha256

_FORMAT = 1
"""Raised whenever the way images are built changes what is in them, so that every image is built again."""


def identities(fleet: Fleet, locks: Locks, recipe: str) -> dict[tuple[str, str], str]:
    """Give the identity of every image on every architecture: 32 hexadecimal digits of a SHA-256.

    Args:
        fleet: the definitions.
        locks: one for each image and architecture.
        recipe: digest of the templates that say how an image is built, which a fleet may override.

    Raises:
        UserError: locks are missing or do not fit their definitions.
    """
    problems = missing_or_stale(fleet, locks)
    if problems:
        raise UserError.of(problems)
    found: dict[tuple[str, str], str] = {}
    sources: dict[str, object] = {}
    for image, architecture in targets(fleet):
        if image not in sources:
            sources[image] = written(fleet, image)
        parent = found.get((fleet.images[image].parent, architecture), "")
        canonical = json.dumps(
            [_FORMAT, architecture, parent, recipe, sources[image], _contents(locks[image, architecture])],
            sort_keys=True,
            separators=(",", ":"),
        )
        found[image, architecture] = hashlib.sha256(canonical.encode()).hexdigest()[:32]
    return found


def reference(settings: Settings, image: str, identity: str) -> str:
    """Give the name by which an engine knows an image: `FLEET/IMAGE:IDENTITY`, or `REGISTRY/…`."""
    return f"{settings.registry or settings.name}/{image}:{identity}"


def references(fleet: Fleet, identities: Mapping[tuple[str, str], str]) -> dict[tuple[str, str], str]:
    """Give the reference of every image on every architecture."""
    return {key: reference(fleet.settings, key[0], identity) for key, identity in identities.items()}


def written(fleet: Fleet, image: str) -> object:
    """Give what git says about an image.

    Where its packages come from is the lock's business, and what tests it puts nothing into it.
    """
    definition = fleet.images[image]
    files = copied_files(fleet.root, image, definition)
    return [
        definition.model_dump(
            mode="json",
            exclude_defaults=True,
            exclude={"parent", "archive", "archives", "recommends", "test"},
        ),
        [[file.target, file.mode, file.owner, sha256(file.source)] for file in files],
    ]


def _contents(lock: Lock) -> object:
    return [[p.name, p.version, p.architecture, p.sha256] for p in sorted(lock.packages)]
