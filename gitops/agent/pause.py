"""A pause: for a while the agent changes nothing, because somebody works on the host."""

import json
from datetime import datetime, timedelta

from gitops.system.clock import now, stamp
from gitops.system.files import write
from gitops.system.places import Places


def pause(places: Places, seconds: float | None) -> str:
    """Let the agent rest, from its next turn on; say until when.

    Args:
        places: the host's directories.
        seconds: how long; None: until `resume`.
    """
    until = stamp(now() + timedelta(seconds=seconds)) if seconds is not None else None
    write(places.state / "paused", json.dumps({"until": until}))
    return _words(until)


def resume(places: Places) -> bool:
    """End a pause; tell whether there was one."""
    was = paused(places) is not None
    (places.state / "paused").unlink(missing_ok=True)
    return was


def paused(places: Places) -> str | None:
    """Say until when the agent rests; None when it does not.

    A file that says nothing readable still means a pause: somebody wanted one.
    """
    try:
        until = json.loads((places.state / "paused").read_text())["until"]
        over = until is not None and datetime.fromisoformat(until) <= now()
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        return _words(None)
    return None if over else _words(until)


def _words(until: str | None) -> str:
    return f"paused until {until}" if until else "paused until somebody says: gitops agent resume"
