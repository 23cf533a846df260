"""A real engine with a tiny image, and names that no other test has; what is made under them goes again."""

import contextlib
import hashlib
import io
import os
import subprocess
import tarfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pytest
from docker.api.client import APIClient
from docker.errors import NotFound

from gitops.debian.mirrors import host_archives
from gitops.engine import labels
from gitops.engine.observed import Observed
from gitops.engine.specification import ContainerSpec
from gitops.system.locks import exclusive
from gitops.system.run import run

APPLETS = ("cat", "dd", "echo", "false", "head", "id", "ls", "sh", "sleep", "test", "touch", "true", "wc")
WELL = "test -e /tmp/well && exec sleep 1; touch /tmp/well"
"""A health check that is passed at once and then takes its time: each keeps the machine busy for 50 ms."""


@pytest.fixture(scope="session")
def api() -> Iterator[APIClient]:
    """The engine as the SDK sees it, for looking behind what is tested."""
    client = APIClient(version="auto")
    yield client
    client.close()


@pytest.fixture(scope="session")
def rootfs(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A tar of a root file system in which busybox is everything."""
    return busybox(tmp_path_factory.mktemp("busybox"))


def busybox(directory: Path) -> bytes:
    """Make that tar from Debian's package, with an empty directory to work in."""
    directory.chmod(0o777)  # apt downloads as its own user
    subprocess.run(
        ["apt-get", "download", "-q", "busybox-static"], cwd=directory, check=True, capture_output=True
    )
    (package,) = directory.glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", package, directory / "root"], check=True)
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        tar.add(next((directory / "root").glob("**/bin/busybox")), "bin/busybox")
        for applet in APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
        for name in ("data", "tmp"):
            made = tarfile.TarInfo(name)
            made.type, made.mode = tarfile.DIRTYPE, 0o1777
            tar.addfile(made)
    return content.getvalue()


def debian_image(api: APIClient, name: str, packages: Sequence[str], directory: Path, hook: str = "") -> str:
    """Make an image of this machine's Debian with some packages; it stays here, since that takes a minute."""
    mirror = host_archives().debian
    assert mirror, "the host's apt names no Debian mirror"
    suite = run(["sh", "-c", '. /etc/os-release && echo "$VERSION_CODENAME"']).stdout.strip()
    recipe = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(packages)}", suite]
    digest = hashlib.sha256(repr(recipe).encode()).hexdigest()[:12]
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or "/tmp")  # noqa: S108  # a lock, shared by all sessions
    with exclusive(runtime / f"gitops-test-{name}-{os.getuid()}.lock", "the test image", wait=600):
        if not api.images(f"gitops-test-{name}:{digest}"):
            tar = directory / "root.tar"
            run([*recipe, f"--setup-hook={hook or 'true'}", tar, mirror])
            api.import_image_from_file(str(tar), repository=f"gitops-test-{name}", tag=digest)
            tar.unlink()
    return f"gitops-test-{name}:{digest}"


@pytest.fixture(scope="session")
def import_image(api: APIClient, rootfs: bytes) -> Iterator[Callable[[str], str]]:
    """Make the tiny image under a reference; it goes when the session ends."""
    made = []

    def make(reference: str) -> str:
        repository, _, tag = reference.rpartition(":")
        api.import_image_from_data(rootfs, repository=repository, tag=tag)
        made.append(reference)
        return reference

    yield make
    for reference in made:
        with contextlib.suppress(NotFound):  # a host clears away what it needs no more
            api.remove_image(reference, force=True)


@pytest.fixture(scope="session")
def image(import_image: Callable[[str], str]) -> str:
    """The tiny image."""
    return import_image(f"gitops-test-{uuid.uuid4().hex[:8]}/busybox:1")


@pytest.fixture
def fleet_name(api: APIClient) -> Iterator[str]:
    """A fleet's name that nobody else has; its containers, networks and volumes go when the test ends."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    yield name
    remove_all(api, name)


def remove_all(api: APIClient, fleet: str) -> None:
    """Remove every container, network and volume of a fleet."""
    filters = {"label": f"{labels.FLEET}={fleet}"}
    for container in api.containers(all=True, filters=filters):
        api.remove_container(container["Id"], force=True, v=True)
    for network in api.networks(filters=filters):
        api.remove_network(network["Id"])
    for volume in api.volumes(filters=filters)["Volumes"] or ():
        api.remove_volume(volume["Name"], force=True)


def container(fleet: str, subject: str, image: str, **fields: object) -> ContainerSpec:
    """Specify a container that just runs, on its instance's network; fields as in `ContainerSpec`."""
    instance, _, service = subject.partition("/")
    given: dict[str, object] = {
        "name": f"{fleet}.{instance}.{service}",
        "instance": instance,
        "service": service,
        "image": image,
        "image_name": "busybox",
        "networks": ((f"{fleet}.{instance}.default", (service,)),),
        "command": ("sh", "-c", "trap 'exit 0' TERM; sleep 99999 & wait"),
        "stop_grace_period": 2.0,
    }
    return ContainerSpec(**{**given, **fields})  # type: ignore[arg-type]  # a test names its own fields


def at_rest(look: Callable[[], Iterable[Observed]]) -> None:
    """Wait until a busy engine has done what one who was killed had asked it for: a second without change."""
    since, before = time.monotonic(), None
    while time.monotonic() - since < 1:
        seen = sorted((one.id, one.name, one.state) for one in look())
        if seen != before:
            since, before = time.monotonic(), seen
        time.sleep(0.1)


def exists(api: APIClient, name: str) -> bool:
    """Tell whether a container is there."""
    try:
        api.inspect_container(name)
    except NotFound:
        return False
    return True
