"""A machine that systemd has booted, in a container; its engine is this machine's."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from docker.api.client import APIClient

import gitops
from tests.database_fixtures import until
from tests.engine_fixtures import debian_image

_PACKAGES = ("age", "ca-certificates", "git", "python3", "systemd", "systemd-sysv", "tzdata")
_CHECKOUT = Path(gitops.__file__).parent.parent
# What systemd needs to be a container's first process; `--privileged` asks for more than some machines have.
_LEAVE = (
    *("--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN", "--cap-add", "SYS_PTRACE"),
    *("--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"),
    *("--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp", "--env", "container=docker"),  # noqa: S108
)


@dataclass(frozen=True)
class Machine:
    """The booted machine.

    Args:
        name: of its container.
    """

    name: str

    def run(self, *command: str, check: bool = True) -> str:
        """Run a command in it as root; give what it says."""
        path = f"PATH={Path(sys.executable).parent}:/usr/sbin:/usr/bin"
        done = subprocess.run(
            ["docker", "exec", "--env", path, self.name, *command],
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    def active(self, unit: str) -> bool:
        """Tell whether a unit is active."""
        return self.run("systemctl", "is-active", unit, check=False).strip() == "active"


@contextmanager
def booted(api: APIClient, name: str, directory: Path, shared: Path) -> Iterator[Machine]:
    """Boot a machine in which this checkout is where it is here, and a directory is /srv."""
    image = debian_image(api, "systemd", _PACKAGES, directory)
    control = Path("/sys/fs/cgroup/systemd")
    groups = (
        ("--cgroupns=host", f"--volume={control}:{control}") if control.is_dir() else ("--cgroupns=private",)
    )
    mounts = [f"--volume={path}:{path}:ro" for path in {_CHECKOUT, Path(sys.prefix)}]
    mounts += [f"--volume={shared}:/srv", "--volume=/run/docker.sock:/run/docker.sock"]
    command = ["docker", "run", "--detach", "--name", name, *_LEAVE, *groups, *mounts, image, "/sbin/init"]
    subprocess.run(command, check=True, capture_output=True)
    try:
        machine = Machine(name)
        until(
            lambda: (
                machine.run("systemctl", "is-system-running", check=False).strip() in {"running", "degraded"}
            )
        )
        yield machine
    except AssertionError:
        sys.stderr.write(machine.run("journalctl", "--no-pager", "--lines=60"))
        raise
    finally:
        subprocess.run(["docker", "rm", "--force", "--volumes", name], check=False, capture_output=True)
