"""The little HTTP server at which forges ring: POST, of a bounded size, in a bounded time, a few at once."""

from collections.abc import Callable
from threading import Lock

from gitops.agent.server import BoundedServer, QuietHandler
from gitops.agent.settings import Webhook, webhook_secret
from gitops.agent.webhook import Deliveries
from gitops.system.clock import now
from gitops.system.places import Places

LARGEST = 1 << 20
"""Bytes of a request's body; what is larger is not read, and the next look at git sees what it was about."""


class Doorbell(BoundedServer):
    """Calls `woken` when a forge says that something was pushed."""

    def __init__(self, webhook: Webhook, places: Places, woken: Callable[[], None]) -> None:
        """Begin to listen, in a thread that ends with the process.

        Raises:
            UserError: the address cannot be listened on, or the secret is none.
        """
        webhook_secret(webhook, places)
        self._deliveries = Deliveries(webhook.kinds)
        self._judging = Lock()
        self._webhook, self._places, self._woken = webhook, places, woken
        super().__init__(webhook.listen, _Request)

    def ring(self, headers: dict[str, str], body: bytes) -> int:
        """Judge a request; give the HTTP status."""
        secret = webhook_secret(self._webhook, self._places)
        with self._judging:
            status = self._deliveries.judge(headers, body, secret, now().timestamp())
        if status == 202:  # noqa: PLR2004  # Accepted
            self._woken()
        return status


class _Request(QuietHandler):
    """One request."""

    server: Doorbell

    def do_POST(self) -> None:  # noqa: N802  # the standard library calls it so
        """Take a delivery."""
        length = self.headers.get("content-length", "")
        if not (length.isascii() and length.isdecimal()) or "transfer-encoding" in self.headers:
            self.answer(411)
        elif len(length) > len(str(LARGEST)) or int(length) > LARGEST:
            self.answer(413)
        else:
            body = self.rfile.read(int(length))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.answer(self.server.ring(headers, body))
