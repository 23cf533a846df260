"""BuildKit, through the docker command: the SDK's builds know no `RUN --mount`.

A client before version 23 speaks BuildKit by itself when DOCKER_BUILDKIT=1 asks it to; a later one needs its
plugin buildx. A machine may have several clients, so the first that can is taken.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gitops.system.errors import UserError
from gitops.system.processes import Processes
from gitops.system.progress import Amount
from gitops.system.run import CommandError, run

# An image is one image, without the attestations that buildx adds on some engines.
_ENVIRONMENT = {"DOCKER_BUILDKIT": "1", "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
_FIRST_WITH_BUILDX = 23
_STEP = re.compile(r"#\d+ (?:\[(?:\S+ +)?(?:(?P<step>\d+)/(?P<steps>\d+))?[^\]]*\] |\d+\.\d+ )(?P<text>.*\S)")
_OUTPUT = re.compile(r"#\d+ (?:\d+\.\d+ |ERROR: )(?P<text>.*)")


@dataclass(frozen=True)
class BuildKit:
    """A docker client that can speak BuildKit: the program's path."""

    client: str

    def build(
        self,
        context: Path,
        *,
        platform: str,
        arguments: Mapping[str, str],
        network: bool,
        cached: bool,
        processes: Processes,
        told: Callable[[str, Amount | None], None],
    ) -> str:
        """Build an image without naming it.

        Args:
            context: a directory with everything, `Dockerfile` too.
            platform: as the engine writes it, `linux/amd64`.
            arguments: the Dockerfile's ARGs.
            network: what RUN reaches: the engine's default network, or nothing at all.
            cached: take steps that were built before from BuildKit's cache.
            processes: what runs the client, and can end it.
            told: called with each step and each line that it prints, and how many steps are done.

        Returns:
            The image's id, `sha256:…`.

        Raises:
            UserError: the build failed; its last lines are the hint.
        """
        identity = context.parent / f"{context.name}.iid"
        command = [self.client, "build", "--progress", "plain", "--iidfile", str(identity)]
        command += ["--platform", platform, "--network", "default" if network else "none"]
        command += [f"--build-arg={name}={value}" for name, value in sorted(arguments.items())]
        command += [] if cached else ["--no-cache"]

        far: Amount | None = None

        def line(text: str) -> None:
            nonlocal far
            if match := _STEP.match(text):
                if match["step"]:
                    far = Amount(int(match["step"]) - 1, int(match["steps"]), "steps")
                told(match["text"], far)

        try:
            processes.run([*command, str(context)], env=_ENVIRONMENT, told=line)
        except CommandError as error:
            raise UserError("the build failed", hint=_tail(error.stderr)) from error
        return identity.read_text().strip()


def find() -> BuildKit:
    """Find a docker client that can speak BuildKit.

    Raises:
        UserError: there is none on PATH.
    """
    for directory in os.get_exec_path():
        client = Path(directory) / "docker"
        if os.access(client, os.X_OK) and _speaks_buildkit(str(client)):
            return BuildKit(str(client))
    raise UserError(
        "no docker command on PATH can build with BuildKit",
        hint="install docker.io (Debian 12), or docker-cli and docker-buildx (Debian 13)",
    )


def _speaks_buildkit(client: str) -> bool:
    told = run([client, "--version"], check=False).stdout
    version = re.search(r"version (\d+)\.", told)
    if version and int(version[1]) < _FIRST_WITH_BUILDX:
        return True
    return run([client, "buildx", "version"], check=False).status == 0


def _tail(log: str) -> str:
    """Give the last lines that the failed step printed, without BuildKit's own frame around them."""
    printed = [match["text"] for line in log.splitlines() if (match := _OUTPUT.match(line))]
    return "\n  ".join((printed or log.strip().splitlines())[-15:])
