"""The root file system of a base, made by mmdebstrap from nothing but the packages of its lock."""

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote

from gitops.debian import deb
from gitops.debian.packages import Package
from gitops.debian.store import Store
from gitops.images.context import deb_name, put_debs
from gitops.system.files import write
from gitops.system.processes import Processes

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
    repository, temporary = work / "repository", work / "tmp"
    put_debs(packages, store, repository)
    write(repository / "Packages", "\n".join(_stanza(package, repository) for package in packages))
    temporary.mkdir()
    command = ["mmdebstrap", "--variant=essential", "--format=tar", f"--architectures={architecture}"]
    command += [f"--include={','.join(package.name for package in packages)}"]
    if debconf:
        answers = work / "debconf"
        write(answers, "".join(f"{line}\n" for line in debconf))
        command += [f'--essential-hook=chroot "$1" debconf-set-selections <{shlex.quote(str(answers))}']
    command += [f"--customize-hook={_CLEAN}", "", str(target)]
    command += [f"deb [trusted=yes] copy:{quote(str(repository))} ./"]
    processes.run(command, env={"SOURCE_DATE_EPOCH": str(epoch), "TMPDIR": str(temporary)}, told=told)


def _stanza(package: Package, repository: Path) -> str:
    """Give the package's stanza in a flat repository's index (Debian repository format)."""
    name = deb_name(package)
    control = deb.control(repository / name).rstrip("\n")
    return f"{control}\nFilename: ./{name}\nSize: {package.size}\nSHA256: {package.sha256}\n"
