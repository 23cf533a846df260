"""The agent's look at a host where there is nothing to do, and the least that any agent would have to do.

`python looks.py TIMES`: both in turns in one process, as a daemon does it; prints the median seconds of each.
The floor asks git where the branch is, the engine for the host's containers, and decides nothing.
"""

import json
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from urllib.parse import quote

from gitops.agent.settings import read_settings, upstreams
from gitops.agent.tick import rest
from gitops.engine.connection import address
from gitops.engine.docker import Docker
from gitops.system.places import places


def main(times: int) -> None:
    """Measure."""
    place = places()
    settings, engine = read_settings(place), Docker()
    (upstream,) = upstreams(settings, place)
    filters = quote(json.dumps({"label": ["gitops.fleet=hundred", "gitops.host=web1"]}))

    def ours() -> None:
        done = rest(settings, place, engine)
        if done is None or done.state != "nothing to do":
            sys.exit("there was something to do")

    def floor() -> None:
        ask = ["git", "ls-remote", "--quiet", "--", upstream.url, f"refs/heads/{upstream.branch}"]
        subprocess.run(ask, check=True, capture_output=True)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(address().removeprefix("unix://"))
            path = f"/containers/json?all=1&filters={filters}"
            connection.sendall(f"GET {path} HTTP/1.0\r\nHost: engine\r\n\r\n".encode())
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        json.loads(answer.partition(b"\r\n\r\n")[2])

    rounds = [(_seconds(ours), _seconds(floor)) for _ in range(times + 1)][1:]
    print(*(statistics.median(each) for each in zip(*rounds, strict=True)))


def _seconds(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main(int(sys.argv[1]))
