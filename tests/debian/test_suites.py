"""A suite is asked once, for what has changed; what is kept is believed no more than what arrives."""

import hashlib
import lzma
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Barrier, Thread

import pytest

from gitops.debian.sources import Source
from gitops.debian.suites import Suites, refresh
from gitops.system.errors import UserError
from gitops.system.progress import Amount
from gitops.system.run import CommandError
from tests.archive import SigningKey, TestArchive
from tests.debian.conftest import Refresh, refused, source_of


@pytest.fixture(autouse=True)
def _two_suites(archive: TestArchive) -> None:
    archive.add_package("hello", "1.0", architecture="amd64")
    archive.add_package("hello", "1.0", architecture="arm64")
    archive.add_package("hello", "1.1", suite="updates")
    archive.publish()
    archive.publish("updates")


@pytest.fixture
def no_gpgv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Prove, by its absence, that nothing is verified."""
    (tmp_path / "empty").mkdir()
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(tmp_path / "empty"))
        yield


def test_a_suite_is_asked_once_whatever_needs_it(archive: TestArchive, cache: Path) -> None:
    told: list[tuple[object, ...]] = []
    suites = Suites(cache, lambda *said: told.append(said))
    both = [source_of(archive), source_of(archive, "updates")]
    with ThreadPoolExecutor(4) as pool:
        tasks = [
            pool.submit(suites.indexes, sources, architecture)
            for sources in (both, both[:1], [source_of(archive, name="again")])
            for architecture in ("amd64", "arm64")
        ]
        found = {len(task.result().candidates("hello")) for task in tasks}
    assert found == {1, 2}
    asked = [request for request in archive.requests if request.endswith("InRelease")]
    assert sorted(asked) == ["200 /dists/trixie/InRelease", "200 /dists/updates/InRelease"]
    indexes = 3  # that of updates is the same for both architectures
    assert suites.requests == len(archive.requests) == len(set(archive.requests)) == 2 + indexes
    far = [(said[1], each) for said in told for each in said if isinstance(each, Amount)]
    whole = {doing for doing, (done, total, _) in far if total and done == total}
    assert whole == {"fetching main/binary-amd64", "fetching main/binary-arm64"}
    assert {said[0] for said in told if not said[1]} == {said[0] for said in told}


def test_a_suite_that_cannot_be_had_is_not_asked_again(archive: TestArchive, cache: Path) -> None:
    suites = Suites(cache)
    for _ in range(2):
        with pytest.raises(UserError, match="a suite named sarge"):
            suites.indexes([source_of(archive, "sarge")], "amd64")
    assert suites.requests == 1


def test_several_suites_are_asked_at_the_same_time(archive: TestArchive, cache: Path) -> None:
    together = Barrier(2, timeout=30)

    class Waiting(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.endswith("InRelease"):
                together.wait()  # the one is not answered before the other is asked
            super().do_GET()

        def log_message(self, *_: object) -> None:
            """Keep the tests' output clean."""

    with _serving(Waiting, archive.root) as mirror:
        sources = [
            Source("test", mirror, suite, ("main",), archive.keyring) for suite in ("trixie", "updates")
        ]
        assert len(refresh(sources, "amd64", cache).candidates("hello")) == 2


