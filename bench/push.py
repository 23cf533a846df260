"""`gitops push` of an update to one leaf against `docker push` of the same base with a layer of that size."""

import itertools
import random
import subprocess
import tempfile
from pathlib import Path
from shutil import rmtree

from docker.api.client import APIClient

from bench.figure import Figure, Run, in_turns, run
from bench.stage import GITOPS
from gitops.fleet.load import load
from gitops.images.identity import identities, references
from gitops.images.lock import Lock, format_lock
from gitops.images.locks import lock_path, read_locks, request_of
from gitops.render.recipe import recipe
from gitops.system.files import write
from tests.engine_fixtures import busybox
from tests.registry_fixtures import RegistryServer, new_key, running

_SIZE = 100 << 20
"""Bytes of the leaf's layer: what apache with PHP, or a small database, adds to a base."""

_TIMES = 7


def measure() -> Figure:
    directory = Path(tempfile.mkdtemp(prefix="gitops-bench-"))
    api = APIClient(version="auto")
    try:
        with running(api, directory) as server:
            stage = _Stage(directory, server, api)
            ours, theirs = in_turns(_TIMES, stage.gitops_push, stage.docker_push)
    finally:
        for image in api.images(filters={"reference": f"*/{directory.name.lower()}/*"}):
            api.remove_image(image["Id"], force=True)
        api.close()
        rmtree(directory, ignore_errors=True)
    return Figure(
        "push of an update to one leaf", "docker push of that layer", ours.seconds, theirs.seconds, 1.2
    )


class _Stage:
    """A fleet of a base and a leaf, whose base is in the registry."""

    def __init__(self, directory: Path, server: RegistryServer, api: APIClient) -> None:
        self.root, self.directory, self.api, self.server = directory / "fleet", directory, api, server
        self.registry = f"{server.host}/{directory.name.lower()}"
        self.key = new_key(directory, "ci").path
        self.numbers = itertools.count()
        self.env = {"DOCKER_CONFIG": str(server.docker_config), "GITOPS_ROOT": str(directory / "host")}
        self.env |= {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(directory)}
        archive = "{mirror: 'http://mirror.example.org/debian', suites: [trixie]}"
        write(
            self.root / "fleet.yaml",
            f"name: bench\nregistry: '{self.registry}'\narchives: {{a: {archive}}}\n",
        )
        write(self.root / "images/base.yaml", "from: scratch\narchive: a\n")
        write(self.root / "images/leaf.yaml", "from: base\n")
        self.base = self._names()["base"]
        (directory / "busybox").mkdir()
        repository, _, tag = self.base.rpartition(":")
        api.import_image_from_data(busybox(directory / "busybox"), repository=repository, tag=tag)
        self._push("base")

    def gitops_push(self) -> Run:
        write(
            self.root / "images/leaf.yaml", f"from: base\nenvironment: {{NUMBER: '{next(self.numbers)}'}}\n"
        )
        self._build(self._names()["leaf"])
        return self._push()

    def docker_push(self) -> Run:
        reference = f"{self.registry}/other:{next(self.numbers)}"
        self._build(reference)
        return run("docker", "push", "--quiet", reference, env=self.env)

    def _push(self, *images: str) -> Run:
        return run(GITOPS, "push", "--key", self.key, *images, env=self.env, cwd=self.root)

    def _names(self) -> dict[str, str]:
        fleet = load(self.root)
        for image in fleet.images:
            write(
                lock_path(self.root, image, "amd64"),
                format_lock(Lock(image, "amd64", request_of(fleet, image), ())),
            )
        found = references(fleet, identities(fleet, read_locks(fleet), recipe(self.root)))
        return {image: name for (image, _), name in found.items()}

    def _build(self, reference: str) -> None:
        """Make an image of the base and a layer that nobody has seen, which gzip makes half as large."""
        context = self.directory / "context"
        context.mkdir(exist_ok=True)
        noise = random.randbytes(_SIZE // 2)  # noqa: S311  # nothing depends on it
        (context / "layer").write_bytes(noise + bytes(_SIZE // 2))
        (context / "Dockerfile").write_text(f"FROM {self.base}\nCOPY layer /layer\n")
        command = ["docker", "build", "--quiet", "--tag", reference, str(context)]
        subprocess.run(command, check=True, capture_output=True)
