"""What a host's definitions ask of its backups, kept for the next run while the definitions are as they are.

It lies in `CACHE/backups.json` beside a hash of all that it follows from, as `gitops status` keeps its own.
Losing it costs the time that reading the definitions takes.
"""

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from gitops.backup.asked import AskedHost, from_json
from gitops.system.files import write

if TYPE_CHECKING:
    from gitops.system.places import Places

_FILE = "backups.json"


def recall(state: str, places: "Places") -> AskedHost | None:
    """Give what definitions of this state (`gitops.fleet.unchanged`) ask; None where it is not known."""
    try:
        kept = json.loads((places.cache / _FILE).read_bytes())
        return from_json(kept["asked"]) if state and kept["of"] == state else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def remember(state: str, host: AskedHost, places: "Places") -> None:
    """Keep what definitions ask; `state` is theirs from before they were read."""
    if state:
        with suppress(OSError):
            write(places.cache / _FILE, json.dumps({"of": state, "asked": host}), mode=0o600, durable=False)