def test_a_server_that_names_its_states_is_asked_by_name(archive: TestArchive, cache: Path) -> None:
    told: list[str | None] = []

    class Naming(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.endswith("InRelease"):
                told.append(self.headers.get("If-None-Match"))
            if self.headers.get("If-None-Match") == '"one"':
                self.send_response(304)
                self.end_headers()
            else:
                super().do_GET()

        def end_headers(self) -> None:
            self.send_header("ETag", '"one"')
            super().end_headers()

        def send_header(self, keyword: str, value: str) -> None:
            if keyword != "Last-Modified":
                super().send_header(keyword, value)

        def log_message(self, *_: object) -> None:
            """Keep the tests' output clean."""

    with _serving(Naming, archive.root) as mirror:
        for _ in range(2):
            source = Source("test", mirror, "trixie", ("main",), archive.keyring)
            assert refresh([source], "amd64", cache).names() == {"hello"}
    assert told == [None, '"one"']


def test_what_was_verified_is_not_verified_again(
    archive: TestArchive, refreshed: Refresh, request: pytest.FixtureRequest
) -> None:
    disk = Source("disk", f"file://{archive.root}", "trixie", ("main",), archive.keyring)
    before = refreshed().releases, refreshed(disk).releases
    request.getfixturevalue("no_gpgv")
    assert (refreshed().releases, refreshed(disk).releases) == before


def test_a_changed_keyring_verifies_anew(
    archive: TestArchive, refreshed: Refresh, stranger_key: SigningKey, tmp_path: Path
) -> None:
    keyring = tmp_path / "own.gpg"
    keyring.write_bytes(archive.keyring.read_bytes())
    refreshed(source_of(archive, keyring=keyring))
    keyring.write_bytes(stranger_key.keyring.read_bytes())
    with pytest.raises(UserError, match="not in the archive's keyring"):
        refreshed(source_of(archive, keyring=keyring))


@pytest.mark.parametrize("name", ["InRelease", "verified.json"])
@pytest.mark.parametrize("change", [lambda data: data[:-9], lambda _: b"", lambda data: data + b" Evil: 1\n"])
def test_what_is_kept_and_was_changed_is_not_believed(
    archive: TestArchive,
    refreshed: Refresh,
    cache: Path,
    name: str,
    change: Callable[[bytes], bytes],
    request: pytest.FixtureRequest,
) -> None:
    before = refreshed().releases
    [kept] = cache.glob(f"*/{name}")
    whole = kept.read_bytes()
    kept.write_bytes(change(whole))
    archive.requests.clear()
    assert refreshed().releases == before
    assert archive.requests == ["200 /dists/trixie/InRelease"]
    kept.write_bytes(change(whole))
    request.getfixturevalue("no_gpgv")
    with pytest.raises(CommandError, match="gpgv"):
        refreshed()


def test_an_older_release_is_refused_though_what_was_told_of_the_newer_is_lost(
    archive: TestArchive, refreshed: Refresh, cache: Path
) -> None:
    refreshed()
    [told] = cache.glob("*/verified.json")
    told.unlink()
    archive.publish(date=datetime.now(UTC) - timedelta(days=3))
    with refused(cache, "seen before"):
        refreshed()


def test_an_index_never_unpacks_to_more_than_is_promised(
    archive: TestArchive, refreshed: Refresh, cache: Path
) -> None:
    _serve_index(archive, lzma.compress(bytes(50_000_000)))
    with refused(cache, "Packages.xz cannot be unpacked: more than"):
        refreshed()


def test_an_index_that_is_not_packed_is_told(archive: TestArchive, refreshed: Refresh, cache: Path) -> None:
    for content in (b"Package: hello\n", lzma.compress(b"Package: hello\n" * 9)[:-20]):
        _serve_index(archive, content)
        with refused(cache, "Packages.xz cannot be unpacked"):
            refreshed()


def _serve_index(archive: TestArchive, content: bytes) -> None:
    """Sign a release that promises this very content as its compressed index."""
    path = "main/binary-amd64/Packages.xz"

    def promise(release: str) -> str:
        lines = [
            f" {hashlib.sha256(content).hexdigest()} {len(content)} {path}"
            if line.endswith(f" {path}") and len(line.split()[0]) == 64
            else line
            for line in release.splitlines()
        ]
        return "\n".join(lines) + "\n"

    archive.publish(edit=promise)
    (archive.root / "dists/trixie" / path).write_bytes(content)


@contextmanager
def _serving(handler: type[SimpleHTTPRequestHandler], root: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(root)))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
