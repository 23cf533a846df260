"""The forge's web server: three APIs and git over http on one port, with faults when a test asks for them."""

import base64
import json
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from gitops.forge.forges import connect
from gitops.forge.patience import Patience
from gitops.forge.pull_request import Forge
from tests.forge.fake import forgejo, git_backend, github, gitlab
from tests.forge.fake.project import PATH, Project, Pull, RefusedError
from tests.forge.fake.routes import Json, Request

APIS = {"github": github.API, "gitlab": gitlab.API, "forgejo": forgejo.API, "gitea": forgejo.API}
TOKEN = "token-of-the-bot-0123456789abcdef"  # noqa: S105 (the fake's own)
QUICK = Patience(first_wait=0.01, limited_wait=0.01, answer_within=30, between_writes=0)
"""Tests do not wait as people's forges want it."""


@dataclass
class Fault:
    """What goes wrong with the next requests.

    Args:
        times: with how many.
        status: of the answer; 0: the connection is closed without one.
        method: only with this one's.
        done: the forge does what it was asked before it fails to say so.
        headers: of the answer.
        message: what it says.
    """

    times: int = 1
    status: int = 0
    method: str = ""
    done: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str = "a fault"


@dataclass(frozen=True)
class Asked:
    """A request to the API that was seen."""

    method: str
    path: str
    query: str
    body: Json

    def __str__(self) -> str:
        """Write it as `POST /repos/team/fleet/pulls`."""
        return f"{self.method} {self.path}"


class FakeForge:
    """A forge with one project, seen from outside.

    Args:
        kind: whose API is spoken, as in `updates.forge.kind`.
        directory: an empty one, where the bare repository goes; its branch is `main`, with nothing in it.
    """

    project_path = PATH
    token = TOKEN

    def __init__(self, kind: str, directory: Path) -> None:
        root = directory / f"{PATH}.git"
        root.parent.mkdir(parents=True)
        subprocess.run(["git", "init", "-q", "--bare", "--initial-branch=main", root], check=True)
        self.kind = kind
        self.directory = directory
        self.project = Project(
            root,
            closes_when_deleted=kind != "gitlab",
            notices_landing=kind not in {"forgejo", "gitea"},
        )
        self.asked: list[Asked] = []
        self.git_requests: list[str] = []
        self.faults: list[Fault] = []
        self.port = 0

    @property
    def address(self) -> str:
        """Give what stands in `updates.forge.address`."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Give the address that git clones from; user name and password are needed: any, and the token."""
        return f"{self.address}/{PATH}.git"

    @property
    def pulls(self) -> list[Pull]:
        """Give the pull requests as the forge has them at this moment, by number."""
        self.project.look()
        return self.project.pulls

    @property
    def requests(self) -> list[str]:
        """Give all requests to the API so far, as `GET /repos/team/fleet/pulls`."""
        return [str(asked) for asked in self.asked]

    @property
    def writes(self) -> list[str]:
        """Give those that change something."""
        return [str(asked) for asked in self.asked if asked.method != "GET"]

    def fail(self, fault: Fault) -> None:
        """Let something go wrong; faults come one after the other."""
        self.faults.append(fault)

    def connect(self, *, token: str = TOKEN, patience: Patience = QUICK) -> Forge:
        """Connect to it as gitops does."""
        return connect(self.kind, self.address, PATH, token, patience=patience)


@contextmanager
def served(kind: str, directory: Path) -> Iterator[FakeForge]:
    """Serve a new forge while the block runs."""
    forge = FakeForge(kind, directory)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"forge": forge}))
    forge.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield forge
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    forge: FakeForge
    lock = threading.Lock()

    def log_message(self, *_: object) -> None:
        """Keep the tests' output clean."""

    def do_GET(self) -> None:
        body = self._body()
        if self.path.startswith(f"/{PATH}.git/"):
            self._git(body)
        else:
            with self.lock:
                self._api(body)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _git(self, body: bytes) -> None:
        self.forge.git_requests.append(f"{self.command} {self.path}")
        scheme, _, word = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic" or base64.b64decode(word).decode().partition(":")[2] != TOKEN:
            self._answer(401, None, {"WWW-Authenticate": 'Basic realm="fake"'})
        else:
            git_backend.serve(self, self.forge.directory, body)

    def _api(self, body: bytes) -> None:
        api, url = APIS[self.forge.kind], urlsplit(self.path)
        asked = Asked(
            self.command, url.path.removeprefix(api.root), url.query, json.loads(body) if body else {}
        )
        self.forge.asked.append(asked)
        fault = next(
            (it for it in self.forge.faults if it.times and it.method in {"", self.command}), Fault(times=0)
        )
        if fault.times and not fault.done:
            self._fail(fault)
            return
        request = Request(
            self.forge.project,
            self.command,
            url.path,
            dict(parse_qsl(url.query)),
            asked.body,
            self.forge.address,
        )
        if self.headers.get("Authorization", "").split()[-1:] != [TOKEN]:
            status, answer = 401, _error("Bad credentials")
        else:
            try:
                self.forge.project.look()
                status, answer = api.answer(request)
            except RefusedError as error:
                # GitHub says 422 where the others say 409: https://docs.github.com/en/rest/pulls/pulls.
                there = error.status == 409 and self.forge.kind == "github" and "already" in error.message
                status, answer = 422 if there else error.status, _error(error.message)
        if fault.times:
            self._fail(fault)
        else:
            self._answer(status, answer, request.headers)

    def _fail(self, fault: Fault) -> None:
        fault.times -= 1
        if fault.status:
            self._answer(fault.status, _error(fault.message), fault.headers)
        else:
            self.close_connection = True

    def _answer(self, status: int, answer: Json, headers: Mapping[str, str]) -> None:
        content = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


for _method in ("POST", "PUT", "PATCH", "DELETE"):
    setattr(_Handler, f"do_{_method}", _Handler.do_GET)


def _error(message: str) -> Json:
    return {"message": message}
