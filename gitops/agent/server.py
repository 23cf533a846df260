"""A little HTTP server that nobody can keep busy: a few requests at once, each in a bounded time."""

import logging
import sys
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET, AF_INET6, SHUT_RDWR, socket
from threading import BoundedSemaphore, Thread, Timer

from gitops.system.errors import UserError

log = logging.getLogger(__name__)

Connection = socket | tuple[bytes, socket]
"""What the standard library's servers call a request; of TCP it is always the first."""

Address = tuple[str, int]

_PATIENCE = 10.0  # seconds for a whole request
_AT_ONCE = 8


class BoundedServer(ThreadingHTTPServer):
    """Answers in threads that end with the process."""

    daemon_threads = True
    request_queue_size = 16

    def __init__(self, listen: str, handler: type[BaseHTTPRequestHandler]) -> None:
        """Begin to listen.

        Args:
            listen: ADDRESS:PORT; an IPv6 address in brackets.
            handler: answers one request.

        Raises:
            UserError: the address cannot be listened on.
        """
        host, _, port = listen.rpartition(":")
        self.address_family = AF_INET6 if host.startswith("[") else AF_INET
        self._free = BoundedSemaphore(_AT_ONCE)
        try:
            super().__init__((host.strip("[]"), int(port)), handler)
        except OSError as error:
            raise UserError(f"cannot listen on {listen}: {error.strerror}") from error
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
        log.debug("a request came to nothing: %r", sys.exception())


class QuietHandler(BaseHTTPRequestHandler):
    """One request; nothing is kept alive (HTTP/1.0), and nothing is told of who asks."""

    server_version = "gitops"
    sys_version = ""

    def answer(self, status: int, body: bytes = b"", kind: str = "text/plain; charset=utf-8") -> None:
        """Send an answer."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if body:
            self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, _format: str, *_values: object) -> None:
        """Say nothing: what strangers ask for is not for the log."""


def _hang_up(request: Connection) -> None:
    with suppress(OSError):  # it is over meanwhile
        (request if isinstance(request, socket) else request[1]).shutdown(SHUT_RDWR)
