"""The fleet's archives in the words of the debian room."""

from collections.abc import Iterable
from pathlib import Path

from gitops.debian.sources import Pin, Source
from gitops.fleet.fleet import Fleet


def sources(fleet: Fleet, archives: Iterable[str]) -> list[Source]:
    """Give the sources of archives: one a suite, in the order in which they are written."""
    return [
        Source(
            archive=name,
            mirror=(suite.mirror or archive.mirror).rstrip("/"),
            suite=suite.suite,
            components=suite.components or archive.components,
            keyring=fleet.root / Path(archive.keyring),
        )
        for name in archives
        for archive in [fleet.settings.archives[name]]
        for suite in archive.suites
    ]


def pins(fleet: Fleet, archives: Iterable[str]) -> list[Pin]:
    """Give the preferences of archives, in the order in which they are written."""
    return [
        Pin(pin.package, pin.pin, pin.priority)
        for name in archives
        for pin in fleet.settings.archives[name].pins
    ]


def mirrors(fleet: Fleet) -> dict[str, tuple[str, ...]]:
    """Give the mirrors of each archive, its own first, where a package of it may be found."""
    return {
        name: tuple(dict.fromkeys([archive.mirror.rstrip("/"), *(s.mirror for s in sources(fleet, [name]))]))
        for name, archive in fleet.settings.archives.items()
    }
