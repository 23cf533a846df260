"""`gitops status` on a host with a hundred instances, above start-up, against one list call."""

import json
import socket
import statistics
import time
from urllib.parse import quote

from bench.figure import Figure, Run, in_turns, run
from bench.hundred import Host, host
from bench.stage import GITOPS


def measure() -> Figure:
    with host(100) as made:
        made.gitops("agent", "once")
        ours, start = in_turns(5, lambda: made.gitops("status"), lambda: run(GITOPS, "--help", env=made.env))
        listed = statistics.median(_list(made).seconds for _ in range(11))
        made.clear()
    work = "`gitops status`, 100 instances, above start-up"
    return Figure(work, "one containers list call", ours.seconds - start.seconds, listed, 3)


def _list(made: Host) -> Run:
    """Ask the engine for the host's containers, with nothing between."""
    filters = quote(json.dumps({"label": [f"gitops.fleet={made.fleet.name}", "gitops.host=web1"]}))
    begun = time.perf_counter()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(made.env["DOCKER_HOST"].removeprefix("unix://"))
        path = f"/containers/json?all=1&filters={filters}"
        connection.sendall(f"GET {path} HTTP/1.0\r\nHost: engine\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    json.loads(answer.partition(b"\r\n\r\n")[2])
    return Run(time.perf_counter() - begun, 0)
