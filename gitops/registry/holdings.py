"""What a registry holds of a fleet: statements, images, and what is none of ours."""

import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from gitops.registry.registry import Registry
from gitops.registry.statement import Statement, Stored, read

_IDENTITY = re.compile(r"[0-9a-f]{32}")
_AT_ONCE = 8


@dataclass(frozen=True)
class Holding:
    """An image with its statement.

    Args:
        identity: the tag of both.
        stored: the statement as it is there; nobody has looked at its signature.
        said: what it says.
    """

    identity: str
    stored: Stored
    said: Statement


@dataclass(frozen=True)
class Holdings:
    """All that could be found, each sorted.

    Args:
        images: of this fleet, each with its statement.
        unvouched: repository and tag of images without a statement; a push that was cut short leaves them.
        foreign: what is none of this fleet's, or cannot be read: REPOSITORY:TAG.
    """

    images: tuple[Holding, ...]
    unvouched: tuple[tuple[str, str], ...]
    foreign: tuple[str, ...]


def holdings(registry: Registry, fleet: str, images: Iterable[str]) -> Holdings:
    """List what a registry holds.

    Args:
        registry: which.
        fleet: the fleet's name.
        images: names of images whose repositories are looked into, besides those that statements name.

    Raises:
        AwayError: the registry does not answer.
        UserError: it refuses.
    """
    statements = registry.address.statements
    foreign, found = [], []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        tags = registry.tags(statements)
        for tag, stored in zip(tags, pool.map(lambda tag: _read(registry, tag), tags), strict=True):
            if (
                stored
                and stored.statement
                and (stored.statement.fleet, stored.statement.identity) == (fleet, tag)
            ):
                found.append(Holding(tag, stored, stored.statement))
            else:
                foreign.append(f"{statements}:{tag}")
        names = sorted({*images, *(one.said.image for one in found)})
        known = {(one.said.image, one.identity) for one in found}
        unvouched = []
        for name, theirs in zip(
            names, pool.map(lambda name: registry.tags(registry.address.repository(name)), names), strict=True
        ):
            repository = registry.address.repository(name)
            for tag in theirs:
                if not _IDENTITY.fullmatch(tag):
                    foreign.append(f"{repository}:{tag}")
                elif (name, tag) not in known:
                    unvouched.append((repository, tag))
    order = sorted(
        found, key=lambda one: (one.said.image, one.said.architecture, one.said.time, one.identity)
    )
    return Holdings(tuple(order), tuple(sorted(unvouched)), tuple(sorted(foreign)))


def _read(registry: Registry, tag: str) -> Stored | None:
    return read(registry, tag) if _IDENTITY.fullmatch(tag) else None
