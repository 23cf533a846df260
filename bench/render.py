"""`gitops render` on 1,000 images and 1,000 apps against parsing the same YAML and writing as many files."""

import shutil
import tempfile
from pathlib import Path

from bench.figure import Figure, Limit, Run, in_turns, run
from bench.stage import GITOPS, PYTHON
from gitops.debian.packages import Package
from gitops.fleet.load import load
from gitops.images.lock import Lock, format_lock
from gitops.images.locks import lock_path, request_of, targets

_IMAGES = _APPS = 1000
_HOSTS = 10
_BARE = Path(__file__).with_name("bare_render.py")

_FLEET = """\
name: bench
archives:
  trixie: {mirror: "https://deb.example.org/debian", suites: [trixie]}
pipelines: [github, gitlab, forgejo, woodpecker]
"""
_BASE = "from: scratch\narchive: trixie\npackages: [ca-certificates, tini]\n"
_IMAGE = """\
from: base
packages: [package-{number}, curl]
environment: {{LANG: C.UTF-8, NUMBER: "{number}"}}
entrypoint: [tini, --]
command: [/usr/bin/package-{number}, --port, "80"]
expose: [80]
"""
_APP = """\
parameters: {{port: {{type: integer}}}}
services:
  web:
    image: image-{number}
    ports: ["127.0.0.1:${{port}}:80"]
    environment: {{NUMBER: "{number}"}}
    volumes: ["data:/srv"]
    healthcheck: {{test: [curl, -fsS, "http://localhost/"]}}
backup: {{schedule: "15 3 * * *", volumes: [data]}}
jobs:
  tick: {{service: web, schedule: "*/5 * * * *", command: [package-{number}, tick], timeout: 4m}}
"""


def measure() -> Figure:
    with tempfile.TemporaryDirectory(prefix="gitops-bench-") as directory:
        root, bare = Path(directory, "fleet"), Path(directory, "bare")
        write_fleet(root)

        def ours() -> Run:
            shutil.rmtree(root / "rendered", ignore_errors=True)
            return run(GITOPS, "render", cwd=root)

        before = _files(root)
        ours()
        files = _files(root) - before

        def theirs() -> Run:
            shutil.rmtree(bare, ignore_errors=True)
            return run(PYTHON, _BARE, root, bare, str(files))

        mine, floor = in_turns(3, ours, theirs)
    return Figure(
        "render 1,000 images, 1,000 apps, four pipelines",
        "C-backed YAML parse + bare Jinja2 writing as many",
        mine.seconds,
        floor.seconds,
        2.0,
        Limit(mine.peak, 150, "MB"),
    )


def _files(root: Path) -> int:
    return sum(path.is_file() for path in root.rglob("*"))


def write_fleet(root: Path, images: int = _IMAGES) -> None:
    """Write a fleet of so many images, one of them the base, and a thousand apps, and its locks."""
    for name in ("images", "apps", "hosts", "locks"):
        (root / name).mkdir(parents=True)
    (root / "fleet.yaml").write_text(_FLEET)
    (root / "images/base.yaml").write_text(_BASE)
    for number in range(1, images):
        (root / f"images/image-{number}.yaml").write_text(_IMAGE.format(number=number))
    for number in range(1, _APPS + 1):
        (root / f"apps/app-{number}.yaml").write_text(_APP.format(number=number % (images - 1) + 1))
    for host in range(_HOSTS):
        placed = "".join(
            f"  i{number}: {{app: app-{number}, parameters: {{port: {20000 + number}}}}}\n"
            for number in range(host + 1, _APPS + 1, _HOSTS)
        )
        (root / f"hosts/host-{host}.yaml").write_text(
            f"backup: {{repository: /srv/restic}}\ninstances:\n{placed}"
        )
    fleet = load(root)
    for image, architecture in targets(fleet):
        packages = tuple(_package(f"{image}-{letter}") for letter in "abcdefgh")
        lock = Lock(image, architecture, request_of(fleet, image), packages)
        lock_path(root, image, architecture).write_text(format_lock(lock))


def _package(name: str) -> Package:
    path = f"pool/main/{name[0]}/{name}/{name}_1.0-1_amd64.deb"
    return Package(name, "1.0-1", "amd64", name, "trixie", "trixie", path, 12345, "0123456789abcdef" * 4)
