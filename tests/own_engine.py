"""An engine that nobody else uses: it has room for a hundred networks, and may be killed.

It lives in namespaces of its own, so that its firewall rules, mounts and processes disturb nobody, and
nothing is left of it when their first process ends, whatever happened. It needs root, as any dockerd does.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from docker.api.client import APIClient

_PATIENCE = 60  # seconds


@dataclass
class OwnEngine:
    """A dockerd in namespaces that are held by a process of their own: the machine, as it sees it."""

    root: Path
    disk: Path
    _machine: subprocess.Popen[bytes] | None = None
    _containerd: subprocess.Popen[bytes] | None = None
    _dockerd: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """What `DOCKER_HOST` is to be."""
        return f"unix://{self._run}/engine.sock"

    @property
    def data(self) -> Path:
        """Where it keeps images, containers and volumes."""
        return self.disk / "data"

    @property
    def _run(self) -> Path:
        return self.root / "run"

    @property
    def _cgroup(self) -> str:
        return f"gitops-{self.root.name}"

    def api(self) -> APIClient:
        """Connect to it."""
        return APIClient(base_url=self.address, version="auto", timeout=_PATIENCE, max_pool_size=32)

    def boot(self) -> None:
        """Start the machine, and the engine on it."""
        spaces = ("--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
        # The first process lets the kernel bury orphans at once, as an init does: it ignores their end.
        init = "ip link set lo up; trap '' CHLD; exec sleep infinity"
        # And it ends with this process, even where that is killed.
        tied = ("setpriv", "--pdeathsig", "KILL")
        self._machine = subprocess.Popen([*tied, "unshare", *spaces, "sh", "-c", init])
        self._until(self._first_process)
        self._run.mkdir(exist_ok=True)
        own = (f"--root={self.disk}/containerd", f"--state={self._run}/containerd")
        self._containerd = self._inside("containerd", *own, f"--address={self._run}/containerd.sock")
        self._until((self._run / "containerd.sock").exists)
        self.start()

    def start(self) -> None:
        """Start the engine, and wait until it answers."""
        own = (
            f"--data-root={self.data}",
            f"--exec-root={self._run}/docker",
            f"--pidfile={self._run}/docker.pid",
        )
        self._dockerd = self._inside(
            *("dockerd", *own, f"--host={self.address}", f"--containerd={self._run}/containerd.sock"),
            *(f"--cgroup-parent={self._cgroup}", "--exec-opt=native.cgroupdriver=cgroupfs"),
            "--default-address-pool=base=10.64.0.0/10,size=26",
        )
        self._until(self._answers)

    def kill(self) -> None:
        """Kill the engine alone; containers go on, as does containerd, which Debian runs by itself."""
        pidfile = self._run / "docker.pid"
        self._inside("kill", "-KILL", pidfile.read_text()).wait()
        self._bury()
        pidfile.unlink()  # the number may be another process's by now

    def cut_power(self) -> None:
        """End everything on the machine at once; what is not on its disk is gone."""
        if self._machine:
            first = Path(f"/proc/{self._first_process()}")
            self._machine.kill()
            self._machine.wait()
            self._machine = None
            self._until(lambda: not first.exists())
            self._bury()
            if self._containerd:
                self._containerd.wait(_PATIENCE)
        shutil.rmtree(self._run, ignore_errors=True)

    def sweep(self) -> None:
        """Remove what the kernel keeps of its containers."""
        for top in Path("/sys/fs/cgroup").glob(f"**/{self._cgroup}"):
            for directory, _, _ in os.walk(top, topdown=False):
                with suppress(OSError):
                    Path(directory).rmdir()

    def _bury(self) -> None:
        if self._dockerd:
            self._dockerd.wait(_PATIENCE)

    def _inside(self, *words: str) -> subprocess.Popen[bytes]:
        enter = ("nsenter", f"--target={self._first_process()}", "--net", "--mount", "--pid")
        with (self.root / "log").open("ab") as log:
            return subprocess.Popen([*enter, *words], stdout=log, stderr=log)

    def _first_process(self) -> int:
        pid = self._machine.pid if self._machine else 0
        return int((Path(f"/proc/{pid}/task/{pid}/children").read_text().split() or ["0"])[0])

    def _answers(self) -> bool:
        ask = ["curl", "--silent", "--fail", "--max-time", "5", "--unix-socket", f"{self._run}/engine.sock"]
        done = subprocess.run([*ask, "http://engine/_ping"], check=False, stdout=subprocess.DEVNULL)
        return done.returncode == 0

    def _until(self, true: Callable[[], object]) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not true():
            if time.monotonic() > deadline:
                raise TimeoutError((self.root / "log").read_text()[-2000:])
            time.sleep(0.05)


@contextmanager
def own_engine(disk: Path | None = None) -> Iterator[OwnEngine]:
    """Run one; nothing of it is left afterwards, save on a disk that it was given for what it keeps."""
    root = Path(tempfile.mkdtemp(prefix="gitops-engine-"))
    engine = OwnEngine(root, disk or root)
    try:
        engine.boot()
        yield engine
    finally:
        engine.cut_power()
        engine.sweep()
        shutil.rmtree(engine.root, ignore_errors=True)
