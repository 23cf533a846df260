"""The one list call: every container of a host of a fleet, without the SDK."""

import json
from urllib.parse import quote

from gitops.engine import labels
from gitops.engine.connection import ask
from gitops.engine.observed import Observed, observed


def listed(fleet: str, host: str) -> list[Observed]:
    """List every container of a host of a fleet, running or not, by name; raises UserError."""
    filters = json.dumps({"label": [f"{labels.FLEET}={fleet}", f"{labels.HOST}={host}"]})
    entries = ask("cannot list containers", f"/containers/json?all=1&filters={quote(filters)}")
    return sorted((observed(entry) for entry in entries), key=lambda one: one.name)
