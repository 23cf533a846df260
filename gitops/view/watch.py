"""What a host is watched for: that all goes well, and that people hear where it does not.

`gitops notify` does it, and no agent needs to: a job that fails has it run as well, and so does cron, by
which an agent that says nothing any more is noticed. `STATE/alerts.json` is what was so the last time.
"""

import json
import logging
from dataclasses import asdict
from datetime import datetime

from gitops.agent.generation import current
from gitops.agent.report import pulse
from gitops.deploy.host import want
from gitops.engine.docker import Docker
from gitops.fleet.notifications import Notifications
from gitops.report.history import pasts
from gitops.report.notices import due, tell
from gitops.system.clock import now
from gitops.system.errors import UserError
from gitops.system.files import write
from gitops.system.places import Places
from gitops.view.alerts import Known, alerts, news, undecided
from gitops.view.gather import gather
from gitops.view.look import look_at
from gitops.view.metrics import write_metrics
from gitops.view.publish import publish
from gitops.view.view import View

log = logging.getLogger(__name__)


def watch(places: Places, at: datetime) -> list[str]:
    """Look how all stands, deliver what is to be told, write the metrics, and pages where these are wanted.

    Args:
        places: the host's directories.
        at: the present time.

    Returns:
        What could not be told to whom, a line each.

    Raises:
        UserError: this host runs no fleet yet, or its history cannot be read.
    """
    kept = current(places)
    wanted = want(kept.path, kept.host, places)
    gather(wanted, places, at)
    try:
        with Docker() as engine:
            view = look_at(wanted, engine, places, use=False, at=at)
    except UserError as error:
        log.warning("%s", error)
        view = look_at(wanted, None, places, use=False, at=at)
    pulse(view.tick, places, at)
    _tell(view, wanted.fleet.settings.notifications, places)
    problems = _deliver(places) if due(places, now()) else []
    write_metrics(view, pasts(places), places)
    publish(view, places)
    return problems


def _deliver(places: Places) -> list[str]:
    from gitops.agent.telling import tell_everyone  # noqa: PLC0415  # it takes its time, mostly for nothing

    return tell_everyone(places)


def _tell(view: View, rules: Notifications, places: Places) -> None:
    """Put what is news into the outbox; a kill meanwhile tells it twice rather than never."""
    path = places.state / "alerts.json"
    before = _known(places)
    told, known = news(alerts(view), before, rules, view.at, undecided(view))
    try:
        for one in told:
            tell(places, one.title, one.text, good=one.good, kind=one.kind)
        if known != before:
            write(path, json.dumps({topic: asdict(one) for topic, one in known.items()}), durable=False)
    except OSError as error:
        log.warning("nobody is told: %s", error)


def _known(places: Places) -> dict[str, Known]:
    try:
        told = json.loads((places.state / "alerts.json").read_text())
        return {topic: Known(**one) for topic, one in told.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
