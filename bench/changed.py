"""`gitops build --changed-since` with nothing to build against asking git and a registry what there is."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import DEVNULL
from subprocess import run as call
from threading import Thread

from bench.figure import Figure, in_turns, run
from bench.render import write_fleet
from bench.stage import GITOPS, PYTHON

_IMAGES = 300
_BARE = """\
import subprocess, sys, httpx
print(subprocess.run(["git", "diff", "--name-only", "HEAD~1"], check=True, capture_output=True).stdout)
print(len(httpx.get(sys.argv[1]).json()["tags"]))
"""


def measure() -> Figure:
    with tempfile.TemporaryDirectory(prefix="gitops-bench-") as directory, _registry() as address:
        root = Path(directory, "fleet")
        write_fleet(root, _IMAGES)
        _git(root, "init", "--quiet")
        _commit(root, "Begin")
        (root / "apps/app-1.yaml").write_text((root / "apps/app-2.yaml").read_text())
        _commit(root, "Change an app")
        ours, theirs = in_turns(
            15,
            lambda: run(GITOPS, "build", "--changed-since", "HEAD~1", "--unless-pushed", cwd=root),
            lambda: run(PYTHON, "-c", _BARE, address, cwd=root),
        )
    return Figure(
        f"build --changed-since, nothing to build, {_IMAGES} images",
        "git diff --name-only and one list of a registry, from Python",
        ours.seconds,
        theirs.seconds,
        2.0,
    )


def _git(root: Path, *words: str) -> None:
    who = ("-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "commit.gpgSign=false")
    call(["git", *who, *words], cwd=root, check=True, stdout=DEVNULL)


def _commit(root: Path, subject: str) -> None:
    _git(root, "add", "--all")
    _git(root, "commit", "--quiet", "--message", subject)


@contextmanager
def _registry() -> Iterator[str]:
    """Answer as a registry does that has them all, at once, which is the least that asking one can take."""
    content = json.dumps({"name": "bench", "tags": [f"{number:032x}" for number in range(_IMAGES)]}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v2/bench/tags/list"
        finally:
            server.shutdown()
            thread.join()
