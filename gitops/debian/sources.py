"""Where packages come from, in the words of sources.list(5) and apt_preferences(5)."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Source:
    """One suite of one archive.

    Args:
        archive: the fleet's name for the archive.
        mirror: address that holds dists/ and pool/; http, https or file.
        suite: the suite's name or codename, as in sources.list(5).
        components: its components, for example main.
        keyring: OpenPGP keys that may sign it, binary (.gpg) or ASCII-armoured (.asc).
    """

    archive: str
    mirror: str
    suite: str
    components: tuple[str, ...]
    keyring: Path

    @property
    def base(self) -> str:
        """The mirror's address without a slash at its end."""
        return self.mirror.rstrip("/")

    @property
    def release(self) -> str:
        """Address of the directory that holds InRelease."""
        return f"{self.base}/dists/{self.suite}"


@dataclass(frozen=True)
class Pin:
    """A preference between versions, as in apt_preferences(5).

    Args:
        package: name, glob or `*`.
        pin: what is pinned, for example `release n=trixie-backports`.
        priority: its Pin-Priority.
    """

    package: str
    pin: str
    priority: int

    def __str__(self) -> str:
        """Give the stanza for a preferences file."""
        return f"Package: {self.package}\nPin: {self.pin}\nPin-Priority: {self.priority}\n"
