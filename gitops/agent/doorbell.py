"""The little HTTP server at which forges ring: POST, of a bounded size, in a bounded time, a few at once."""

import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET, AF_INET6, SHUT_RDWR, socket
from threading import BoundedSemaphore, Lock, Thread, Timer

from gitops.agent.settings import Webhook, webhook_secret
from gitops.agent.webhook import Deliveries
from gitops.system.clock import now
from gitops.system.errors import UserError
from gitops.system.places import Places

log = logging.getLogger(__name__)

LARGEST = 1 << 20
"""Bytes of a request's body; what is larger is not read, and the next look at git sees what it was about."""

Connection = socket | tuple[bytes, socket]
"""What the standard library's servers call a request; of TCP it is always the first."""

Address = tuple[str, int]

_PATIENCE = 10.0  # seconds for a whole request
_AT_ONCE = 8


class Doorbell(ThreadingHTTPServer):
    """Calls `woken` when a forge says that something was pushed."""

    daemon_threads = True
    request_queue_size = 16

    def __init__(self, webhook: Webhook, places: Places, woken: Callable[[], None]) -> None:
        """Begin to listen, in a thread that ends with the process.

        Raises:
            UserError: the address cannot be listened on, or the secret is none.
        """
        webhook_secret(webhook, places)
        host, _, port = webhook.listen.rpartition(":")
        self.address_family = AF_INET6 if host.startswith("[") else AF_INET
        self._free = BoundedSemaphore(_AT_ONCE)
        self._deliveries = Deliveries(webhook.kinds)
        self._judging = Lock()
        self._webhook, self._places, self._woken = webhook, places, woken
        try:
            super().__init__((host.strip("[]"), int(port)), _Request)
        except OSError as error:
            raise UserError(f"cannot listen on {webhook.listen}: {error.strerror}") from error
        Thread(target=self.serve_forever, daemon=True).start()

    def process_request(self, request: Connection, client_address: Address) -> None:
        """Answer in a thread of its own, as long as there are not too many; otherwise hang up."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Connection, client_address: Address) -> None:
        """Answer one request; one that takes its time is hung up on, wherever it is."""
        end = Timer(_PATIENCE, _hang_up, [request])
        end.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            end.cancel()
            self._free.release()

    def handle_error(self, _request: object, _address: object) -> None:
        """Say little about a client that goes away in the middle, or takes too long."""
        log.debug("a webhook's request came to nothing: %r", sys.exception())

    def ring(self, headers: dict[str, str], body: bytes) -> int:
        """Judge a request; give the HTTP status."""
        secret = webhook_secret(self._webhook, self._places)
        with self._judging:
            status = self._deliveries.judge(headers, body, secret, now().timestamp())
        if status == 202:  # noqa: PLR2004  # Accepted
            self._woken()
        return status


class _Request(BaseHTTPRequestHandler):
    """One request; nothing is kept alive (HTTP/1.0)."""

    server: Doorbell
    server_version = "gitops"
    sys_version = ""

    def do_POST(self) -> None:
        """Take a delivery."""
        length = self.headers.get("content-length", "")
        if not (length.isascii() and length.isdecimal()) or "transfer-encoding" in self.headers:
            self._answer(411)
        elif len(length) > len(str(LARGEST)) or int(length) > LARGEST:
            self._answer(413)
        else:
            body = self.rfile.read(int(length))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self._answer(self.server.ring(headers, body))

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, _format: str, *_values: object) -> None:
        """Say nothing: what strangers ask for is not for the log."""


def _hang_up(request: Connection) -> None:
    with suppress(OSError):  # it is over meanwhile
        (request if isinstance(request, socket) else request[1]).shutdown(SHUT_RDWR)
