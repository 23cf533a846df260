"""What apt would upgrade in a system as it is: its own answer to a simulated upgrade, in a root of its own.

The fresh answer of `resolve` is the better one; this is for a system that cannot be had anew, because some
package has left the archive or cannot be installed any more. Whatever else has something newer moves on.
"""

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from gitops.debian.indexes import Indexes
from gitops.debian.packages import Package
from gitops.debian.private import as_installed, private_root
from gitops.debian.sources import Pin
from gitops.system.errors import UserError
from gitops.system.run import run

_INSTALL = re.compile(r"^Inst ([^\s:]+)\S* (?:\[\S+\] )?\((\S+) .*?\[(\S+)\]\)", re.MULTILINE)


def upgrade(
    indexes: Indexes,
    installed: Sequence[str],
    held: Sequence[str],
    *,
    pins: Sequence[Pin] = (),
    root: Path,
) -> list[Package]:
    """Ask apt what it would move on of packages that are installed, removing none.

    Args:
        indexes: what there is.
        installed: control stanzas of the packages that may move.
        held: control stanzas of the packages that stay as they are (`apt-mark hold`).
        pins: preferences between versions.
        root: directory for apt's caches; several processes may share it.

    Returns:
        The packages as they would be, those that come in with them too; sorted.

    Raises:
        UserError: apt refuses, because what is installed does not fit together.
    """
    private = private_root(indexes, pins, root)
    with tempfile.TemporaryDirectory(prefix="gitops-apt-") as own:
        status = Path(own) / "status"
        stay = (as_installed(stanza, held=True) for stanza in held)
        status.write_text("".join([*map(as_installed, installed), *stay]))
        options = (f"-oDir::State::status={status}", f"-oDir::State::extended_states={own}/extended_states")
        answer = run(
            ["apt-get", "upgrade", "--simulate", "--quiet", "--with-new-pkgs", *options],
            env={"APT_CONFIG": str(private / "apt.conf")},
            check=False,
        )
    if answer.status != 0:
        errors = [line.partition(" ")[2] for line in answer.stderr.splitlines() if line.startswith("E: ")]
        raise UserError(f"apt finds nothing that it could upgrade: {'; '.join(errors) or answer.status}")
    found = []
    for name, version, architecture in _INSTALL.findall(answer.stdout):
        package = indexes.find(name, version, architecture)
        if package is None:
            raise AssertionError(f"apt chose {name} {version} {architecture}, which is in no index")
        found.append(package)
    return sorted(found)
