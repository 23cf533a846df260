"""Where gitops keeps what is not in git; each place can be moved by one variable."""

import os
from pathlib import Path
from typing import NamedTuple

VARIABLES = (
    *("GITOPS_ROOT", "GITOPS_CONFIG", "GITOPS_STATE"),
    *("GITOPS_CACHE", "GITOPS_RUNTIME", "GITOPS_CRON", "GITOPS_SYSTEMD"),
)
"""What moves places."""


class Places(NamedTuple):
    """The directories of one installation.

    Args:
        config: what the administrator of this host decides: the restic password, the age key.
        state: what the host runs: the checked-out generation, job logs. Losing it loses no data.
        cache: what can be fetched or made again: the store of .debs, indexes, restic's cache.
        runtime: locks and decrypted secrets; gone after a reboot.
        cron: where the host's cron reads manifests.
        systemd: where the host's systemd reads units (systemd.unit(5)).
    """

    config: Path
    state: Path
    cache: Path
    runtime: Path
    cron: Path
    systemd: Path = Path("/etc/systemd/system")


def places() -> Places:
    """Find the places of this process.

    `GITOPS_ROOT` puts all of them under one directory, laid out as Debian does (`ROOT/etc/gitops`…);
    `GITOPS_CONFIG`, `GITOPS_STATE`, `GITOPS_CACHE`, `GITOPS_RUNTIME`, `GITOPS_CRON` and `GITOPS_SYSTEMD` move
    one each.
    Otherwise root has the system's directories and anyone else the XDG ones.
    """
    root = os.environ.get("GITOPS_ROOT")
    if root or os.geteuid() == 0:
        top = Path(root or "/").absolute()
        found = Places(
            config=top / "etc/gitops",
            state=top / "var/lib/gitops",
            cache=top / "var/cache/gitops",
            runtime=top / "run/gitops",
            cron=top / "etc/cron.d",
            systemd=top / "etc/systemd/system",
        )
    else:
        found = Places(
            config=_xdg("XDG_CONFIG_HOME", ".config"),
            state=_xdg("XDG_STATE_HOME", ".local/state"),
            cache=_xdg("XDG_CACHE_HOME", ".cache"),
            runtime=_xdg("XDG_RUNTIME_DIR", ".local/state/gitops/run"),
            cron=_xdg("XDG_CONFIG_HOME", ".config") / "cron.d",
            systemd=_xdg("XDG_CONFIG_HOME", ".config") / "systemd",
        )
    return Places(
        config=_moved("GITOPS_CONFIG", found.config),
        state=_moved("GITOPS_STATE", found.state),
        cache=_moved("GITOPS_CACHE", found.cache),
        runtime=_moved("GITOPS_RUNTIME", found.runtime),
        cron=_moved("GITOPS_CRON", found.cron),
        systemd=_moved("GITOPS_SYSTEMD", found.systemd),
    )


def _xdg(variable: str, default: str) -> Path:
    return Path(os.environ.get(variable) or Path.home() / default) / "gitops"


def _moved(variable: str, default: Path) -> Path:
    return Path(os.environ.get(variable) or default).absolute()
