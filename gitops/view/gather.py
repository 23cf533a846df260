"""Fetching what other hosts last said of themselves, now and then, so that a silent one is noticed."""

import logging
from datetime import datetime, timedelta

from gitops.agent.fetch import intake
from gitops.agent.reported import take
from gitops.agent.settings import FILE, read_settings, upstreams
from gitops.deploy.host import Wanted
from gitops.git.isolation import isolated
from gitops.system.errors import UserError
from gitops.system.files import write
from gitops.system.locks import BusyError, exclusive
from gitops.system.places import Places

log = logging.getLogger(__name__)

EVERY = timedelta(hours=1)


def gather(wanted: Wanted, places: Places, at: datetime) -> None:
    """Fetch the reports of the fleet's other hosts where this host reports too, once an hour.

    A server that is away, or a report that nobody signed, is only logged: it makes that host look silent.
    """
    hosts = wanted.fleet.hosts
    others = {name: one.report for name, one in hosts.items() if one.report and name != wanted.host}
    stamped = places.state / "gathered"
    if not others or not hosts[wanted.host].report or not (places.config / FILE).exists():
        return
    if stamped.exists() and at.timestamp() - stamped.stat().st_mtime < EVERY.total_seconds():
        return
    try:
        settings = read_settings(places)
        with exclusive(places.runtime / "tick.lock", "the agent of this host", wait=2), isolated():
            git = intake(settings, places)
            git.prepare()
            for name, report in others.items():
                for upstream in upstreams(settings, places):
                    come = f"refs/gitops/come/{name}"
                    wish = f"+refs/heads/{report.branch}/{name}:{come}"
                    try:
                        upstream.ask(git.root, "fetch", "--quiet", "--no-tags", upstream.url, wish)
                        take(git, come, name, report)
                        break
                    except UserError as error:
                        log.info("no report of %s: %s", name, error)
        write(stamped, f"{at.isoformat()}\n", durable=False)
    except BusyError:
        return
