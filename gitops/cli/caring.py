"""`gitops backup check`, `prune` and `mount`: what is done with a repository as a whole."""

from pathlib import Path
from typing import Annotated

import typer

from gitops.cli.options import FleetOption, HostOption
from gitops.cli.saying import say


def check(fleet: FleetOption = None, host: HostOption = None) -> None:
    """Let restic check this host's repository, and read a part of its data: another part each time.

    How much is read is the host's `backup: {check: {share: PERCENT}}`. Exit status 1 when it is damaged.
    """
    from gitops.backup.care import check as look
    from gitops.backup.vault import open_vault
    from gitops.cli.deployed import deployed
    from gitops.system.places import places

    loaded, here = deployed(fleet, host)
    with open_vault(loaded, here, places()) as vault:
        wanted = loaded.hosts[here].backup
        look(vault, wanted.check.share if wanted else 0, places(), tell=say)
        print(f"{vault.restic.repository}: no errors were found")


def prune(fleet: FleetOption = None, host: HostOption = None) -> None:
    """Forget the backups of this host that need not stay, and give space back that no backup needs.

    Which ones stay is said by `keep`. The newest complete backup of an instance always does, and so does all
    that other hosts have in the repository.
    """
    from gitops.backup.care import prune as give_back
    from gitops.backup.vault import open_vault
    from gitops.cli.deployed import deployed
    from gitops.system.places import places

    loaded, here = deployed(fleet, host)
    with open_vault(loaded, here, places()) as vault:
        give_back(vault, loaded, places(), tell=say)
        print(f"{vault.restic.repository}: pruned")


def mount(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="An empty directory.")],
    fleet: FleetOption = None,
    host: HostOption = None,
) -> None:
    """Show this host's backups as files in a directory, to be read only, until Ctrl-C.

    Needs FUSE: Debian's package fuse3. `gitops backup list` says which snapshot is whose.
    """
    from contextlib import suppress

    from gitops.backup.mounting import mount as show
    from gitops.backup.vault import open_vault
    from gitops.cli.deployed import deployed
    from gitops.system.errors import InterruptedByUserError
    from gitops.system.places import places

    loaded, here = deployed(fleet, host)
    with open_vault(loaded, here, places()) as vault, suppress(InterruptedByUserError):
        print(f"the backups of {here} are shown in {directory} in a moment; Ctrl-C ends that", flush=True)
        show(vault, directory)
