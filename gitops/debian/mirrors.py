"""The Debian mirrors that this host itself uses."""

import re
from dataclasses import dataclass

from gitops.system.run import run

_FORMAT = "$(REPO_URI)\t$(RELEASE)\t$(COMPONENT)"
_UNFETCHED = "APT::Get::IndexTargets::ReleaseInfo=false"  # the host may never have run apt-get update


@dataclass(frozen=True)
class HostMirrors:
    """Addresses without a slash at their end; None where the host's apt names none."""

    debian: str | None
    security: str | None


def host_archives() -> HostMirrors:
    """Read the host's own apt configuration, in both of sources.list(5)'s formats, as apt understands it.

    Among repositories that could be Debian's, one that also has an updates suite is taken first, then one
    whose address ends in /debian.
    """
    answer = run(["apt-get", "indextargets", "-o", _UNFETCHED, "--format", _FORMAT, "Created-By: Packages"])
    targets = [line.split("\t") for line in answer.stdout.splitlines()]
    updated = {uri for uri, suite, _ in targets if suite.endswith("-updates")}
    debian: list[tuple[int, str]] = []
    security: list[tuple[int, str]] = []
    for uri, suite, component in targets:
        address = re.sub(r"^file:/+", "file:///", uri).rstrip("/")
        if component.rpartition("/")[2] != "main" or not address.startswith(
            ("http://", "https://", "file://")
        ):
            continue
        if suite.endswith(("-security", "/updates")):
            security.append((int(address.endswith("-security")), address))
        elif uri in updated or address.endswith("/debian"):
            debian.append((2 * (uri in updated) + address.endswith("/debian"), address))
    return HostMirrors(_best(debian), _best(security))


def _best(ranked: list[tuple[int, str]]) -> str | None:
    """Give the first among those of the highest rank."""
    return max(ranked, key=lambda each: each[0])[1] if ranked else None
