"""The root file system of a base, made by mmdebstrap from nothing but the packages of its lock."""

import os
import re
import secrets
import shlex
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from gitops.debian import deb
from gitops.debian.packages import Package
from gitops.debian.store import Store
from gitops.images.context import deb_name, put_debs
from gitops.system.errors import UserError
from gitops.system.files import write
from gitops.system.processes import Processes
from gitops.system.run import CommandError

_MEMORY = Path("/dev/shm")  # noqa: S108  # a directory made there must not exist before
_PLENTY = 4

# Left behind by mmdebstrap: its sources.list, the builder's own name and resolver, dpkg's backups.
# The engine mounts its own hosts and resolv.conf on these files; empty ones keep it from making new ones.
_CLEAN = """
cd "$1"
rm -rf etc/apt/sources.list etc/hostname etc/resolv.conf etc/hosts var/lib/dpkg/*-old var/cache/debconf/*-old
: >etc/resolv.conf
: >etc/hosts
"""


def write_rootfs(
    target: Path,
    packages: Sequence[Package],
    store: Store,
    *,
    architecture: str,
    debconf: Sequence[str],
    epoch: int,
    processes: Processes,
    told: Callable[[str], None],
) -> None:
    """Write a root file system of exactly these packages as a tar archive, the same bytes each time.

    Args:
        target: the archive; what is needed meanwhile goes beside its directory.
        packages: all of them, dependencies included.
        store: where their .debs are.
        architecture: in Debian's words; this machine must be able to run it.
        debconf: answers, a line each, that hold once the essential packages are there.
        epoch: seconds since 1970 (UTC) that no file is newer than.
        processes: what runs mmdebstrap, and can end it.
        told: called with each line that it prints.
    """
    work = target.parent.parent / "rootfs"
    repository = work / "repository"
    put_debs(packages, store, repository)
    index = "\n".join(_stanza(package, repository) for package in packages)
    write(repository / "Packages", index)
    command = ["mmdebstrap", "--variant=essential", "--format=tar", f"--architectures={architecture}"]
    command += [f"--include={','.join(package.name for package in packages)}"]
    if debconf:
        answers = work / "debconf"
        write(answers, "".join(f"{line}\n" for line in debconf))
        command += [f'--essential-hook=chroot "$1" debconf-set-selections <{shlex.quote(str(answers))}']
    command += [f"--customize-hook={_CLEAN}", "", str(target)]
    command += [f"deb [trusted=yes] copy:{quote(str(repository))} ./"]
    installed = 1024 * sum(int(size) for size in re.findall(r"^Installed-Size: (\d+)", index, re.MULTILINE))
    with _scratch(work, installed) as scratch:
        environment = {"SOURCE_DATE_EPOCH": str(epoch), "TMPDIR": str(scratch)}
        try:
            processes.run(command, env=environment, told=told)
        except CommandError as error:
            reason = "\n  ".join(error.stderr.strip().splitlines()[-12:])
            raise UserError("mmdebstrap cannot make the root file system", hint=reason) from error


@contextmanager
def _scratch(work: Path, size: int) -> Iterator[Path]:
    """Give mmdebstrap an empty directory for a tree of so many bytes, in memory where there is plenty of it.

    dpkg waits for the disk after every package, which is for nothing in a tree that soon is a tar archive.
    """
    directory = work / "tmp"
    for left in _MEMORY.glob("gitops-rootfs-*"):  # by a process that was killed
        if not Path("/proc", left.name.split("-")[2]).exists():
            shutil.rmtree(left, ignore_errors=True)
    if os.access(_MEMORY, os.W_OK):
        room = os.statvfs(_MEMORY)
        if room.f_bavail * room.f_frsize > _PLENTY * size:
            directory = _MEMORY / f"gitops-rootfs-{os.getpid()}-{secrets.token_hex(8)}"
    directory.mkdir(mode=0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _stanza(package: Package, repository: Path) -> str:
    """Give the package's stanza in a flat repository's index (Debian repository format)."""
    name = deb_name(package)
    control = deb.control(repository / name).rstrip("\n")
    return f"{control}\nFilename: ./{name}\nSize: {package.size}\nSHA256: {package.sha256}\n"
