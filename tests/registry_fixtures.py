"""A real registry, Debian's docker-registry, with TLS by an authority of its own, a password, and removal."""

import contextlib
import io
import ipaddress
import json
import os
import signal
import socket
import ssl
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from docker.api.client import APIClient
from docker.errors import NotFound

from gitops.engine.docker import Docker
from gitops.registry.signature import NAMESPACE
from gitops.system.places import Places
from tests.images.fleets import places_below

USER, PASSWORD = "pusher", "correct horse"
_CERTIFICATES = Path("/etc/docker/certs.d")
_CONFIG = """\
version: 0.1
log: {{level: warn, accesslog: {{disabled: false}}}}
storage: {{filesystem: {{rootdirectory: '{root}'}}, delete: {{enabled: {delete}}}}}
http: {{addr: '{host}', tls: {{certificate: '{directory}/server.crt', key: '{directory}/server.key'}}}}
auth: {{htpasswd: {{realm: test, path: '{directory}/htpasswd'}}}}
"""


@dataclass
class RegistryServer:
    """A registry that runs; the engine and containers reach it under the same name as this process.

    Args:
        host: HOST:PORT, on the engine's own bridge, so that the engine insists on TLS.
        directory: its configuration, certificates and log.
        storage: what it has stored.
        delete: whether it lets things be removed.
        config: the form of its config.yml.
    """

    host: str
    directory: Path
    storage: Path
    delete: bool = True
    config: str = _CONFIG
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def authority(self) -> Path:
        """The certificate of the authority that signed its own."""
        return self.directory / "ca.crt"

    @property
    def password_file(self) -> Path:
        """A file with the password of USER."""
        return self.directory / "password"

    @property
    def docker_config(self) -> Path:
        """A directory for DOCKER_CONFIG, in which USER is logged in."""
        return self.directory / "docker"

    def places(self, root: Path) -> Places:
        """Give places below a directory, with USER logged in."""
        made = places_below(root)
        made.config.mkdir(parents=True, exist_ok=True)
        if not (made.config / "docker").exists():
            (made.config / "docker").symlink_to(self.docker_config)
        return made

    def start(self) -> None:
        """Start it, and wait until it answers."""
        text = self.config.format(
            root=self.storage, host=self.host, directory=self.directory, delete=str(self.delete).lower()
        )
        (self.directory / "config.yml").write_text(text)
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["docker-registry", "serve", self.directory / "config.yml"], stdout=log, stderr=log
            )
        address, _, port = self.host.rpartition(":")
        until = time.monotonic() + 30
        while self._process.poll() is None and time.monotonic() < until:
            try:
                socket.create_connection((address, int(port)), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        pytest.fail(f"docker-registry does not start: {(self.directory / 'log').read_text()}")

    def stop(self) -> None:
        """Stop it; what it has stored stays."""
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def requests(self) -> list[str]:
        """Give what it was asked so far, `METHOD PATH` each, without what it answered 401 to."""
        found = []
        for line in (self.directory / "log").read_text().splitlines():
            parts = line.split('"')
            if len(parts) > 2 and " HTTP/" in parts[1] and parts[2].split()[0] != "401":
                found.append(parts[1].rpartition(" HTTP/")[0])
        return found

    def client(self) -> httpx.Client:
        """Talk to it without gitops, as an attacker with the password would."""
        trust = ssl.create_default_context(cafile=self.authority)
        return httpx.Client(base_url=f"https://{self.host}", verify=trust, auth=(USER, PASSWORD))


def free_port(address: str) -> int:
    """Give a port on which nothing listens."""
    with socket.create_server((address, 0)) as free:
        return int(free.getsockname()[1])


def as_root(*command: str | Path) -> None:
    """Run a command as root, whoever runs the tests."""
    subprocess.run([*([] if os.geteuid() == 0 else ["sudo"]), *command], check=True)


@pytest.fixture(scope="session")
def registry_server(api: APIClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryServer]:
    """A registry for the whole session; who stops it or changes it starts it again as it was."""
    with running(api, tmp_path_factory.mktemp("registry")) as server:
        yield server


@contextlib.contextmanager
def running(api: APIClient, directory: Path) -> Iterator[RegistryServer]:
    """Run a registry that keeps all it has in a directory."""
    (bridge,) = api.networks(names=["^bridge$"])
    network = bridge["IPAM"]["Config"][0]
    # An engine that has never been asked for anything else leaves out that it is the first address.
    gateway = network.get("Gateway") or str(ipaddress.ip_network(network["Subnet"])[1])
    host = f"{gateway}:{free_port(gateway)}"
    server = RegistryServer(host, directory, directory / "storage")
    make_certificates(directory, gateway)
    line = subprocess.run(
        ["htpasswd", "-niBC", "5", USER], input=PASSWORD, capture_output=True, text=True, check=True
    )
    (directory / "htpasswd").write_text(line.stdout)
    server.password_file.write_text(f"{PASSWORD}\n")
    server.docker_config.mkdir()
    as_root("install", "-D", "-m", "644", server.authority, _CERTIFICATES / host / "ca.crt")
    try:
        server.start()
        subprocess.run(
            [
                "docker",
                "--config",
                server.docker_config,
                "login",
                "--username",
                USER,
                "--password-stdin",
                host,
            ],
            input=PASSWORD.encode(),
            check=True,
            capture_output=True,
        )
        assert host in json.loads((server.docker_config / "config.json").read_text())["auths"]
        yield server
    finally:
        server.stop()
        as_root("rm", "-r", _CERTIFICATES / host)


def make_certificates(directory: Path, address: str) -> None:
    """Make an authority, and a certificate by it for an address."""
    new = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    ca = ("-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.crt")
    signs = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")  # without which Python 3.13 believes none
    own = ("-subj", "/CN=registry", "-keyout", "server.key", "-out", "server.crt")
    by = ("-CA", "ca.crt", "-CAkey", "ca.key", "-addext", f"subjectAltName=IP:{address}")
    for words in ((*new, *ca, *signs), (*new, *own, *by, "-addext", "basicConstraints=critical,CA:FALSE")):
        subprocess.run(["openssl", *words], cwd=directory, check=True, capture_output=True)


@dataclass(frozen=True)
class Key:
    """An ssh key, and the line that lets it sign statements."""

    path: Path
    line: str


def new_key(directory: Path, name: str, namespaces: str = NAMESPACE) -> Key:
    """Make a key; the line of allowed signers is for these namespaces."""
    path = directory / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path], check=True)
    public = " ".join(path.with_suffix(".pub").read_text().split()[:2])
    return Key(path, f'{name}@example.org namespaces="{namespaces}" {public}\n')


@pytest.fixture(scope="session")
def ship(api: APIClient, rootfs: bytes) -> Iterator[Callable[..., str]]:
    """Make a tiny image under a reference, with no packages; it goes when the session ends.

    Called with the reference and a text that tells one such image from another. Gives its id.
    """
    made: list[str] = []

    def make(reference: str, mark: str = "", packages: str = "") -> str:
        content = io.BytesIO(rootfs)
        with tarfile.open(fileobj=content, mode="a") as tar:
            for name, text in (("var/lib/dpkg/status", packages), ("mark", mark or reference)):
                entry = tarfile.TarInfo(name)
                entry.size = len(text.encode())
                tar.addfile(entry, io.BytesIO(text.encode()))
        repository, _, tag = reference.rpartition(":")
        api.import_image_from_data(content.getvalue(), repository=repository, tag=tag)
        identity = Docker().identify(reference)
        made.extend((reference, identity))  # which outlives its name where another takes that
        return identity

    yield make
    for reference in made:
        with contextlib.suppress(NotFound):
            api.remove_image(reference, force=True)
