"""Having a host watched every few minutes; at rest that is a question of how old the last result is."""

import time
from contextlib import suppress

from gitops.report.notices import due
from gitops.system.clock import now
from gitops.system.places import Places
from gitops.system.program import itself
from gitops.system.run import CommandError, run

EVERY = 300.0
"""Seconds between two looks."""

_PATIENCE = 120


def look_out(places: Places) -> None:
    """Have `gitops notify` run where it is time for it; what it does is in gitops.view.watch."""
    if _watched(places) and not due(places, now()):
        return
    with suppress(CommandError):  # the next turn tries again
        run([*itself(), "notify"], check=False, timeout=_PATIENCE)


def _watched(places: Places) -> bool:
    try:
        changed = (places.state / "metrics" / "gitops.prom").stat().st_mtime
    except FileNotFoundError:
        return not (places.state / "current").exists()
    return 0 <= time.time() - changed < EVERY
