"""What monitoring asks for, as Prometheus' text format: `STATE/metrics/gitops.prom`.

The node exporter's textfile collector serves it (https://prometheus.io/docs/instrumenting/exposition_formats/).
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from gitops.report.history import GOOD, Past
from gitops.system.files import write
from gitops.system.places import Places

_WHICH = ("kind", "instance", "name")

Key = tuple[str, str, str]
"""Kind, instance and name of what runs again and again, as in the history."""


def write_metrics(
    places: Places,
    pasts: Mapping[Key, Past],
    scheduled: Collection[Key],
    late: Collection[Key],
    waiting: int,
    at: datetime,
) -> None:
    """Write the metrics of a host.

    Args:
        places: where they go.
        pasts: what became of what runs here.
        scheduled: what is to run by a schedule.
        late: what of that should have run and did not.
        waiting: how many notices could not be delivered yet.
        at: the present time.
    """
    registry = CollectorRegistry()

    def gauge(name: str, help_: str, labels: Collection[str] = _WHICH) -> Gauge:
        return Gauge(f"gitops_{name}", help_, labels, registry=registry)

    run = gauge("last_run_timestamp_seconds", "When it last began.")
    success = gauge("last_success_timestamp_seconds", "When it last ended well.")
    took = gauge("last_run_duration_seconds", "How long it last took.")
    good = gauge("last_run_good", "Whether nobody needs to hear of how it went last.")
    outcome = gauge("last_run_outcome", "How it went last, in a label.", (*_WHICH, "outcome"))
    lateness = gauge("late", "Whether it should have run and did not.")
    for key, past in sorted(pasts.items()):
        run.labels(*key).set(past.last.started.timestamp())
        took.labels(*key).set(past.last.seconds)
        good.labels(*key).set(past.last.outcome in GOOD)
        outcome.labels(*key, past.last.outcome).set(1)
        if past.good:
            success.labels(*key).set(past.good.timestamp())
    for key in sorted(scheduled):
        lateness.labels(*key).set(key in late)
    gauge("notices_waiting", "Notices that could not be delivered yet.", ()).set(waiting)
    gauge("watched_timestamp_seconds", "When this was written.", ()).set(at.timestamp())
    write(places.state / "metrics" / "gitops.prom", generate_latest(registry), durable=False)
