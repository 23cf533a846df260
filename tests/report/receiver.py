"""A real receiver of notifications: Apprise's `json://`, on a port of its own."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class Receiver:
    """What came in; `status` is what it answers.

    Args:
        url: the Apprise URL that reaches it.
        got: the messages, as JSON told them.
        status: the HTTP status of its answers.
    """

    url: str
    got: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200

    @property
    def titles(self) -> list[str]:
        """Give the titles of what came in."""
        return [one["title"] for one in self.got]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Receive until the block is left."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if made.status < 400:
                made.got.append(json.loads(content))
            self.send_response(made.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made = Receiver(f"json://ada:pass-w0rd@127.0.0.1:{server.server_port}/t0ken")
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
