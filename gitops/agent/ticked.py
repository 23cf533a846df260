"""How the agent's newest tick ended, kept for whoever asks."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from gitops.system.clock import now, stamp
from gitops.system.files import write
from gitops.system.places import Places

_REPORT = "tick.json"


@dataclass(frozen=True)
class Tick:
    """How a tick ended; `RUNTIME/tick.json` has the newest.

    Args:
        commit: the commit that git has for this host, as far as it was found good; empty: none yet.
        notes: what is in the way of newer ones, a text each.
        state: `paused`, `nothing to do`, `applied`, or `failed`.
        reason: why it failed, or until when it is paused.
        time: when, RFC 3339 in UTC.
        good: whether the host is what git says now: a server answered, and nothing was refused or failed.
    """

    commit: str
    notes: tuple[str, ...]
    state: str
    reason: str = ""
    time: str = ""
    good: bool = True

    def __str__(self) -> str:
        """Say it in a line, and a line for each note."""
        at = f"at {self.commit[:12]}" if self.commit else "no commit yet"
        reason = f": {self.reason}" if self.reason else ""
        return "\n".join([*self.notes, f"{at}, {self.state}{reason}"])


def last(places: Places) -> Tick | None:
    """Give the newest tick, for who reports; None: there was none since this machine was started."""
    try:
        kept = json.loads((places.runtime / _REPORT).read_text())
        datetime.fromisoformat(kept["time"])
        return Tick(**{**kept, "notes": tuple(kept["notes"])})
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def over(tick: Tick, places: Places) -> Tick:
    """Keep a tick that is over, and give it."""
    text = json.dumps({**asdict(tick), "time": stamp(now())})
    write(places.runtime / _REPORT, text, durable=False)
    return tick
