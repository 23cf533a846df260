"""The quick answer of `gitops status`, for a host that is well and whose definitions are as they were.

What a view needs of the definitions follows from the fleet's files, the host and this program alone. So it is
kept in `CACHE/status.json` beside a hash of these, once a look found all containers well and as they should
be. While both are still so, one list of containers is all that is asked, and neither the definitions are read
nor what reads them is loaded. Whatever does not fit leads to the long way; losing the file costs only time.
"""

import json
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from gitops.agent.standing import Standing, stands
from gitops.deploy.as_made import summary, works
from gitops.deploy.failures import Failures
from gitops.deploy.limits import Limits
from gitops.deploy.status import in_order, row
from gitops.engine.held import any_held
from gitops.engine.listed import listed
from gitops.fleet.unchanged import state_of
from gitops.system.files import write
from gitops.system.places import Places
from gitops.view.assembly import assembled
from gitops.view.defined import Defined, from_json
from gitops.view.view import View

_FILE = "status.json"


def glance(root: Path, host: str | None, places: Places, at: datetime) -> View | None:
    """Look at a host without reading its definitions; None where they must be read.

    Args:
        root: the fleet's directory, or a copy of it that a host keeps.
        host: its name, as gitops.deploy.host.want takes it.
        places: the host's directories.
        at: the present time.

    Raises:
        UserError: the engine cannot be asked, or the history cannot be read.
    """
    try:
        kept = json.loads((places.cache / _FILE).read_bytes())
        if not kept["of"] or kept["of"] != state_of(root, host, places):
            return None
        return _look(from_json(kept["defined"]), kept["containers"], kept["rows"], places, at)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def remember(of: str, defined: Defined, seen: Standing, places: Places) -> None:
    """Keep what the definitions say of a host, if nothing is to be done there.

    Args:
        of: what `state_of` gave before they were read.
        defined: what they say.
        seen: how the host stands.
        places: its directories.
    """
    if not of or seen.settled is None or any_held(places) or Failures(places.state).read():
        return
    rows = {one.id: [one.current, one.cpus] for one in seen.rows}
    kept = {
        "of": of,
        "defined": defined,
        "containers": summary(seen.settled),
        "rows": [rows[one.id] for one in seen.settled],
    }
    with suppress(OSError):
        write(places.cache / _FILE, json.dumps(kept), 0o600, durable=False)


def _look(
    defined: Defined, containers: list[list[str]], rows: list[list[Any]], places: Places, at: datetime
) -> View | None:
    if any_held(places) or Failures(places.state).read():
        return None
    seen = Limits(places.state).remembered(listed(defined.fleet, defined.host))
    if seen is None or not works(seen) or summary(seen) != containers:
        return None
    found = [
        row(one, one.state, current=current, cpus=cpus)
        for one, (current, cpus) in zip(seen, rows, strict=True)
    ]
    return assembled(
        defined, stands(defined.host, in_order(found), defined.backed_up, places, at), places, at
    )
