"""The floor under deploying and rolling out: the docker SDK from 8 threads, with no plan, checks or way back.

`python bare_engine.py deploy|roll|clear [REQUESTS]`
"""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from docker.api.client import APIClient

_THREADS = 8
Requests = dict[str, Any]


def deploy(api: Any, requests: Requests) -> None:  # noqa: ANN401  # the SDK's stubs lack a call
    """Make the networks, then create and start the containers."""
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(api.create_network, requests["networks"]))

        def one(item: tuple[str, Requests]) -> None:
            name, request = item
            api.start(api.create_container_from_config(request, name)["Id"])

        list(pool.map(one, requests["containers"].items()))


def roll(api: Any, requests: Requests) -> None:  # noqa: ANN401  # as above
    """Stop each container, and create and start another in its place."""
    old = {entry["Names"][0][1:].split("_")[0]: entry["Id"] for entry in api.containers()}

    def one(item: tuple[str, Requests]) -> None:
        name, request = item
        api.stop(old[name])
        api.start(api.create_container_from_config(request, f"{name}_{old[name][:12]}")["Id"])

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(one, requests["containers"].items()))


def clear(api: Any, stopped: bool) -> None:  # noqa: ANN401, FBT001  # as above
    """Remove containers (all, or those that were stopped) and the networks that nothing is on."""
    with ThreadPoolExecutor(_THREADS) as pool:
        filters = {"status": "exited"} if stopped else {}
        ids = [entry["Id"] for entry in api.containers(all=True, filters=filters)]
        list(pool.map(lambda one: api.remove_container(one, force=True, v=True), ids))
        if not stopped:
            list(
                pool.map(api.remove_network, [one["Id"] for one in api.networks(filters={"type": "custom"})])
            )


def main() -> None:
    """Do what is asked for."""
    # Only ever an engine that was made for this, never the machine's own: everything on it is removed.
    own = os.environ["DOCKER_HOST"]
    if "gitops-engine-" not in own:
        sys.exit(f"{own} is not an engine of one's own")
    api = APIClient(version="auto", base_url=own, timeout=120, max_pool_size=32)
    match sys.argv[1:]:
        case ["deploy", path]:
            deploy(api, json.loads(Path(path).read_text()))
        case ["roll", path]:
            roll(api, json.loads(Path(path).read_text()))
        case ["clear"]:
            clear(api, stopped=False)
        case ["sweep"]:
            clear(api, stopped=True)


if __name__ == "__main__":
    main()
