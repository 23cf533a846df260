"""The real archive: what trixie's updates and security suites hold beyond the release, found exactly."""

import lzma
import re
import subprocess
from pathlib import Path

import httpx

from gitops.debian.mirrors import host_archives
from gitops.fleet.load import load
from gitops.git.repository import Repository
from gitops.images.locking import lock_images, write_locks
from gitops.images.locks import read_locks
from gitops.system.places import Places
from gitops.updates.find import find
from tests.git.conftest import git

# Packages that often have security updates, so that the test mostly sees some; it holds without any too.
IMAGE = "from: scratch\narchive: debian\npackages: [ca-certificates, curl, openssl, php-cli]\n"
FLEET = """\
name: real
archives:
  debian:
    mirror: {debian}
    suites: [{suites}]
"""


def settings(debian: str, *suites: str) -> str:
    return FLEET.format(debian=debian, suites=", ".join(suites))


def newest_elsewhere(mirrors: dict[str, str]) -> dict[str, str]:
    """Read the indexes another way: plain downloads, a regular expression, dpkg's comparison of versions."""
    newest: dict[str, str] = {}
    for suite, mirror in mirrors.items():
        answer = httpx.get(f"{mirror}/dists/{suite}/main/binary-amd64/Packages.xz", follow_redirects=True)
        text = lzma.decompress(answer.raise_for_status().content).decode()
        for name, body in re.findall(r"(?m)^Package: (\S+)\n((?:.+\n)*)", text):
            version = re.findall(r"(?m)^Version: (\S+)$", body)[0]
            if name not in newest or is_newer(version, newest[name]):
                newest[name] = version
    return newest


def is_newer(one: str, other: str) -> bool:
    done = subprocess.run(["dpkg", "--compare-versions", one, "gt", other], check=False)
    return done.returncode == 0


def test_what_the_later_suites_add_is_what_is_proposed(tmp_path: Path) -> None:
    host = host_archives()
    assert host.debian, "the host's apt configuration names no Debian mirror"
    security = host.security or f"{host.debian}-security"
    root = tmp_path / "fleet"
    (root / "images").mkdir(parents=True)
    (root / "images/tools.yaml").write_text(IMAGE)
    (root / "fleet.yaml").write_text(settings(host.debian, "trixie"))
    places = Places(*(tmp_path / name for name in ("etc", "state", "cache", "run", "cron")))
    git(root, "init", "--quiet")

    fleet = load(root)
    write_locks(root, lock_images(fleet, {}, places=places, progress=lambda *_: None))
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "Lock to the release alone")
    assert find(Repository(root), places, lambda _: None).files == {}

    later = settings(
        host.debian, "trixie", "trixie-updates", f"{{suite: trixie-security, mirror: '{security}'}}"
    )
    (root / "fleet.yaml").write_text(later)
    git(root, "commit", "--quiet", "--all", "--message", "Take updates")
    found = find(Repository(root), places, lambda _: None)

    newest = newest_elsewhere({"trixie-updates": host.debian, "trixie-security": security})
    (lock,) = read_locks(load(root)).values()
    expected = {
        package.name: (package.version, newest[package.name])
        for package in lock.packages
        if package.name in newest and is_newer(newest[package.name], package.version)
    }
    proposed = {each.name: (each.old, each.new) for each in found.effect.packages if each.old and each.new}
    assert proposed == expected
    assert found.findings == ()
    assert bool(found.files) is bool(expected)
