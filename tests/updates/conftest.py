"""A small fleet in git on a small signed archive: a base, two children, three instances on two hosts."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from gitops.fleet.load import load
from gitops.git.repository import Repository
from gitops.images.locking import lock_images, write_locks
from gitops.render import render as rendering
from gitops.system.places import Places
from gitops.system.progress import silent
from gitops.updates.find import Update, Updates, find
from tests.archive import TestArchive
from tests.git.conftest import git

FLEET = """\
name: small
archives:
  test:
    mirror: {mirror}
    suites: [{suites}]
    keyring: {keyring}
"""
FILES = {
    "images/base.yaml": "from: scratch\narchive: test\npackages: [libssl]\n",
    "images/web.yaml": "from: base\npackages: [nginx]\n",
    "images/db.yaml": "from: base\npackages: [mariadb]\n",
    "apps/blog.yaml": "services:\n  web: {image: web, depends_on: [db]}\n  db: {image: db}\n",
    "apps/page.yaml": "services:\n  web: {image: web}\n",
    "hosts/one.yaml": "instances:\n  alice: {app: blog}\n  bob: {app: blog}\n",
    "hosts/two.yaml": "instances:\n  carol: {app: page}\n",
}


@dataclass
class Scene:
    """The fleet, its archive, and what a person does with them."""

    root: Path
    archive: TestArchive
    places: Places

    def settings(self, *suites: str) -> None:
        """Write fleet.yaml."""
        text = FLEET.format(
            mirror=self.archive.mirror, suites=", ".join(suites), keyring=self.archive.keyring
        )
        (self.root / "fleet.yaml").write_text(text)

    def policy(self, text: str) -> None:
        """Write something under `updates` into fleet.yaml, and commit it."""
        file = self.root / "fleet.yaml"
        file.write_text(f"{file.read_text().partition('updates:')[0]}updates:\n  {text}\n")
        self.commit()

    def commit(self, message: str = "Change") -> None:
        """Commit all there is."""
        git(self.root, "add", "--all")
        git(self.root, "commit", "--quiet", "--allow-empty", "--message", message)

    def lock(self) -> None:
        """Lock and render all images, and commit that."""
        fleet = load(self.root)
        locks = lock_images(fleet, {}, places=self.places, progress=silent)
        write_locks(self.root, locks)
        rendering.write(self.root, rendering.render(fleet, locks))
        self.commit("Lock and render")

    def find(self) -> Updates:
        """Look for updates."""
        return find(Repository(self.root), self.places, silent)

    def update(self) -> Update:
        """Look for updates, and give the only one."""
        (update,) = self.find().updates
        return update

    def moves(self) -> dict[str, tuple[str | None, str | None]]:
        """Look for updates, and give what each package moves from and to in the only one."""
        return {package.name: (package.old, package.new) for package in self.update().effect.packages}

    def take(self, update: Update) -> None:
        """Make an update's files the fleet's, and commit them."""
        for path, text in update.files.items():
            if text is None:
                (self.root / path).unlink()
            else:
                (self.root / path).write_text(text)
        self.commit(f"Take {update.branch}")

    def locks(self) -> dict[str, str]:
        """Read all locks."""
        return {path.name: path.read_text() for path in (self.root / "locks").iterdir()}

    def git(self, *args: str) -> str:
        """Run git in the fleet."""
        return git(self.root, *args)


@pytest.fixture
def scene(tmp_path: Path, archive: TestArchive) -> Scene:
    """Publish version 1 of everything, and lock a fleet to it."""
    archive.add_package("apt", "1.0")
    archive.add_package("base-files", "13", essential=True)
    archive.add_package("libssl", "3.5.6-1", fields={"Source": "openssl"})
    archive.add_package("openssl", "3.5.6-1")
    archive.add_package("nginx", "1.26-1", depends="nginx-common (= 1.26-1)")
    archive.add_package("nginx-common", "1.26-1", fields={"Source": "nginx"})
    archive.add_package("mariadb", "1:11.8-1")
    archive.publish()
    root = tmp_path / "fleet"
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    git(root, "init", "--quiet", "--initial-branch=main")
    made = tmp_path / "host"
    places = Places(made / "etc", made / "state", made / "cache", made / "run", made / "cron")
    scene = Scene(root, archive, places)
    scene.settings("trixie")
    scene.lock()
    return scene
