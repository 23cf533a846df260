"""Metrics for who asks on this machine: what `gitops notify` has written, over HTTP at /metrics."""

from gitops.agent.server import BoundedServer, QuietHandler
from gitops.system.places import Places

_KIND = "text/plain; version=0.0.4; charset=utf-8"


class Exporter(BoundedServer):
    """Gives the newest metrics; they are made by others, so that asking costs nothing."""

    def __init__(self, listen: str, places: Places) -> None:
        """Begin to listen; raises UserError where the address cannot be listened on."""
        self.metrics = places.state / "metrics" / "gitops.prom"
        super().__init__(listen, _Request)


class _Request(QuietHandler):
    server: Exporter

    def do_GET(self) -> None:  # noqa: N802  # the standard library calls it so
        """Give the metrics, or say that there are none yet."""
        if self.path.partition("?")[0] != "/metrics":
            self.answer(404)
            return
        try:
            self.answer(200, self.server.metrics.read_bytes(), _KIND)
        except FileNotFoundError:
            self.answer(503)
