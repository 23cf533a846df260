"""How many messages went out to whom within the last hour: `STATE/sent.json`. It may be lost."""

import json
from contextlib import suppress
from datetime import datetime, timedelta

from gitops.system.clock import now
from gitops.system.files import write
from gitops.system.places import Places

_HOUR = timedelta(hours=1)


class Sent:
    """What went out; used by one at a time."""

    def __init__(self, places: Places) -> None:
        """Read it."""
        self._path = places.state / "sent.json"
        self._times: dict[str, list[datetime]] = {}
        with suppress(OSError, ValueError, TypeError, AttributeError):
            for name, times in json.loads(self._path.read_text()).items():
                self._times[name] = [datetime.fromisoformat(one) for one in times]

    def add(self, name: str) -> None:
        """Remember that a message went out to somebody."""
        at = now()
        self._times[name] = [*(one for one in self._times.get(name, ()) if at - one < _HOUR), at]
        told = {each: [one.isoformat() for one in times] for each, times in self._times.items()}
        with suppress(OSError):  # a full disk: better told too often
            write(self._path, json.dumps(told), durable=False)

    def enough(self, name: str, most: int) -> bool:
        """Tell whether somebody has had enough for now."""
        return len([one for one in self._times.get(name, ()) if now() - one < _HOUR]) >= most

    def free(self, name: str, most: int) -> datetime:
        """Give when the next message may go out."""
        times = self._times.get(name, [])[-most:]
        return times[0] + _HOUR if times else now()
