"""Instances with data, their host's repository, and restic alone with a repository of its own beside it."""

import os
import resource
import select
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from docker.api.client import APIClient

from bench.figure import BenchError, Run, run
from gitops.engine.docker import Docker
from gitops.engine.specification import ContainerSpec, MountSpec, NetworkSpec, VolumeSpec
from tests.database_fixtures import have_database_image, until
from tests.engine_fixtures import remove_all

HOST = "web1"
_MEGABYTE = 1e6
_LOOK = 20
"""Milliseconds between looks at a process's memory; its end is seen at once."""
_CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID")


@dataclass(frozen=True)
class Backed:
    """A host's instances of one app, running, and where they are backed up.

    Args:
        directory: where everything of it is.
        name: the fleet's.
        instances: their names.
        env: variables for what works on this host.
    """

    directory: Path
    name: str
    instances: Sequence[str]
    env: dict[str, str]

    def container(self, instance: str) -> str:
        """Give the name of an instance's only container."""
        return f"{self.name}.{instance}.one"

    def execute(self, instance: str, script: str, user: str = "root") -> None:
        """Run a shell script in an instance's container to its good end."""
        run("docker", "exec", "--user", user, self.container(instance), "sh", "-ec", script)

    def back_up(self) -> Run:
        """Back up all instances in one run; give what it took, with the peak memory of gitops alone."""
        words = ("-m", "gitops", "backup", "run", "--all", "--fleet", str(self.directory / "fleet"))
        with tempfile.TemporaryFile() as said:
            began, before = time.perf_counter(), _busy()
            process = subprocess.Popen([sys.executable, *words], env=self.env, stdout=said, stderr=said)
            peak = _watch(process)
            seconds, busy = time.perf_counter() - began, _busy() - before
            if process.returncode:
                said.seek(0)
                raise BenchError(said.read().decode(errors="replace"))
        return Run(seconds, peak, busy)

    def bare(self, *commands: str) -> Run:
        """Run shell commands, one after the other, where `restic` finds a repository of its own."""
        return run("bash", "-ec", "set -o pipefail\n" + "\n".join(commands), env=self._bare())

    def begin(self) -> None:
        """Make the repository of restic alone, and ours as a copy of it.

        How long a key takes restic to open depends on what else the machine did when it was made.
        """
        config = self.directory / "host/etc/gitops"
        config.mkdir(parents=True)
        for password in (self.directory / "password", config / "restic-password"):
            password.write_text("bench\n")
            password.chmod(0o600)
        self.bare("restic init")
        shutil.copytree(self.directory / "bare", self.directory / "ours")

    def _bare(self) -> dict[str, str]:
        return {
            **self.env,
            "RESTIC_REPOSITORY": str(self.directory / "bare"),
            "RESTIC_PASSWORD_FILE": str(self.directory / "password"),
            "RESTIC_CACHE_DIR": str(self.directory / "bare-cache"),
        }


@contextmanager
def backed(
    backup: str, command: Sequence[str], ready: str, instances: Sequence[str] = ("alice",), volume: str = ""
) -> Iterator[Backed]:
    """Run instances of an app with one service, `one`; nothing of them is left afterwards.

    Args:
        backup: what the app says of its backup, YAML.
        command: what the service runs, in an image with Debian's databases.
        ready: a shell command that works there once the service does.
        instances: their names.
        volume: the path of the service's volume `data`; empty where it has none.
    """
    directory = Path(tempfile.mkdtemp(prefix="gitops-bench-"))
    name, engine, api = f"bench-{uuid.uuid4().hex[:8]}", Docker(), APIClient(version="auto")
    made = Backed(directory, name, instances, {**os.environ, "GITOPS_ROOT": str(directory / "host")})
    try:
        _write_fleet(made, backup, volume)
        image = have_database_image(api)
        network = f"{name}.all"
        engine.ensure_network(NetworkSpec(network, instances[0], "all"), name, HOST)
        for instance in instances:
            mounts: tuple[MountSpec, ...] = ()
            if volume:
                full = f"{name}.{instance}.data"
                engine.ensure_volume(VolumeSpec(full, instance, "data"), name, HOST)
                mounts = (MountSpec("volume", full, volume),)
            spec = ContainerSpec(
                name=made.container(instance),
                instance=instance,
                service="one",
                image=image,
                image_name="server",
                networks=((network, ()),),
                command=tuple(command),
                volumes=mounts,
                capabilities=_CAPABILITIES,
            )
            engine.create(spec, name, HOST, "c0ffee")
            engine.start(spec.name)
        for instance in instances:
            until(lambda instance=instance: _works(made.container(instance), ready))  # type: ignore[misc]
        made.begin()
        yield made
    finally:
        remove_all(api, name)
        api.close()
        shutil.rmtree(directory, ignore_errors=True)


def _write_fleet(made: Backed, backup: str, volume: str) -> None:
    placed = "".join(f"  {one}: {{app: shop}}\n" for one in made.instances)
    mounted = f", volumes: ['data:{volume}']" if volume else ""
    files = {
        "fleet.yaml": f"name: {made.name}\narchives: {{a: {{mirror: 'http://example.org', suites: [s]}}}}\n",
        "images/server.yaml": "from: scratch\narchive: a\n",
        f"hosts/{HOST}.yaml": f"backup: {{repository: '{made.directory}/ours'}}\ninstances:\n{placed}",
        "apps/shop.yaml": f"services:\n  one: {{image: server{mounted}}}\nbackup: {backup}\n",
    }
    for path, text in files.items():
        file = made.directory / "fleet" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def _works(container: str, command: str) -> bool:
    words = ("docker", "exec", container, "sh", "-c", command)
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def _busy() -> float:
    """Give the processor's seconds of programs that have ended, and of those that they waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _watch(process: subprocess.Popen[bytes]) -> float:
    """Wait for a process; give the most memory that it itself had, in MB (VmHWM, proc_pid_status(5))."""
    peak, status, ends = 0.0, Path(f"/proc/{process.pid}/status"), select.poll()
    handle = os.pidfd_open(process.pid)
    try:
        ends.register(handle, select.POLLIN)
        while not ends.poll(_LOOK):
            for line in status.read_text().splitlines():
                if line.startswith("VmHWM"):
                    peak = int(line.split()[1]) * 1024 / _MEGABYTE
    finally:
        os.close(handle)
    process.wait()
    return peak
