"""What monitoring asks for, as Prometheus' text format: `STATE/metrics/gitops.prom`.

The node exporter's textfile collector serves it (https://prometheus.io/docs/instrumenting/exposition_formats/),
or the agent (gitops.agent.exporter). docs/status.md lists what is in it; monitoring/ has alert rules.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from gitops import __version__
from gitops.fleet.kinds import Kind
from gitops.jobs.standing import KIND
from gitops.report.history import GOOD, Past
from gitops.report.turns import Outcome
from gitops.system.files import write
from gitops.system.places import Places
from gitops.view.view import View

_WHICH = ("kind", "instance", "name")

Key = tuple[str, str, str]
"""Kind, instance and name of what runs again and again, as in the history."""


def write_metrics(view: View, pasts: Mapping[Key, Past], places: Places) -> None:
    """Write the metrics of a host.

    Args:
        view: how it stands.
        pasts: what became of everything that ever ran here; of it, only what there still is counts.
        places: where they go.
    """
    text = generate_latest(_Metrics(view).filled(pasts))
    write(places.state / "metrics" / "gitops.prom", text, durable=False)


class _Metrics:
    """The metrics of a view."""

    def __init__(self, view: View) -> None:
        self._view, self._registry = view, CollectorRegistry()

    def filled(self, pasts: Mapping[Key, Past]) -> CollectorRegistry:
        """Give all of them."""
        self._host()
        self._runs(pasts)
        self._instances()
        self._backups()
        self._updates()
        self._others()
        return self._registry

    def _gauge(self, name: str, help_: str, labels: Collection[str] = ()) -> Gauge:
        return Gauge(f"gitops_{name}", help_, labels, registry=self._registry)

    def _host(self) -> None:
        view = self._view
        info = self._gauge("host_info", "The host, the commit that it runs, and the gitops that says so.",
                           ("fleet", "host", "generation", "version"))  # fmt: skip
        info.labels(view.fleet, view.host, view.generation, __version__).set(1)
        self._gauge("host_well", "Whether nobody needs to look at this host.").set(view.well)
        self._gauge("problems", "Things that somebody should look at.").set(len(view.problems))
        self._gauge("notices_waiting", "Notices that could not be delivered yet.").set(view.untold)
        self._gauge("watched_timestamp_seconds", "When this was written.").set(view.at.timestamp())
        if tick := view.tick:
            at = datetime.fromisoformat(tick.time).timestamp()
            self._gauge("agent_last_tick_timestamp_seconds", "When the agent last ticked.").set(at)
            self._gauge("agent_last_tick_good", "Whether the host is what git says.").set(tick.good)
            self._gauge("agent_paused", "Whether somebody has paused the agent.").set(tick.state == "paused")
        if ended := [one for one in view.turns if one.outcome is not Outcome.UNDER_WAY]:
            at = (ended[0].ended or ended[0].started).timestamp()
            self._gauge("rollout_last_timestamp_seconds", "When the newest roll-out ended.").set(at)
            good = self._gauge("rollout_last_good", "Whether the newest roll-out went well.", ("outcome",))
            good.labels(ended[0].outcome).set(ended[0].outcome is Outcome.DONE)

    def _runs(self, pasts: Mapping[Key, Past]) -> None:
        view = self._view
        run = self._gauge("last_run_timestamp_seconds", "When it last began.", _WHICH)
        success = self._gauge("last_success_timestamp_seconds", "When it last ended well.", _WHICH)
        took = self._gauge("last_run_duration_seconds", "How long it last took.", _WHICH)
        good = self._gauge("last_run_good", "Whether nobody needs to hear of how it went last.", _WHICH)
        outcome = self._gauge("last_run_outcome", "How it went last, in a label.", (*_WHICH, "outcome"))
        late = self._gauge("late", "Whether it should have run and did not.", _WHICH)
        scheduled = {(KIND, one.instance, one.job): one for one in view.jobs}
        here = {one.name for one in view.instances}
        for key, past in sorted(pasts.items()):
            if key not in scheduled if key[0] == KIND else key[1] and key[1] not in here:
                continue
            run.labels(*key).set(past.last.started.timestamp())
            took.labels(*key).set(past.last.seconds)
            good.labels(*key).set(past.last.outcome in GOOD)
            outcome.labels(*key, past.last.outcome).set(1)
            if past.good:
                success.labels(*key).set(past.good.timestamp())
        for key, job in sorted(scheduled.items()):
            late.labels(*key).set(job.late is not None)

    def _instances(self) -> None:
        well = self._gauge("instance_well", "Whether all containers of it are well.", ("instance", "app"))
        held = self._gauge("rollout_held", "It is not what git says, because a roll-out of it failed.",
                           ("instance", "result"))  # fmt: skip
        for one in self._view.instances:
            well.labels(one.name, one.app).set(bool(one.rows) and all(row.well for row in one.rows))
            if one.held:
                held.labels(one.name, one.held.result).set(1)

    def _backups(self) -> None:
        which = ("instance",)
        newest = self._gauge(
            "backup_newest_timestamp_seconds", "When the newest good backup was begun.", which
        )
        late = self._gauge("backup_late", "Whether there is no good backup as new as there should be.", which)
        drill = self._gauge("drill_last_timestamp_seconds", "When a drill was last begun.", which)
        proved = self._gauge("drill_success_timestamp_seconds", "When a drill last went well.", which)
        good = self._gauge("drill_good", "Whether the last drill went well, and none is late.", which)
        for one in self._view.backups:
            late.labels(one.instance).set(Kind.BACKUP_LATE in one.kinds)
            for gauge, at in ((newest, one.newest), (drill, one.proof), (proved, one.proved)):
                if at:
                    gauge.labels(one.instance).set(at.timestamp())
            if one.proof or Kind.DRILL_FAILED in one.kinds:
                good.labels(one.instance).set(Kind.DRILL_FAILED not in one.kinds)

    def _updates(self) -> None:
        view = self._view
        if view.looked is None:
            return
        at = view.looked.timestamp()
        self._gauge("updates_looked_timestamp_seconds", "When the update bot last looked.").set(at)
        waiting = self._gauge("updates_waiting", "Packages that have a newer version.", ("security",))
        since = self._gauge(
            "update_since_timestamp_seconds", "Since when an update waits.", ("source", "security")
        )
        cves = self._gauge("image_cves", "CVEs that updates which wait would mend.", ("image",))
        for security in (True, False):
            count = sum(one.security is security for one in view.waiting)
            waiting.labels(str(security).lower()).set(count)
        first: dict[tuple[str, bool], datetime] = {}
        for one in view.waiting:
            key = (one.source, one.security)
            first[key] = min(first.get(key, one.since), one.since)
        for (source, security), begun in first.items():
            since.labels(source, str(security).lower()).set(begun.timestamp())
        for image in view.images:
            cves.labels(image.name).set(len(image.cves))

    def _others(self) -> None:
        said = self._gauge("report_timestamp_seconds", "When another host last said how it is.", ("host",))
        for one in self._view.others:
            if one.source == "report" and one.at:
                said.labels(one.name).set(one.at.timestamp())
