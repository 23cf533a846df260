"""What dpkg says is in an image, and that it is what the lock says."""

from collections.abc import Iterable

from gitops.debian.packages import Package
from gitops.system.errors import UserError

STATUS = "/var/lib/dpkg/status"
"""dpkg's database in an image: a stanza a package, as in deb-control(5), with its Status."""

_SHOWN = 8


def check(status: str, packages: Iterable[Package]) -> None:
    """Compare an image's dpkg database with the packages that its locks name.

    Args:
        status: the database's content.
        packages: parents' and own.

    Raises:
        UserError: they differ; it names the packages that do.
    """
    found = _installed(status)
    wanted = {(package.name, package.architecture): package.version for package in packages}
    differences = [
        f"{name}: {found.get((name, architecture), 'not installed')}, "
        f"by the lock {wanted.get((name, architecture), 'not there')}"
        for name, architecture in sorted(found.keys() | wanted.keys())
        if found.get((name, architecture)) != wanted.get((name, architecture))
    ]
    if differences:
        more = len(differences) - _SHOWN
        lines = differences[:_SHOWN] + ([f"and {more} more"] if more > 0 else [])
        raise UserError("its packages are not those of its lock", hint="\n  ".join(lines))


def _installed(status: str) -> dict[tuple[str, str], str]:
    """Give name and architecture to version; with a package in any state but installed, the state too."""
    found: dict[tuple[str, str], str] = {}
    for stanza in status.split("\n\n"):
        fields = dict(
            line.split(": ", 1)
            for line in stanza.splitlines()
            if line.startswith(("Package: ", "Version: ", "Architecture: ", "Status: "))
        )
        if fields:
            version = fields.get("Version", "")
            good = fields.get("Status") == "install ok installed"
            state = version if good else f"{version} ({fields.get('Status', 'no status')})"
            found[fields["Package"], fields.get("Architecture", "")] = state
    return found
