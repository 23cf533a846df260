r"""A small signed Debian archive on disk, served over loopback HTTP, for tests and for the faults they make.

archive.add_package("hello", "1.0", depends="libc", files={"/usr/bin/hello": "#!/bin/sh\necho hello\n"})
archive.publish()
Source("test", archive.mirror, "trixie", ("main",), archive.keyring)
"""

import gzip
import hashlib
import lzma
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

BUILT = 1_700_000_000
"""When every package was built, unless a test says otherwise: seconds since the epoch."""

_COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    ".xz": partial(lzma.compress, preset=0),
    ".gz": gzip.compress,
}


@dataclass(frozen=True)
class SigningKey:
    """A throw-away OpenPGP key: its gpg home, its fingerprint, and its public half in both formats."""

    home: Path
    fingerprint: str
    keyring: Path
    armoured: Path

    def sign(self, text: str) -> str:
        """Clearsign a text."""
        return _run(
            "gpg",
            "--homedir",
            str(self.home),
            "--batch",
            "--clearsign",
            "--digest-algo",
            "SHA512",
            stdin=text,
        )


@contextmanager
def signing_key(name: str) -> Iterator[SigningKey]:
    """Make a key; its gpg home, which must have a short path for the agent's socket, is gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="gitops-key-"))
    gpg = ("gpg", "--homedir", str(home), "--batch", "--quiet")
    try:
        _run(
            *gpg,
            "--passphrase",
            "",
            "--quick-generate-key",
            f"{name} <{name}@example.org>",
            "ed25519",
            "sign",
        )
        listing = _run(*gpg, "--list-keys", "--with-colons")
        fingerprint = next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr"))
        keyring, armoured = home / f"{name}.gpg", home / f"{name}.asc"
        _run(*gpg, "--output", str(keyring), "--export")
        _run(*gpg, "--output", str(armoured), "--armor", "--export")
        yield SigningKey(home, fingerprint, keyring, armoured)
    finally:
        _run("gpgconf", "--homedir", str(home), "--kill", "all")
        shutil.rmtree(home, ignore_errors=True)


@dataclass
class TestArchive:
    """An archive below `root`; nothing is visible on the mirror before `publish`.

    Args:
        root: its directory, which is also a `file://` mirror.
        key: what signs it.
        mirror: its address.
        requests: status and path of every HTTP request so far, in order.
    """

    __test__ = False  # pytest would take it for a class of tests by its name

    root: Path
    key: SigningKey
    mirror: str = ""
    requests: list[str] = field(default_factory=list)
    _published: int = 0

    @property
    def keyring(self) -> Path:
        """The keyring that verifies it."""
        return self.key.keyring

    def add_package(  # noqa: PLR0913 - a package has that many sides, and all but two have a default
        self,
        name: str,
        version: str,
        *,
        architecture: str = "all",
        depends: str = "",
        essential: bool = False,
        fields: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
        links: Mapping[str, str] | None = None,
        scripts: Mapping[str, str] | None = None,
        suite: str = "trixie",
        component: str = "main",
        built: int = BUILT,
    ) -> Path:
        """Build a .deb and put it into a suite's pool.

        Args:
            name: Package.
            version: Version.
            architecture: Architecture.
            depends: Depends.
            essential: Essential.
            fields: more fields of its control file, for example Recommends, Source or Provides.
            files: path in the package to content; one that starts with #! is executable.
            links: path in the package to what it links to.
            scripts: maintainer scripts by name (postinst…), and conffiles.
            suite: where it is published; one pool for each.
            component: likewise.
            built: its build time in seconds since the epoch.

        Returns:
            The .deb.
        """
        control = {
            "Package": name,
            "Version": version,
            "Architecture": architecture,
            "Maintainer": "Test <test@example.org>",
            "Depends": depends,
            "Essential": "yes" if essential else "",
            **(fields or {}),
            "Description": f"test package {name}",
        }
        pool = self.pool(suite, component)
        pool.mkdir(parents=True, exist_ok=True)
        deb = pool / f"{name}_{version.replace(':', '%3a')}_{architecture}.deb"
        with tempfile.TemporaryDirectory() as directory:
            tree = Path(directory) / "tree"
            _put(
                tree / "DEBIAN/control", "".join(f"{key}: {text}\n" for key, text in control.items() if text)
            )
            for script, text in (scripts or {}).items():
                _put(tree / "DEBIAN" / script, text)
            for path, text in (files or {}).items():
                _put(tree / path.lstrip("/"), text)
            for path, target in (links or {}).items():
                (tree / path).parent.mkdir(parents=True, exist_ok=True)
                (tree / path).symlink_to(target)
            tree.chmod(0o755)
            _run(
                "dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", str(tree), str(deb), epoch=built
            )
        return deb

    def add_deb(self, deb: Path, *, suite: str = "trixie", component: str = "main") -> Path:
        """Put a .deb that exists already into a suite's pool."""
        pool = self.pool(suite, component)
        pool.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(deb, pool / deb.name))

    def remove(self, name: str, version: str = "*", *, suite: str = "trixie") -> None:
        """Take a package's .debs out of a suite's pool; `publish` takes them out of its indexes too."""
        for deb in (self.root / "pool" / suite).glob(f"*/{name}_{version.replace(':', '%3a')}_*.deb"):
            deb.unlink()

    def publish(
        self,
        suite: str = "trixie",
        *,
        codename: str | None = None,
        date: datetime | None = None,
        valid_until: datetime | None = None,
        key: SigningKey | None = None,
        by_hash: bool = True,
        separate_all: bool = False,
        edit: Callable[[str], str] = str,
    ) -> None:
        """Write and sign a suite's indexes.

        Args:
            suite: the suite.
            codename: its codename, when not the same.
            date: when it says it was made; now.
            valid_until: until when it says it is valid; for ever.
            key: what signs it, when not the archive's own key.
            by_hash: offer the indexes by hash too.
            separate_all: give packages for all architectures an index of their own.
            edit: changes the Release file before it is signed.
        """
        dists = self.root / "dists" / suite
        shutil.rmtree(dists, ignore_errors=True)
        components = sorted(path.name for path in (self.root / "pool" / suite).iterdir())
        for component in components:
            self._index(suite, component, separate_all=separate_all)
        entries = {
            "Origin": "Test",
            "Label": "Test",
            "Suite": suite,
            "Codename": codename or suite,
            "Date": _time(date or datetime.now(UTC)),
            "Architectures": f"{'all ' if separate_all else ''}amd64 arm64",
            "Components": " ".join(components),
        }
        options = [f"-oAPT::FTPArchive::Release::{name}={text}" for name, text in entries.items()]
        release = edit(_run("apt-ftparchive", *options, "release", str(dists)))
        # apt-ftparchive forgets these two, the second when it is in the past.
        release = ("Acquire-By-Hash: yes\n" if by_hash else "") + release
        release = (f"Valid-Until: {_time(valid_until)}\n" if valid_until else "") + release
        self._leave_only_compressed(dists, by_hash=by_hash)
        (dists / "InRelease").write_text((key or self.key).sign(release))
        # HTTP tells times to the second, and a test publishes more often than that.
        self._published += 1
        changed = time.time() + self._published
        os.utime(dists / "InRelease", (changed, changed))

    def pool(self, suite: str = "trixie", component: str = "main") -> Path:
        """Where the .debs of a suite's component are."""
        return self.root / "pool" / suite / component

    def inrelease(self, suite: str = "trixie") -> Path:
        """Where a suite's InRelease is, to be tampered with."""
        return self.root / "dists" / suite / "InRelease"

    def damage_indexes(self, change: Callable[[bytes], bytes], suite: str = "trixie") -> None:
        """Change every compressed index of a suite, by-hash too, without telling its InRelease."""
        for path in (self.root / "dists" / suite).glob("*/binary-*/**/*"):
            if path.is_file():
                path.write_bytes(change(path.read_bytes()))

    def _index(self, suite: str, component: str, *, separate_all: bool) -> None:
        pool = self.pool(suite, component).relative_to(self.root)
        stanzas = _run("apt-ftparchive", "packages", str(pool), cwd=self.root).split("\n\n")[:-1]
        for architecture in ("all", "amd64", "arm64") if separate_all else ("amd64", "arm64"):
            place = self.root / "dists" / suite / component / f"binary-{architecture}"
            place.mkdir(parents=True)
            within = {architecture} if separate_all else {architecture, "all"}
            own = (one for one in stanzas if re.findall(r"(?m)^Architecture: (.*)$", one)[0] in within)
            text = "".join(f"{stanza}\n\n" for stanza in own)
            (place / "Packages").write_text(text)
            for suffix, compress in _COMPRESS.items():
                (place / f"Packages{suffix}").write_bytes(compress(text.encode()))

    def _leave_only_compressed(self, dists: Path, *, by_hash: bool) -> None:
        """Serve what Debian's mirrors serve: the plain index stands in the Release file, but is not there."""
        for plain in dists.glob("*/binary-*/Packages"):
            plain.unlink()
            for index in sorted(plain.parent.iterdir()) if by_hash else ():
                digest = hashlib.sha256(index.read_bytes()).hexdigest()
                place = index.parent / "by-hash/SHA256" / digest
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(index, place)


@contextmanager
def served(root: Path, key: SigningKey) -> Iterator[TestArchive]:
    """Serve an empty archive at `root` while the block runs."""
    root.mkdir(parents=True, exist_ok=True)
    archive = TestArchive(root, key)

    class Handler(SimpleHTTPRequestHandler):
        def log_request(self, code: int | str = 0, _size: int | str = 0) -> None:
            archive.requests.append(f"{int(code)} {self.path}")

        def log_message(self, *_: object) -> None:
            """Keep the tests' output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(root)))
    archive.mirror = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield archive
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755 if text.startswith("#!") else 0o644)


def _time(time: datetime) -> str:
    return format_datetime(time.astimezone(UTC), usegmt=True).replace("GMT", "UTC")


def _run(*args: str, stdin: str = "", cwd: Path | None = None, epoch: int | None = None) -> str:
    environment = {**os.environ, **({} if epoch is None else {"SOURCE_DATE_EPOCH": str(epoch)})}
    done = subprocess.run(
        args, input=stdin, capture_output=True, text=True, cwd=cwd, env=environment, check=False
    )
    assert done.returncode == 0, f"{args}: {done.stderr}"
    return done.stdout
