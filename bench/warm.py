"""`gitops update` with nothing new against asking the suites and nothing else; one request a suite.

The bare requests are made by the measuring process itself, so start-up is no part of them and is added.
"""

import time
from email.utils import formatdate
from http.client import HTTPConnection
from urllib.parse import urlsplit

from bench.figure import BenchError, Figure, Limit, Run, in_turns, run
from bench.mirror import Mirror, mirrored
from bench.stage import GITOPS, fleet

_SUITES = "trixie", "trixie-updates", "trixie-security"
_BASE = "from: scratch\narchive: debian\npackages: [ca-certificates, tini]\n"


def measure() -> Figure:
    return compare(1)


def compare(images: int) -> Figure:
    """Measure so many images: a base, and children of it."""
    with mirrored(*_SUITES) as mirror:
        files = {
            "fleet.yaml": f"name: bench\narchives: {{debian: {mirror.archive}}}\n",
            "images/base.yaml": _BASE,
            **{
                f"images/child-{number}.yaml": "from: base\npackages: [curl]\n" for number in range(1, images)
            },
        }
        with fleet(files) as stage:
            stage.gitops("update", "--dry-run")
            mirror.requests.clear()
            stage.gitops("update", "--dry-run")
            if len(mirror.requests) != len(_SUITES):
                raise BenchError(f"{len(mirror.requests)} requests for {len(_SUITES)} suites")
            ours, start, bare = in_turns(
                15,
                lambda: stage.gitops("update", "--dry-run"),
                lambda: run(GITOPS, "--help"),
                lambda: _ask(mirror),
            )
    theirs = start.seconds + bare.seconds
    return Figure(
        f"update, nothing new, {images} image{'s' if images > 1 else ''}",
        "start-up + the conditional requests alone",
        ours.seconds,
        theirs,
        None,
        Limit((ours.seconds - theirs) * 1000, 150, "ms more"),
    )


def _ask(mirror: Mirror) -> Run:
    """Ask every suite whether it has changed."""
    begun = time.perf_counter()
    connection = HTTPConnection(urlsplit(mirror.address).netloc)
    for suite in mirror.suites:
        headers = {"If-Modified-Since": formatdate(time.time(), usegmt=True)}
        connection.request("GET", f"/dists/{suite}/InRelease", headers=headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 304:  # Not Modified
            raise BenchError(f"status {answer.status}")
    connection.close()
    return Run(time.perf_counter() - begun, 0)
