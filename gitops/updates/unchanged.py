"""The quick answer to the bot's usual question: is there still nothing to propose?

What can be proposed follows from the commit, the archives, this program and the day, on which a hold may
end. So where nothing could be, the suites that were asked are kept in the cache with what they said. The next
run asks them again, each once and only for what is newer, and need neither read the definitions nor load an
index to say the same. Whatever differs leads to the long way, and losing the cache costs only time.
"""

import contextlib
import hashlib
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitops.debian.indexes import Indexes
from gitops.debian.sources import Source
from gitops.debian.suites import Suites
from gitops.system import clock, files
from gitops.system.places import Places
from gitops.system.program import program
from gitops.system.progress import Progress

if TYPE_CHECKING:
    from gitops.fleet.fleet import Fleet

_KEPT = 24 * 3600  # seconds; an answer counts for its day alone


def still_nothing(root: Path, base: str, places: Places, progress: Progress) -> str | None:
    """Ask the suites whether any has moved since there was nothing to propose.

    Args:
        root: the fleet's directory in its repository.
        base: the commit that is looked at.
        places: where indexes and answers are kept.
        progress: is told of indexes that are fetched.

    Returns:
        The settings of that commit, as JSON, when there is still nothing; None when that must be worked out.

    Raises:
        UserError: a suite cannot be reached or trusted; the long way would say the same.
    """
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        kept = json.loads(_path(root, base, places).read_text())
        wanted = [
            (architecture, [_source(fields, root) for fields in sources])
            for architecture, sources in kept["asked"]
        ]
        if [_keyrings(sources) for _, sources in wanted] == kept["keyrings"]:
            suites = Suites(places.cache / "indexes", progress)
            said = [_said(suites.indexes(sources, architecture)) for architecture, sources in wanted]
            return str(kept["settings"]) if said == kept["said"] else None
    return None


def remember(root: Path, base: str, fleet: "Fleet", asked: Iterable[Indexes], places: Places) -> None:
    """Keep that there was nothing to propose, and nothing in the way of it.

    Args:
        root: the fleet's directory in its repository.
        base: the commit that was looked at.
        fleet: the definitions at that commit.
        asked: all that was asked.
        places: where answers are kept.
    """
    distinct = {(each.architecture, each.sources): each for each in asked}
    kept = {
        "settings": fleet.settings.updates.model_dump_json(exclude_defaults=True),
        "asked": [
            [architecture, [_fields(source, fleet.root) for source in sources]]
            for architecture, sources in distinct
        ],
        "keyrings": [_keyrings(sources) for _, sources in distinct],
        "said": [_said(indexes) for indexes in distinct.values()],
    }
    path = _path(root, base, places)
    files.write(path, json.dumps(kept))
    for old in path.parent.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if old.stat().st_mtime < time.time() - _KEPT:
                old.unlink()


def _path(root: Path, base: str, places: Places) -> Path:
    key = json.dumps([str(root.resolve()), base, clock.now().date().isoformat(), program()])
    return places.cache / "nothing-new" / f"{hashlib.sha256(key.encode()).hexdigest()}.json"


def _fields(source: Source, root: Path) -> dict[str, Any]:
    """Write a source down, its keyring as from the fleet where it is the fleet's own."""
    own = source.keyring.is_relative_to(root)
    return {**asdict(source), "keyring": str(source.keyring.relative_to(root) if own else source.keyring)}


def _source(fields: dict[str, Any], root: Path) -> Source:
    return Source(
        fields["archive"],
        fields["mirror"],
        fields["suite"],
        tuple(fields["components"]),
        root / fields["keyring"],
    )


def _keyrings(sources: Sequence[Source]) -> list[str]:
    """Tell the keyrings; those in the fleet may differ in the work tree from what the commit has."""
    return [files.sha256(source.keyring) for source in sources]


def _said(indexes: Indexes) -> str:
    """Tell what suites say; their signed text names every index by its hash."""
    return hashlib.sha256("\0".join(release.text for release in indexes.releases).encode()).hexdigest()
