"""Images that the registry had for this host and that were refused: wrong ones, or signed by nobody known.

The host has built them itself, so nothing is broken; but somebody may have been at the registry, and people
are to hear of that. Losing the file loses no more than the mention.
"""

import json
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path

from gitops.agent.generation import running
from gitops.report.turns import Outcome, Turn, note
from gitops.system.clock import now, stamp
from gitops.system.files import write
from gitops.system.places import Places

_TOLD = timedelta(days=7)
"""For so long `gitops status` says it, unless git has moved on to another image before."""


def doubt(reference: str, reason: str, places: Places) -> None:
    """Remember that an image was refused, and put it into the history."""
    time = now()
    kept = {**_read(places), reference: [reason, stamp(time)]}
    write(_path(places), json.dumps(kept))
    detail = f"{reference} in the registry: {reason}; built here instead"
    commit = running(places)
    note(places, Turn("pull", commit, commit, time, Outcome.REFUSED, time, detail))


def forget(wanted: Collection[str], places: Places) -> None:
    """Forget images that no definition names any more."""
    kept = _read(places)
    left = {reference: told for reference, told in kept.items() if reference in wanted}
    if left != kept:
        write(_path(places), json.dumps(left))


def doubts(places: Places) -> list[str]:
    """Say which images were refused, a line each."""
    return [
        f"refused: the image {reference} in the registry: {reason}; it was built here instead, at {time}"
        for reference, (reason, time) in _read(places).items()
        if datetime.fromisoformat(time) > now() - _TOLD
    ]


def _path(places: Places) -> Path:
    return places.state / "doubted-images.json"


def _read(places: Places) -> dict[str, tuple[str, str]]:
    try:
        kept = json.loads(_path(places).read_text())
        return {reference: (reason, time) for reference, (reason, time) in kept.items()}
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        return {}
