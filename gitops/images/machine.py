"""Whether this machine can run what it is to build."""

from pathlib import Path

from gitops.system.errors import UserError
from gitops.system.run import run

_BINFMT = Path("/proc/sys/fs/binfmt_misc")
_QEMU = {"amd64": "qemu-x86_64", "arm64": "qemu-aarch64"}


def native() -> str:
    """Give this machine's architecture in Debian's words."""
    return run(["dpkg", "--print-architecture"]).stdout.strip()


def require_machine(architecture: str) -> None:
    """Refuse an architecture whose programs the kernel does not run, itself or through qemu (binfmt_misc).

    Raises:
        UserError: it names what to install.
    """
    entry = _BINFMT / _QEMU.get(architecture, architecture)
    if architecture != native() and not (entry.is_file() and entry.read_text().startswith("enabled")):
        raise UserError(
            f"images for {architecture} cannot be built here: this machine is {native()} "
            f"and has no emulation of {architecture}",
            hint=f"build on a machine that is {architecture}, or install qemu-user-static and binfmt-support",
        )
