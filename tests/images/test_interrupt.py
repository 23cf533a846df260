"""Ctrl-C in the middle of a build leaves no name and nothing running, and the next build carries on."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from gitops.engine.docker import Docker
from gitops.images.lock import format_lock
from gitops.images.locks import lock_path
from tests.images.conftest import BASE, Yard


def wait(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_running(*words: str) -> bool:
    """Tell whether any process of this machine, in containers too, has this command line."""
    line = "".join(f"{word}\0" for word in words).encode()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes() == line:
                return True
        except OSError:
            continue
    return False


def test_ctrl_c_leaves_no_name_and_nothing_running_and_the_next_build_works(yard: Yard) -> None:
    pause = f"3.{int(yard.name[-8:], 16)}"
    image = {"from": "base", "run": [["sleep", pause]]}
    fleet = yard.fleet(slow={**image, "archives": []})
    locks = yard.lock(fleet)
    reference = yard.references(fleet, locks)["slow", "amd64"]
    settings = {"name": yard.name, "archives": yard.archives}
    files = {"fleet": settings, "images/base": BASE, "images/slow": image}
    for name, content in files.items():
        (yard.root / name).parent.mkdir(exist_ok=True)
        (yard.root / f"{name}.yaml").write_text(json.dumps(content))
    for (name, architecture), lock in locks.items():
        path = lock_path(yard.root, name, architecture)
        path.parent.mkdir(exist_ok=True)
        path.write_text(format_lock(lock))
    environment = {
        **os.environ,
        "GITOPS_ROOT": str(yard.root / "root"),
        "GITOPS_CACHE": str(yard.places.cache),
    }
    command = [sys.executable, "-m", "gitops", "build", "--fleet", str(yard.root)]

    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as building:
        wait(lambda: is_running("sleep", pause) or building.poll() is not None)
        building.send_signal(signal.SIGINT)
        _, errors = building.communicate(timeout=60)
    assert building.returncode == 130, errors
    assert "Traceback" not in errors
    wait(lambda: not is_running("sleep", pause))
    assert Docker().images([reference]) == set()

    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "base amd64: exists" in done.stdout
    assert "slow amd64: built in" in done.stdout
    assert Docker().images([reference]) == {reference}
