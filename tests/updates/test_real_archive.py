"""The real archive: what the later suites hold beyond a release, found as apt itself finds it."""

import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from docker.api.client import APIClient

from gitops.debian.mirrors import host_archives
from gitops.git.repository import Repository
from gitops.system.places import Places
from gitops.system.progress import silent
from gitops.updates.find import Updates, find
from tests.git.conftest import git

# Packages that often have security updates, so that the test mostly sees some; it holds without any too.
IMAGES = {
    "base": "from: scratch\narchive: debian\npackages: [ca-certificates, openssl]\n",
    "tools": "from: base\npackages: [curl, git, php-cli, python3]\n",
}
FLEET = "name: {name}\narchives: {{debian: {{mirror: '{mirror}', suites: [{suites}]}}}}\n"
_LINE = re.compile(r"^([^/\s]+)/\S+ (\S+) \S+ \[upgradable from: (\S+)\]$", re.MULTILINE)


@dataclass(frozen=True)
class Release:
    """A fleet of a base and a child, locked to a release alone, and built."""

    root: Path
    name: str
    codename: str

    @property
    def places(self) -> Places:
        """Where it keeps things."""
        return Places(*(self.root.parent / name for name in ("etc", "state", "cache", "run", "cron")))

    def settle(self, *suites: str) -> None:
        """Write fleet.yaml with these suites, and commit all there is."""
        text = FLEET.format(name=self.name, mirror=host_archives().debian, suites=", ".join(suites))
        (self.root / "fleet.yaml").write_text(text)
        git(self.root, "add", "--all")
        git(self.root, "commit", "--quiet", "--allow-empty", "--message", "State")

    def gitops(self, *words: str) -> None:
        """Run a verb."""
        places = {f"GITOPS_{name.upper()}": str(path) for name, path in self.places._asdict().items()}
        subprocess.run(
            [sys.executable, "-m", "gitops", *words, "--fleet", self.root],
            env={**os.environ, **places},
            check=True,
            capture_output=True,
        )

    def find(self) -> Updates:
        """Look for updates."""
        return find(Repository(self.root), self.places, silent)


@pytest.fixture(params=["trixie", "bookworm"])
def release(request: pytest.FixtureRequest, tmp_path: Path, api: APIClient) -> Iterator[Release]:
    """Lock to the release's main suite, and build; its images go again."""
    made = Release(tmp_path / "fleet", f"test-{uuid.uuid4().hex[:8]}", request.param)
    (made.root / "images").mkdir(parents=True)
    for name, text in IMAGES.items():
        (made.root / f"images/{name}.yaml").write_text(text)
    git(made.root, "init", "--quiet", "--initial-branch=main")
    made.settle(made.codename)
    made.gitops("lock")
    made.settle(made.codename)
    yield made
    for image in api.images(f"{made.name}/*"):
        api.remove_image(image["Id"], force=True)


def test_what_is_found_is_what_apt_calls_upgradable_in_the_image_itself(
    release: Release, api: APIClient
) -> None:
    assert release.find().updates == ()
    release.gitops("build")
    (image,) = (tag for found in api.images(f"{release.name}/tools") for tag in found["RepoTags"])
    host = host_archives()
    suites = {
        release.codename: host.debian,
        f"{release.codename}-updates": host.debian,
        f"{release.codename}-security": host.security or f"{host.debian}-security",
    }
    release.settle(*(f"{{suite: {suite}, mirror: '{mirror}'}}" for suite, mirror in suites.items()))

    listed = upgradable(image, [f"deb {mirror} {suite} main" for suite, mirror in suites.items()])
    found = release.find()
    moved = {
        package.name: (package.old, package.new)
        for update in found.updates
        for package in update.effect.packages
        if package.old and package.new
    }
    assert moved == listed
    assert found.findings == ()


def upgradable(image: str, sources: list[str]) -> dict[str, tuple[str, str]]:
    """Ask apt inside a container, with these lines of sources.list(5): name to old and new version."""
    script = 'printf "%s\\n" "$@" > /etc/apt/sources.list && apt-get -q update >&2 && apt list --upgradable'
    done = subprocess.run(
        ["docker", "run", "--rm", "--network=host", "--user=root", image, "sh", "-ec", script, "-", *sources],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {name: (old, new) for name, new, old in _LINE.findall(done.stdout)}
