"""Compose as Debian 13 has it, which is what people use for as many services; from the mirror."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.stage import starter
from gitops.debian.store import Store
from gitops.debian.suites import refresh
from gitops.fleet.load import load
from gitops.images.archives import mirrors, sources
from gitops.images.machine import native

_PACKAGE = "docker-compose"


@contextmanager
def compose() -> Iterator[str]:
    """Unpack it; give the program."""
    with starter() as stage, tempfile.TemporaryDirectory(prefix="gitops-bench-") as directory:
        fleet, cache = load(stage.root), Path(stage.env["GITOPS_CACHE"])
        indexes = refresh(sources(fleet, ["trixie"]), native(), cache / "indexes")
        package = max(indexes.candidates(_PACKAGE))
        store = Store(cache / "store")
        store.fetch([package], mirrors(fleet))
        subprocess.run(["dpkg-deb", "--extract", store.path(package.sha256), directory], check=True)
        (program,) = Path(directory).glob(f"usr/lib*/docker/cli-plugins/{_PACKAGE}")
        yield str(program)
