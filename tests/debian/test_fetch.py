"""Mirrors are reached as this machine was set up: through its proxies, trusting its authorities."""

import ssl
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from gitops.debian import fetch
from gitops.system.errors import UserError
from gitops.system.run import run
from tests.archive import TestArchive


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that vouches for itself; its key is beside it."""
    path = tmp_path / "certificate.pem"
    key = (
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-keyout",
        tmp_path / "key.pem",
    )
    subject = ("-subj", "/CN=mirror.example.org", "-addext", "subjectAltName=IP:127.0.0.1")
    run(["openssl", "req", "-x509", *key, *subject, "-out", path])
    return path


@pytest.fixture
def https_mirror(certificate: Path, tmp_path: Path) -> Iterator[str]:
    """A mirror over TLS that serves one file, `hello`."""
    (tmp_path / "served").mkdir()
    (tmp_path / "served/hello").write_text("hello")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "served")))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, tmp_path / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def read(url: str) -> bytes:
    with fetch.client() as mirror, fetch.get(mirror, url) as answer:
        return answer.read()


def test_the_systems_certificate_authorities_are_trusted_and_no_others(
    https_mirror: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match="certificate verify failed"):
        read(f"{https_mirror}/hello")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert read(f"{https_mirror}/hello") == b"hello"


def test_the_environments_proxy_is_used(archive: TestArchive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", archive.mirror)
    read("http://mirror.example.org/debian/hello")
    assert archive.requests == ["404 http://mirror.example.org/debian/hello"]


def test_a_directory_answers_like_a_mirror(tmp_path: Path) -> None:
    (tmp_path / "a%b c").write_bytes(b"x" * 3 * fetch.CHUNK)
    assert read(f"file://{tmp_path}/a%25b%20c") == b"x" * 3 * fetch.CHUNK
    with fetch.client() as mirror, fetch.get(mirror, f"file://{tmp_path}/none") as answer:
        assert answer.status_code == 404


@pytest.mark.parametrize("url", ["http://[::1/x", "http://mirror.invalid/x"])
def test_an_address_that_leads_nowhere_is_named(url: str) -> None:
    with pytest.raises(UserError, match=r"cannot be fetched"):
        read(url)


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "index"
    path.write_text("old")

    def interrupted() -> None:
        with fetch.writing(path) as file:
            file.write(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("index", "old")]
