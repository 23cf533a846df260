"""Fleets on disk that can be rendered: their locks are made of values, so no archive is asked."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gitops.debian.packages import Package
from gitops.fleet.fleet import Fleet
from gitops.fleet.load import load
from gitops.images.lock import Lock, format_lock
from gitops.images.locks import lock_path, request_of, targets

FILES = {
    "fleet.yaml": """\
name: shop
archives: {trixie: {mirror: "https://deb.example.org/debian", suites: [trixie]}}
pipelines: [github]
""",
    "images/base.yaml": "from: scratch\narchive: trixie\npackages: [tini]\n",
    "images/web.yaml": "from: base\npackages: [nginx]\ncopy: [{source: site, target: /etc/site}]\n",
    "images/web/site": "hello\n",
    "apps/shop.yaml": """\
services: {web: {image: web, volumes: ["data:/srv"]}}
backup: {schedule: "15 3 * * *", volumes: [data]}
jobs: {tidy: {service: web, schedule: "*/5 * * * MON-FRI", command: [tidy, "100%"]}}
""",
    "hosts/web1.yaml": "backup: {repository: /srv/restic}\ninstances: {a: {app: shop}, b: {app: shop}}\n",
}


@pytest.fixture
def make_fleet(tmp_path: Path) -> Callable[..., Fleet]:
    """Write a small fleet, with files changed, added or (None) left out, and lock it."""

    def make(**changed: str | None) -> Fleet:
        for path, text in {**FILES, **changed}.items():
            file = tmp_path / "fleet" / path
            if text is not None:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            elif file.exists():
                file.unlink()
                if not any(file.parent.iterdir()):
                    file.parent.rmdir()
        return locked(tmp_path / "fleet")

    return make


def locked(root: Path) -> Fleet:
    """Load a fleet and write a lock for each image."""
    fleet = load(root)
    for image, architecture in targets(fleet):
        package = Package(
            f"{image}-package", "1", architecture, image, "trixie", "trixie", "pool/x.deb", 1, "0" * 64
        )
        lock = Lock(image, architecture, request_of(fleet, image), (package,))
        path = lock_path(root, image, architecture)
        path.parent.mkdir(exist_ok=True)
        path.write_text(format_lock(lock))
    return fleet
