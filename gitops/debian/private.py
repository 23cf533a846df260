"""A root of apt's own, which knows only verified indexes.

apt finds the lists where `apt-get update` would have put them, under its own file names. Nothing of the
host's configuration, sources, preferences or packages takes part, and no root rights are needed.
"""

import hashlib
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gitops.debian.answers import forget
from gitops.debian.indexes import Index, Indexes
from gitops.debian.release import Release
from gitops.debian.sources import Pin, Source
from gitops.system import files
from gitops.system.locks import exclusive

_KEPT = 7 * 24 * 3600  # seconds that apt's caches of former indexes are kept


def private_root(indexes: Indexes, pins: Sequence[Pin], root: Path) -> Path:
    """Make, or find again, a root that holds these indexes and pins.

    Args:
        indexes: what apt may know.
        pins: what it shall prefer.
        root: directory that keeps such roots, each with apt's package cache; several processes may share it.

    Returns:
        The root; `apt.conf` in it is for APT_CONFIG, and leaves only Dir::State::status to be said.
    """
    private = root / state(indexes, pins)
    made = private / "apt.conf"
    if not made.is_file():
        with exclusive(root / "lock", "apt's private root", wait=600):
            if not made.is_file():  # by who had the lock before, and uses it by now
                _prune(root)
                forget(root / "answers")
                _make(private, indexes, pins)
    (private / "used").touch()
    return private


def state(indexes: Indexes, pins: Sequence[Pin]) -> str:
    """Name all that apt can know from indexes and pins: the same name, the same knowledge."""
    lists = {_release(source): release.digest for source, release in _releases(indexes)}
    lists |= {_packages(index): str(index.path.absolute()) for index in indexes.lists}
    known = _sources(indexes), _preferences(pins), sorted(lists.items())
    return hashlib.sha256(repr(known).encode()).hexdigest()[:32]


def _make(private: Path, indexes: Indexes, pins: Sequence[Pin]) -> None:
    for directory in ("lists/partial", "archives/partial"):
        (private / directory).mkdir(parents=True, exist_ok=True)
    for source, release in _releases(indexes):
        files.write(private / "lists" / _release(source), release.text)
    for index in indexes.lists:
        (private / "lists" / _packages(index)).unlink(missing_ok=True)
        (private / "lists" / _packages(index)).symlink_to(index.path.absolute())
    files.write(private / "sources.list", _sources(indexes))
    files.write(private / "preferences", _preferences(pins))
    files.write(private / "apt.conf", configuration(private.absolute(), indexes.architecture))


def _releases(indexes: Indexes) -> Iterator[tuple[Source, Release]]:
    return zip(indexes.sources, indexes.releases, strict=True)


def _release(source: Source) -> str:
    return _list_name(f"{source.release}/InRelease")


def _packages(index: Index) -> str:
    return _list_name(f"{index.source.release}/{index.component}/binary-{index.architecture}/Packages")


def _sources(indexes: Indexes) -> str:
    lines: dict[str, list[str]] = {}
    for source in indexes.sources:
        # All of it was verified on its way here, by keys that apt need not know; hence trusted.
        line = f"deb [arch={indexes.architecture} trusted=yes] {source.base} {source.suite}"
        lines.setdefault(line, []).extend(source.components)
    return "".join(f"{line} {' '.join(dict.fromkeys(components))}\n" for line, components in lines.items())


def _preferences(pins: Sequence[Pin]) -> str:
    return "\n".join(str(pin) for pin in pins)


def as_installed(stanza: str, *, held: bool = False) -> str:
    """Make a stanza of a Packages file or a .deb one of dpkg's status file, with the empty line after it."""
    return f"{stanza.strip()}\nStatus: {'hold' if held else 'install'} ok installed\n\n"


def configuration(private: Path, architecture: str) -> str:
    """Write the apt.conf(5) of a root, for APT_CONFIG, which is read before the host's own files.

    Args:
        private: the root, an absolute path.
        architecture: Debian's name for it.
    """
    settings = {
        "Dir": f"{private}/",
        "Dir::State": f"{private}/",
        "Dir::State::lists": f"{private}/lists/",
        "Dir::Cache": f"{private}/",
        "Dir::Cache::archives": f"{private}/archives/",
        # The lists' half of apt's cache is shared; the other half changes with what is installed.
        "Dir::Cache::srcpkgcache": f"{private}/srcpkgcache.bin",
        "Dir::Cache::pkgcache": "",
        "Dir::Etc": f"{private}/",
        "Dir::Etc::main": "/dev/null",
        "Dir::Etc::parts": "/dev/null",
        "Dir::Etc::sourcelist": f"{private}/sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferences": f"{private}/preferences",
        "Dir::Etc::preferencesparts": "/dev/null",
        "Dir::Log": "/dev/null",
        "APT::Architecture": architecture,
        # apt 3 has a second solver; the same answer from every apt is worth more than the newer one.
        "APT::Solver": "internal",
        "Acquire::Languages": "none",
    }
    lines = "".join(f'{name} "{value}";\n' for name, value in settings.items())
    return f'{lines}APT::Architectures {{ "{architecture}"; }};\n'


def _list_name(address: str) -> str:
    """Name a list as apt does: ParseQuoteWord and URItoFileName in its apt-pkg/strutl.cc."""
    parts = urlsplit(unquote(address))
    bare = parts.netloc.rpartition("@")[2].replace("[", "").replace("]", "") + parts.path
    return re.sub(r'[^!-~]|[\\|{}\[\]<>"^~_=!@#$%&*]', lambda bad: f"%{ord(bad[0]):02x}", bare).replace(
        "/", "_"
    )


def _prune(root: Path) -> None:
    """Remove the private roots of indexes that nobody has asked about for long."""
    for used in root.glob("*/used"):
        if used.stat().st_mtime < time.time() - _KEPT:
            shutil.rmtree(used.parent, ignore_errors=True)
