"""Servers of git repositories on loopback: http with git's own CGI program, and OpenSSH's."""

import getpass
import socket
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseRequestHandler, BaseServer, ThreadingTCPServer
from threading import Thread

from gitops.system.run import run
from tests.forge.fake.git_backend import serve

TOKEN = "a-token-of-the-tests"  # noqa: S105  # it opens nothing but the server below
SSHD = "/usr/sbin/sshd"


@dataclass
class HttpServer:
    """Repositories below a directory, for who has the token.

    Args:
        root: the directory.
        redirect: where every request is sent instead.
        asked: the values of Authorization of every request so far.
        url: its address.
    """

    root: Path
    redirect: str = ""
    asked: list[tuple[str, ...]] = field(default_factory=list)
    url: str = ""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Let in who has the token, and once, as GitHub does: twice is a bad request."""
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        given = tuple(request.headers.get_all("Authorization") or ())
        self.asked.append(given)
        if self.redirect:
            _say(request, 301, "Location", self.redirect + request.path)
        elif len(given) > 1:
            _say(request, 400, "Content-Type", "text/plain")
        elif given == (f"Basic {b64encode(f'x-access-token:{TOKEN}'.encode()).decode()}",):
            serve(request, self.root, body)
        else:
            _say(request, 401, "WWW-Authenticate", 'Basic realm="git"')


@contextmanager
def http_server(root: Path, address: str = "127.0.0.1") -> Iterator[HttpServer]:
    """Serve the repositories below a directory over http, at an address of this machine."""
    state = HttpServer(root)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.answer(self)

        def do_POST(self) -> None:
            state.answer(self)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer((address, 0), Handler) as server, _running(server):
        state.url = f"http://{address}:{server.server_port}"
        yield state


@dataclass
class SshServer:
    """OpenSSH's server, with sftp.

    Args:
        url: its address, with the user who may log in.
        command: the ssh command that knows the server's key and has the user's.
        stranger: one that has the user's key, but does not know the server.
        away: whether nobody gets an answer.
    """

    url: str
    command: str
    stranger: str
    away: bool = False
    connections: set[socket.socket] = field(default_factory=set)

    def cut(self) -> None:
        """Cut every connection, and answer no more until `away` is false again."""
        self.away = True
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def ssh_server(directory: Path) -> Iterator[SshServer]:
    """Let the user of the tests in, with a key of the tests; every connection has its own sshd (-i)."""
    directory.mkdir()
    for name in ("host", "user"):
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / name])
    Path("/run/sshd").mkdir(exist_ok=True)  # for root alone: made when the service starts, and sshd wants it
    config = directory / "sshd_config"
    config.write_text(
        f"HostKey {directory / 'host'}\nAuthorizedKeysFile {directory / 'user.pub'}\n"
        "StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        "Subsystem sftp internal-sftp\n"
    )
    user = f"ssh -F none -i {directory / 'user'} -o IdentitiesOnly=yes -o UserKnownHostsFile="
    known = directory / "known_hosts"
    made = SshServer("", f"{user}{known}", f"{user}/dev/null")

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            if made.away:
                return
            made.connections.add(self.request)
            connection = self.request.fileno()
            command = (SSHD, "-i", "-f", config)
            subprocess.run(
                command, stdin=connection, stdout=connection, stderr=subprocess.DEVNULL, check=False
            )
            made.connections.discard(self.request)

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server, _running(server):
        port = server.server_address[1]
        known.write_text(f"[127.0.0.1]:{port} {(directory / 'host.pub').read_text()}")
        made.url = f"ssh://{getpass.getuser()}@127.0.0.1:{port}"
        yield made


@contextmanager
def _running(server: BaseServer) -> Iterator[None]:
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


def _say(request: BaseHTTPRequestHandler, status: int, header: str, value: str) -> None:
    request.send_response(status)
    request.send_header(header, value)
    request.send_header("Content-Length", "0")
    request.end_headers()
